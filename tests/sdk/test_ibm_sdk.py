# SPDX-License-Identifier: Apache-2.0
"""IBM's own SDK against the daemon, over http and https: what the image notebooks call, and what their users see."""
import datetime
import io
import json
import uuid

import pytest
import requests
from support.client import Client
from support.images import as_rgb, blocks, pane
from support.model import deployment
from support.sdk import DEPLOYMENT, Flow, ZERO, client, flow, impatient, service_url, start  # noqa: F401  (fixtures among them)

from ibm_cloud_sdk_core import ApiException  # noqa: E402
from ibm_cloud_sdk_core.authenticators import BearerTokenAuthenticator, CloudPakForDataAuthenticator, IAMAuthenticator  # noqa: E402
from ibm_watson_openscale import APIClient  # noqa: E402
from ibm_watson_openscale.base_classes.watson_open_scale_v2 import (CustomCredentials, JsonPatchOperation, PatchDocument, Records, Target, WMLCredentialsCP4D)  # noqa: E402
from ibm_watson_openscale.supporting_classes.enums import ServiceTypes, TargetTypes  # noqa: E402
from ibm_watson_openscale.supporting_classes.payload_record import PayloadRecord  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore")


# ---- the notebook, from top to bottom ----

def test_the_notebook_runs_from_top_to_bottom(flow):
    client, image = flow.client, blocks(30, 30, n=4)
    before = client.data_sets.get_records_count(data_set_id=flow.data_set_id)
    transaction_id = flow.store(image)
    assert client.data_sets.get_records_count(data_set_id=flow.data_set_id) == before + 1

    records = client.data_sets.get_list_of_records(data_set_id=flow.data_set_id, limit=100).result["records"]
    scoring_id = records[-1]["entity"]["values"]["scoring_id"]
    assert scoring_id == f"{transaction_id}-1"

    task_id, task = flow.explained(scoring_id)
    assert task.metadata.explanation_task_id == task_id and task.entity.status.state == "finished"
    first, second = task.to_dict()["entity"]["explanations"][0]["predictions"]
    assert first["probability"] > second["probability"]
    shown, rest = pane(first), pane(second)
    assert (shown + rest == as_rgb(image)).all(), "positive and negative zones make the image"


def test_the_client_says_what_it_talks_to(client):
    assert client.version
    names = dir(client.monitor_definitions.MONITORS)
    assert {"EXPLAINABILITY", "FAIRNESS", "PERFORMANCE"} <= set(names)


# ---- constructors ----

def test_iam_and_bearer_clients_are_constructed_too(module_daemon):
    url = f"http://127.0.0.1:{module_daemon.port}"
    iam = APIClient(service_url=url, service_instance_id=ZERO, authenticator=IAMAuthenticator(apikey="k", url=url))
    assert iam.data_marts.list().result.data_marts[0].metadata.id == ZERO
    bearer = APIClient(service_url=url, authenticator=BearerTokenAuthenticator("some-token"))
    assert bearer.data_marts.list().result.data_marts[0].metadata.id == ZERO
    instance = Client(module_daemon.url).get("/v2/data_marts")["data_marts"][0]["metadata"]["id"]
    other = APIClient(service_url=url, service_instance_id=instance, authenticator=IAMAuthenticator(apikey="k", url=url))
    assert other.data_marts.list().result.data_marts[0].metadata.id == instance


def test_a_service_url_that_ends_in_openscale_is_the_same(module_daemon):
    url = f"http://127.0.0.1:{module_daemon.port}"
    authenticator = CloudPakForDataAuthenticator(url=url, username="u", apikey="k")
    client = APIClient(service_url=f"{url}/openscale", authenticator=authenticator)
    assert client.data_marts.list().result.data_marts[0].metadata.id == ZERO


def test_an_instance_of_ones_own_is_a_data_mart_of_its_own(module_daemon, module_model):
    url, instance = f"http://127.0.0.1:{module_daemon.port}", str(uuid.uuid4())
    authenticator = CloudPakForDataAuthenticator(url=url, username="u", password="p")
    client = APIClient(service_url=url, authenticator=authenticator, service_instance_id=instance)
    assert client.data_marts.list().result.data_marts[0].metadata.id == instance
    provider = client.service_providers.add(name="mine", service_type=ServiceTypes.CUSTOM_MACHINE_LEARNING,
                                            credentials=CustomCredentials(url=module_model.url)).result
    module_model.deployments = [deployment(module_model.url, DEPLOYMENT)]
    assets = client.service_providers.list_assets(data_mart_id=instance, service_provider_id=provider.metadata.id)
    assert [a["metadata"]["guid"] for a in assets.result["resources"]] == [DEPLOYMENT]


# ---- data marts and providers ----

def test_data_marts(client, capsys):
    [mart] = client.data_marts.list().result.data_marts
    assert mart.metadata.id == ZERO and mart.entity.status.state == "active"
    assert client.data_marts.get(ZERO).result.metadata.id == ZERO
    with pytest.raises(ApiException) as error:
        client.data_marts.add(name="another", internal_database=True)
    assert error.value.code == 409
    assert "Data Mart with this id is already defined" in str(error.value)
    changed = client.data_marts.patch(ZERO, [JsonPatchOperation(op="add", path="/description", value="patched")])
    assert changed.result.entity.description == "patched"
    client.data_marts.show()
    assert start(ZERO) in capsys.readouterr().out


def test_a_wml_provider_takes_empty_credentials(client):
    name = f"wml {uuid.uuid4()}"
    added = client.service_providers.add(name=name, service_type=ServiceTypes.WATSON_MACHINE_LEARNING,
                                         credentials=WMLCredentialsCP4D(), operational_space_id="production",
                                         deployment_space_id=str(uuid.uuid4()), background_mode=False).result
    assert added.entity.status.state == "active"
    listed = client.service_providers.list(service_type=ServiceTypes.WATSON_MACHINE_LEARNING).result.service_providers
    assert name in [p.entity.name for p in listed]
    client.service_providers.delete(added.metadata.id, background_mode=False)


def test_providers_are_listed_shown_patched_and_deleted(client, flow, capsys):
    added = client.service_providers.add(name=f"to go {uuid.uuid4()}", credentials=CustomCredentials(url="http://x"),
                                         service_type=ServiceTypes.CUSTOM_MACHINE_LEARNING).result
    provider_id = added.metadata.id
    client.service_providers.update(provider_id, [PatchDocument(op="replace", path="/name", value="renamed")])
    assert client.service_providers.get(provider_id).result.entity.name == "renamed"
    client.service_providers.show()
    assert start(provider_id) in capsys.readouterr().out
    client.service_providers.delete(provider_id, background_mode=False)
    assert provider_id not in str(client.service_providers.list().result)


def test_assets_are_discovered_over_https_whatever_the_service_url_says(flow):
    assert flow.asset["metadata"]["guid"] == DEPLOYMENT if "metadata" in flow.asset else flow.asset["resources"]
    found = flow.client.service_providers.list_assets(data_mart_id=ZERO, service_provider_id=flow.provider_id).result
    guids = [r["metadata"]["guid"] for r in found["resources"]]
    assert DEPLOYMENT in guids and len(guids) == 2
    one = flow.client.service_providers.list_assets(data_mart_id=ZERO, service_provider_id=flow.provider_id,
                                                    deployment_id=DEPLOYMENT, deployment_space_id="a-space").result
    assert [r["metadata"]["guid"] for r in one["resources"]] == [DEPLOYMENT]
    asset = flow.client.service_providers.get_deployment_asset(
        data_mart_id=ZERO, service_provider_id=flow.provider_id, deployment_id=DEPLOYMENT,
        deployment_space_id="a-space")
    assert asset["entity"]["asset"]["asset_id"] == f"asset-{DEPLOYMENT}"


# ---- subscriptions ----

def test_subscriptions_are_listed_shown_and_patched(flow, capsys):
    client = flow.client
    listed = client.subscriptions.list(data_mart_id=ZERO, service_provider_id=flow.provider_id,
                                       deployment_deployment_id=DEPLOYMENT, asset_asset_type="model").result
    assert [s.metadata.id for s in listed.subscriptions] == [flow.subscription_id]
    client.subscriptions.update(flow.subscription_id, [
        PatchDocument(op="add", path="/asset_properties/prediction_field", value="prediction_classes")])
    entity = client.subscriptions.get(flow.subscription_id).result.entity
    assert entity.asset_properties.prediction_field == "prediction_classes"
    client.subscriptions.show()
    assert start(flow.subscription_id) in capsys.readouterr().out


def test_a_subscription_makes_its_performance_monitor_by_itself(flow):
    instances = flow.client.monitor_instances.list(target_target_id=flow.subscription_id).result.monitor_instances
    assert {i.entity.monitor_definition_id for i in instances} == {"performance", "explainability"}


# ---- records ----

def plain(body, member):
    return {k: v for k, v in body[member][0].items() if k in ("fields", "values")}


@pytest.mark.parametrize("form", ["whole, whole", "whole, plain", "whole, predictions[0]", "plain, plain",
                                  "plain, whole"])
def test_payload_records_are_stored_in_every_form(flow, form):
    request, response = flow.score(blocks())
    sent, answered = form.split(", ")
    record = PayloadRecord(
        request=plain(request, "input_data") if sent == "plain" else request,
        response={"plain": plain(response, "predictions"), "predictions[0]": response["predictions"][0]}.get(answered,
                                                                                                             response),
        response_time=460, user_id="ann")
    before = flow.client.data_sets.get_records_count(flow.data_set_id)
    stored = flow.client.data_sets.store_records(flow.data_set_id, [record], background_mode=False)
    assert stored.result.state == "active"
    assert flow.client.data_sets.get_records_count(flow.data_set_id) == before + 1


def test_rows_are_stored_as_tables_and_as_objects(flow):
    row = {"scoring_id": uuid.uuid4().hex, "scoring_input": blocks(), "prediction": 1, "probability": [0.4, 0.6]}
    other = {**row, "scoring_id": uuid.uuid4().hex}
    before = flow.client.data_sets.get_records_count(flow.data_set_id)
    flow.client.data_sets.store_records(flow.data_set_id, [row])
    flow.client.data_sets.store_records(flow.data_set_id, [{"fields": list(other), "values": [list(other.values())]}])
    assert flow.client.data_sets.get_records_count(flow.data_set_id) == before + 2


def test_several_images_in_one_record(flow):
    request = {"input_data": [{"values": [blocks(first=i) for i in range(3)]}]}
    response = requests.post(flow.scoring_url, json=request, timeout=30).json()
    record = PayloadRecord(request=request, response=response, scoring_id=uuid.uuid4().hex)
    flow.client.data_sets.store_records(flow.data_set_id, [record])
    found = flow.client.data_sets.get_list_of_records(
        flow.data_set_id, filter=f"transaction_id:eq:{record.scoring_id}", order="scoring_id:asc").result["records"]
    assert [r["entity"]["values"]["scoring_id"] for r in found] == [f"{record.scoring_id}-{n}" for n in (1, 2, 3)]


def test_records_come_as_dict_as_list_and_as_pandas(flow):
    flow.store()
    client = flow.client
    page = client.data_sets.get_list_of_records(flow.data_set_id, limit=2, offset=0, include_total_count=True,
                                                order="scoring_timestamp:desc").result
    assert page["total_count"] >= 1 and "scoring_id" in page["records"][0]["entity"]["values"]
    table = client.data_sets.get_list_of_records(flow.data_set_id, limit=1, format="list",
                                                 includes="scoring_id,prediction").result
    assert set(table["records"][0]["fields"]) == {"scoring_id", "prediction"}
    frame = client.data_sets.get_list_of_records(flow.data_set_id, output_type="pandas").result
    assert {"scoring_id", "probability", "prediction"} <= set(frame.columns)
    assert len(frame) == client.data_sets.get_records_count(flow.data_set_id)


def test_images_come_back_on_request(flow):
    image = blocks(first=2)
    transaction_id = flow.store(image)
    found = flow.client.data_sets.get_list_of_records(flow.data_set_id, limit=1, includes="scoring_input",
                                                      filter=f"transaction_id:eq:{transaction_id}").result["records"]
    assert found[0]["entity"]["values"]["scoring_input"] == image


def test_a_table_for_pandas_has_the_raw_data_too(flow):
    flow.store()
    frame = flow.client.data_sets.get_list_of_records(flow.data_set_id, output_type="pandas",
                                                      return_payload_raw_data=True).result
    assert len(frame) == flow.client.data_sets.get_records_count(flow.data_set_id)


def test_a_time_window_of_pythons_own_datetime(flow):
    transaction_id = flow.store(scoring_timestamp="2021-06-10T09:43:53.309000Z")
    found = flow.client.data_sets.get_list_of_records(
        flow.data_set_id, start=datetime.datetime(2021, 6, 10, 9, 43), end=datetime.datetime(2021, 6, 10, 9, 44))
    assert [r["entity"]["values"]["transaction_id"] for r in found.result["records"]] == [transaction_id]


def test_one_record_its_field_and_the_search_across_data_sets(flow):
    transaction_id = flow.store()
    records = Records(watson_open_scale=flow.client)
    [found] = flow.client.data_sets.get_list_of_records(
        flow.data_set_id, filter=f"transaction_id:eq:{transaction_id}").result["records"]
    record_id = found["metadata"]["id"]
    assert records.get(flow.data_set_id, record_id).result.metadata.id == record_id
    assert records.field(flow.data_set_id, record_id, "scoring_id").result == f"{transaction_id}-1"
    for arguments in ({"record_id": [record_id]}, {"transaction_id": [transaction_id]}):
        [across] = records.query(data_set_type="payload_logging", **arguments).result.data_set_records
        assert across.records.metadata.id == record_id
        assert across.data_set.target.target_id == flow.subscription_id


def test_records_are_annotated(flow):
    transaction_id = flow.store()
    records = Records(watson_open_scale=flow.client)
    find = {"data_set_id": flow.data_set_id, "filter": f"transaction_id:eq:{transaction_id}"}
    [found] = flow.client.data_sets.get_list_of_records(**find).result["records"]
    flow.client.data_sets.patch_records(flow.data_set_id, [
        PatchDocument(op="add", path=f"/records/{found['metadata']['id']}/annotations/label", value="dog")])
    [found] = flow.client.data_sets.get_list_of_records(**find).result["records"]
    assert found["entity"]["annotations"] == {"label": "dog"}
    updated = records.update(flow.data_set_id, found["metadata"]["id"], [
        PatchDocument(op="replace", path="/annotations/label", value="cat")]).result
    assert updated.metadata.id == found["metadata"]["id"]
    [found] = flow.client.data_sets.get_list_of_records(**find).result["records"]
    assert found["entity"]["annotations"] == {"label": "cat"}


def test_tables_are_printed(flow, capsys):
    flow.store()
    for show, expected in [
        (lambda: flow.client.data_sets.show(), start(flow.data_set_id)),
        (lambda: flow.client.data_sets.show_records(data_set_id=flow.data_set_id), "scoring_id"),
        (lambda: flow.client.data_sets.print_records_schema(data_set_id=flow.data_set_id), "scoring_timestamp"),
        (lambda: flow.client.monitor_definitions.show(), "Explainability"),
        (lambda: flow.client.monitor_instances.show(), start(flow.monitor_id)),
        (lambda: flow.client.monitor_instances.show_metrics(monitor_instance_id=flow.monitor_id), ""),
    ]:
        show()
        assert expected in capsys.readouterr().out


# ---- monitors and explanations ----

def test_monitor_instances_are_got_listed_patched_and_deleted(flow):
    client = flow.client
    definition = client.monitor_definitions.get("explainability").result
    assert definition.entity.name == "Explainability"
    got = client.monitor_instances.get(flow.monitor_id).result
    assert got.entity.parameters["enabled"] is True
    client.monitor_instances.update(flow.monitor_id, [
        PatchDocument(op="add", path="/parameters/lime", value={"perturbations_count": 1000})])
    assert client.monitor_instances.get(flow.monitor_id).result.entity.parameters["lime"]["perturbations_count"] == 1000
    assert client.monitor_instances.list_runs(flow.monitor_id).result.runs == []
    fairness = client.monitor_instances.create(
        data_mart_id=ZERO, monitor_definition_id="fairness", parameters={"features": []},
        target=Target(target_type=TargetTypes.SUBSCRIPTION, target_id=flow.subscription_id)).result
    client.monitor_instances.delete(fairness.metadata.id, background_mode=False)
    assert fairness.metadata.id not in str(client.monitor_instances.list().result)


def test_explanation_tasks_are_listed(flow):
    scoring_id = f"{flow.store()}-1"
    task_id, _ = flow.explained(scoring_id)
    table = flow.client.monitor_instances.get_all_explaination_tasks(
        subscription_id=flow.subscription_id, scoring_id=scoring_id, limit=10, offset=0, status="finished").result
    assert table.total_count == 1 and task_id in table.explanation_values[0]


def test_contrastive_explanations_are_asked_for_by_type(flow):
    scoring_id = f"{flow.store()}-1"
    _, task = flow.explained(scoring_id, types=("lime", "contrastive"))
    lime, contrastive = task.to_dict()["entity"]["explanations"]
    assert lime["explanation_type"] == "lime" and contrastive["explanation_type"] == "contrastive"
    assert contrastive["predictions"][0]["pertinent"] == "positive"


def test_an_error_of_the_model_reaches_the_user(flow):
    scoring_id = f"{flow.store()}-1"
    flow.model.broken = lambda images: (400, b'{"error":"no"}')
    try:
        _, task = flow.explained(scoring_id)
    finally:
        flow.model.broken = None
    assert task.entity.status.state == "error"
    [error] = task.to_dict()["entity"]["errors"]
    assert error["error"]["code"].startswith("AIQES") and error["error"]["message"]


def test_records_are_stored_from_a_csv_file(flow):
    before = flow.client.data_sets.get_records_count(flow.data_set_id)
    image = json.dumps(blocks()).replace(" ", "")
    text = f'scoring_id,scoring_input,probability\nfile1,"{image}","[0.25,0.75]"\nfile2,,\n'
    flow.client.data_sets.store_records(flow.data_set_id, io.BufferedReader(io.BytesIO(text.encode())), header=True,
                                        limit=1, delimiter=",", csv_max_line_length=1000000, background_mode=False)
    assert flow.client.data_sets.get_records_count(flow.data_set_id) == before + 1


# ---- errors as a user of the SDK sees them ----

@pytest.mark.parametrize("name, status, text", [
    ("no such subscription", 404, "Resource of `subscription` with given id `none` could not be found"),
    ("no such scoring id", 404, "none-1"),
    ("not an image", 400, "request"),
    ("a scoring input over the limit", 413, "1048576"),
    ("csv", 400, "line 2, column 2 (scoring_input)"),
    ("a run", 400, "explanation"),
    ("records are there", 409, "force"),
    ("a patch of an id", 400, "read-only"),
])
def test_errors_are_told_in_words(flow, name, status, text):
    client = flow.client
    _, response = flow.score(blocks())
    large = [[[0.123] * 3 for _ in range(300)] for _ in range(300)]

    def store(image):
        client.data_sets.store_records(flow.data_set_id, [PayloadRecord(
            request={"input_data": [{"values": [image]}]}, response=response)])

    def csv():
        file = io.BufferedReader(io.BytesIO(b"scoring_id,scoring_input,probability\na,7,1\n"))
        client.data_sets.store_records(flow.data_set_id, file, header=True, limit=100, delimiter=",",
                                       csv_max_line_length=8196)

    flow.store()
    actions = {
        "no such subscription": lambda: client.subscriptions.get("none"),
        "no such scoring id": lambda: client.monitor_instances.explanation_tasks(scoring_ids=["none-1"]),
        "not an image": lambda: store([1, 2, 3]),
        "a scoring input over the limit": lambda: store(large),
        "csv": csv,
        "a run": lambda: client.monitor_instances.run(flow.monitor_id),
        "records are there": lambda: client.subscriptions.delete(flow.subscription_id),
        "a patch of an id": lambda: client.subscriptions.update(
            flow.subscription_id, [PatchDocument(op="replace", path="/data_mart_id", value="x")]),
    }
    with pytest.raises(ApiException) as caught:
        actions[name]()
    assert caught.value.code == status
    shown = str(caught.value)
    assert text in shown and f"Status code: {status}" in shown and "X-global-transaction-id" in shown


# ---- the end of the notebook ----

def test_everything_can_be_deleted_again(client, module_model):
    flow = Flow(client, module_model)
    task_id, _ = flow.explained(f"{flow.store()}-1")
    client.subscriptions.delete(flow.subscription_id, background_mode=False, force=True)
    assert flow.subscription_id not in str(client.subscriptions.list().result)
    assert flow.subscription_id not in str(client.monitor_instances.list().result)
    client.service_providers.delete(flow.provider_id, background_mode=False)
    assert flow.provider_id not in str(client.service_providers.list().result)
    with pytest.raises(ApiException) as caught:
        client.monitor_instances.get_explanation_tasks(explanation_task_id=task_id)
    assert caught.value.code == 404


def test_a_data_mart_is_deleted_and_made_again(module_daemon, impatient):
    url, instance = f"http://127.0.0.1:{module_daemon.port}", str(uuid.uuid4())
    authenticator = CloudPakForDataAuthenticator(url=url, username="u", password="p")
    client = APIClient(service_url=url, authenticator=authenticator, service_instance_id=instance)
    assert client.data_marts.get(instance).result.metadata.id == instance
    client.data_marts.delete(instance, force=True, background_mode=False)
    assert client.data_marts.list().result.data_marts == []
    assert client.data_marts.add(name="again", internal_database=True, background_mode=False).result.metadata.id == instance
