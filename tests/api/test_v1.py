# SPDX-License-Identifier: Apache-2.0
"""API v1 over the same rows as v2: what is made through one is seen, changed and removed through the other."""
import uuid

import pytest
from support.client import Client, Watched, wait_for
from support.images import as_rgb, blocks, pane
from support.v1 import V1


@pytest.fixture
def v1(api):
    return V1(api)


def scoring_url(model):
    return f"{model.url}/ml/v4/deployments/d1/predictions"


@pytest.fixture
def subscribed(v1, stub_model):
    binding_id = v1.bind(stub_model.url)
    return binding_id, v1.subscribe(binding_id, scoring_url(stub_model))


def transaction(api, model, image):
    request = {"input_data": [{"values": [image]}]}
    answer = api.session.post(scoring_url(model), json=request, timeout=60).json()["predictions"][0]
    return {"values": [image]}, {"fields": answer["fields"], "values": answer["values"]}


# ---- made there, seen here ----

def test_a_binding_is_a_service_provider(api, v1, stub_model):
    binding_id = v1.bind(stub_model.url, "999")
    provider = api.get(f"/v2/service_providers/{binding_id}")
    assert provider["entity"]["service_type"] == "custom_machine_learning"
    assert set(provider["entity"]["credentials"]) == {"secret_id"}
    other = api.add_provider(stub_model.url, name="made by v2")
    names = {b["metadata"]["guid"]: b["entity"]["name"] for b in v1.call("GET", "/service_bindings")["service_bindings"]}
    assert names == {"999": "engine", other: "made by v2"}
    assert "password" not in str(v1.call("GET", "/service_bindings/999")["entity"]["credentials"])
    api.delete(f"/v2/service_providers/{binding_id}")
    v1.call("GET", "/service_bindings/999", expect=404)


def test_a_binding_can_be_written_over(v1, stub_model):
    body = {"name": "one", "service_type": "custom_machine_learning", "credentials": {"url": stub_model.url}}
    assert v1.call("PUT", "/service_bindings/b1", body, 201)["metadata"]["guid"] == "b1"
    assert v1.call("PUT", "/service_bindings/b1", body | {"name": "two"}, 200)["entity"]["name"] == "two"
    v1.call("POST", "/service_bindings", body | {"instance_id": "b1"}, 409)


@pytest.mark.parametrize("credentials", (True, "a key", []), ids=str)
def test_a_binding_is_not_written_over_with_credentials_that_are_none(v1, stub_model, credentials):
    body = {"name": "one", "service_type": "custom_machine_learning", "credentials": {"url": stub_model.url}}
    v1.call("PUT", "/service_bindings/kept", body, 201)
    refused = v1.call("PUT", "/service_bindings/kept", {**body, "credentials": credentials}, 400)
    assert refused["errors"][0]["message"].startswith("credentials: must be an object")
    assert v1.call("GET", "/service_bindings/kept")["entity"]["credentials"]


def test_the_same_binding_id_is_another_one_in_another_data_mart(daemon, stub_model):
    one, two = V1(Client(daemon.url)), V1(Client(daemon.url))
    for v1 in (one, two):
        assert v1.bind(stub_model.url, "999") == "999"
    one.call("DELETE", "/service_bindings/999", expect=202)
    two.call("GET", "/service_bindings/999")


def test_a_subscription_of_v1_is_one_of_v2(api, v1, stub_model, subscribed):
    binding_id, subscription_id = subscribed
    entity = api.get(f"/v2/subscriptions/{subscription_id}")["entity"]
    assert entity["service_provider_id"] == binding_id and entity["data_mart_id"] == api.instance
    assert entity["asset"]["problem_type"] == "binary"
    assert entity["asset"]["input_data_type"] == "unstructured_image"
    assert entity["asset_properties"] == {"prediction_field": "prediction_classes", "probability_fields": ["probability"]}
    assert entity["deployment"]["scoring_endpoint"]["url"] == scoring_url(stub_model)
    assert api.data_set_of(subscription_id)


def test_a_subscription_gets_an_id_when_the_client_has_none(api, v1, stub_model):
    binding_id = v1.bind(stub_model.url)
    path = f"/service_bindings/{binding_id}/subscriptions"
    made = v1.call("POST", path, v1.subscription_body(scoring_url(stub_model)), 201)
    api.get(f"/v2/subscriptions/{made['metadata']['guid']}")
    for body, field in (({}, "asset"), ({"asset": {"asset_id": "a"}}, "deployments"),
                        ({"asset": {"asset_id": "a"}, "deployments": [{}, {}]}, "deployments"),
                        ({"asset": {}, "deployments": [{"deployment_id": "d"}]}, "asset.asset_id")):
        assert api.refused("POST", v1.dm + path, 400, json=body)["parameters"] == [field], body


def test_a_subscription_of_v2_is_one_of_v1(api, v1, watched):
    path = f"/service_bindings/{watched.provider_id}/subscriptions"
    [listed] = v1.call("GET", path)["subscriptions"]
    assert listed["metadata"]["guid"] == watched.subscription_id
    entity = v1.call("GET", f"{path}/{watched.subscription_id}")["entity"]
    assert entity["asset_properties"]["problem_type"] == "binary"
    assert entity["deployments"][0]["deployment_id"] == watched.deployment_id
    states = {c["type"]: c["enabled"] for c in entity["configurations"]}
    assert states == {"payload_logging": True, "explainability": True}


def test_the_same_put_again_is_the_same_subscription(v1, stub_model, subscribed):
    binding_id, subscription_id = subscribed
    path = f"/service_bindings/{binding_id}/subscriptions/{subscription_id}"
    again = v1.call("PUT", path, v1.subscription_body(scoring_url(stub_model)), 201)
    assert again["metadata"]["guid"] == subscription_id
    assert len(v1.call("GET", f"/service_bindings/{binding_id}/subscriptions")["subscriptions"]) == 1


def test_a_patch_through_v1_is_seen_through_v2(api, v1, subscribed):
    binding_id, subscription_id = subscribed
    path = f"/service_bindings/{binding_id}/subscriptions/{subscription_id}"
    patch = [{"op": "add", "path": "/asset_properties/probability_fields", "value": "p"},
             {"op": "replace", "path": "/asset_properties/problem_type", "value": "multiclass"}]
    assert v1.call("PATCH", path, patch)["entity"]["asset_properties"]["probability_fields"] == ["p"]
    entity = api.get(f"/v2/subscriptions/{subscription_id}")["entity"]
    assert entity["asset"]["problem_type"] == "multiclass" and entity["asset_properties"]["probability_fields"] == ["p"]
    v1.call("PATCH", path, [{"op": "replace", "path": "/service_binding_id", "value": "x"}], 400)


def test_what_v2_says_of_a_subscription_survives_a_patch_of_v1(api, v1, subscribed):
    binding_id, subscription_id = subscribed
    api.patch(f"/v2/subscriptions/{subscription_id}",
              [{"op": "add", "path": "/asset_properties/explaind", "value": {"layout": "hwc"}},
               {"op": "add", "path": "/integration_reference", "value": {"external_id": "7"}}])
    v1.call("PATCH", f"/service_bindings/{binding_id}/subscriptions/{subscription_id}",
            [{"op": "add", "path": "/asset/name", "value": "renamed"}])
    entity = api.get(f"/v2/subscriptions/{subscription_id}")["entity"]
    assert entity["asset_properties"]["explaind"] == {"layout": "hwc"} and entity["asset"]["name"] == "renamed"
    assert entity["integration_reference"] == {"external_id": "7"}


@pytest.mark.parametrize("through", ["v1", "v2"])
def test_a_removed_subscription_is_gone_from_both(api, v1, subscribed, through):
    binding_id, subscription_id = subscribed
    path = f"/service_bindings/{binding_id}/subscriptions/{subscription_id}"
    if through == "v1":
        v1.call("DELETE", path, expect=202, force="true")
    else:
        api.delete(f"/v2/subscriptions/{subscription_id}", force="true")
    v1.call("GET", path, expect=404)
    api.get(f"/v2/subscriptions/{subscription_id}", 404)
    assert v1.call("GET", f"/service_bindings/{binding_id}/subscriptions")["subscriptions"] == []


# ---- payloads ----

def test_payloads_of_v1_are_records_of_v2_and_back(api, v1, stub_model, subscribed):
    _, subscription_id = subscribed
    stored = v1.store(subscription_id, *transaction(api, stub_model, blocks()))
    [scoring_id] = stored["scoring_ids"]
    data_set = api.data_set_of(subscription_id)
    [record] = api.get(f"/v2/data_sets/{data_set}/records")["records"]
    assert record["entity"]["values"]["scoring_id"] == scoring_id
    request, response = transaction(api, stub_model, blocks(16))
    api.post(f"/v2/data_sets/{data_set}/records", [{"request": request, "response": response, "scoring_id": "from-v2"}])
    table = v1.call("GET", "/scoring_transactions", subscription_id=subscription_id, include_total_count="true")
    ids = [row[table["fields"].index("scoring_id")] for row in table["values"]]
    assert table["total_count"] == 2 and ids == [scoring_id, "from-v2-1"]
    one = v1.call("GET", "/scoring_transactions", subscription_id=subscription_id, limit=1, offset=1)
    assert [row[0] for row in one["values"]] == ["from-v2-1"]


def test_the_table_has_the_columns_of_its_schema(api, v1, stub_model, subscribed):
    binding_id, subscription_id = subscribed
    v1.store(subscription_id, *transaction(api, stub_model, blocks()))
    schema = v1.call("GET", f"/service_bindings/{binding_id}/subscriptions/{subscription_id}/payload_table_schema")
    table = v1.call("GET", "/scoring_transactions", subscription_id=subscription_id)
    assert [f["name"] for f in schema["table_schema"]["fields"]] == table["fields"]
    assert all(len(row) == len(table["fields"]) for row in table["values"])
    times = [f["name"] for f in schema["table_schema"]["fields"] if f["type"] == "timestamp"]
    assert times == ["scoring_timestamp"]


def test_a_minimal_answer_has_no_body(api, v1, stub_model, subscribed):
    _, subscription_id = subscribed
    request, response = transaction(api, stub_model, blocks())
    assert v1.store(subscription_id, request, response, {"Prefer": "return=minimal"}, 204) is None


def test_payloads_are_refused_by_name(v1, subscribed):
    _, subscription_id = subscribed
    good = {"subscription_id": subscription_id, "request": {"values": [blocks()]},
            "response": {"fields": ["probability"], "values": [[[0.5, 0.5]]]}}
    for body, field in (({}, None), ([], None), ([{}], "[0].subscription_id"),
                        ([good, good | {"subscription_id": "x"}], "[1].subscription_id"),
                        ([good | {"request": {}}], "[0].request"), ([good | {"response": {}}], "[0].response")):
        error = v1.api.refused("POST", f"{v1.dm}/scoring_payloads", 400, json=body)
        assert field is None or error["parameters"] == [field], (body, error)
    v1.call("POST", "/scoring_payloads", [good | {"subscription_id": str(uuid.uuid4())}], 404)


# ---- explanations ----

def test_explainability_is_the_monitor_of_v2(api, v1, stub_model, subscribed):
    binding_id, subscription_id = subscribed
    path = f"/service_bindings/{binding_id}/subscriptions/{subscription_id}/configurations/explainability"
    enabling = {"data_mart_id": api.instance, "service_binding_id": binding_id, "model_id": "asset-1", "enabled": True,
                "parameters": {}}
    assert v1.call("GET", path) == {"enabled": False, "parameters": {}}
    v1.call("POST", "/v1/model_explanation_configurations", enabling, 400)  # nothing was logged
    v1.store(subscription_id, *transaction(api, stub_model, blocks()))
    v1.call("POST", "/v1/model_explanation_configurations", enabling, 200)
    [monitor] = api.get("/v2/monitor_instances", **{"target.target_id": subscription_id})["monitor_instances"]
    assert monitor["entity"]["parameters"]["enabled"] is True
    assert v1.call("PUT", path, {"enabled": False})["enabled"] is False
    monitor = api.get(f"/v2/monitor_instances/{monitor['metadata']['id']}")
    assert monitor["entity"]["parameters"]["enabled"] is False
    v1.call("PUT", path, {"enabled": True, "parameters": {"image": {"design": "nothing"}}}, 400)
    v1.call("POST", "/v1/model_explanation_configurations", enabling | {"model_id": "other"}, 404)


def test_other_configurations_are_remembered(v1, subscribed):
    binding_id, subscription_id = subscribed
    path = f"/service_bindings/{binding_id}/subscriptions/{subscription_id}/configurations"
    assert v1.call("GET", f"{path}/performance_monitoring")["enabled"] is False
    v1.call("PUT", f"{path}/performance_monitoring", {"enabled": True, "parameters": {"a": 1}})
    assert v1.call("GET", f"{path}/performance_monitoring") == {"enabled": True, "parameters": {"a": 1}}
    assert v1.call("GET", f"{path}/payload_logging")["enabled"] is True
    v1.call("GET", f"{path}/drift", expect=404)
    v1.call("PUT", f"{path}/explainability", {"enabled": "yes"}, 400)


def wait(v1, task_id):
    wait_for(v1.api, task_id)
    return v1.call("GET", f"/explanation_tasks/{task_id}", with_error_detail="true")


def test_an_explanation_asked_through_v1_is_one_of_v2(api, v1, watched):
    image = blocks()
    [scoring_id] = watched.log(image)
    begun = v1.call("POST", "/explanation_tasks", {"scoring_id": scoring_id, "cem": "true"}, 202)
    assert begun["entity"]["status"]["state"] == "in_progress"
    task_id = begun["metadata"]["id"]
    task = wait(v1, task_id)
    assert task["entity"]["status"] == {"state": "finished", "lime_state": "finished", "cem_state": "not_applicable"}
    first, second = task["entity"]["predictions"]
    assert (pane(first) + pane(second) == as_rgb(image)).all()
    assert first["explanation"][0]["feature_name"] == "scoring_input"
    v2 = api.get(f"/v2/explanation_tasks/{task_id}")["entity"]["explanations"][0]["predictions"]
    assert [p["probability"] for p in v2] == [first["probability"], second["probability"]]


def test_the_dialect_of_2018(api, v1, watched):
    [scoring_id] = watched.log(blocks())
    body = {"transaction_id": scoring_id, "data_mart_id": api.instance}
    request_id = v1.call("POST", "/v1/model_explanations", body, 200)["metadata"]["request_id"]
    wait_for(api, request_id)
    found = v1.call("GET", f"/v1/model_explanations/{request_id}", data_mart_id=api.instance)
    assert found["entity"]["status"] == "finished" and found["metadata"]["request_id"] == request_id
    assert found["entity"]["predictions"][0]["explanation"][0]["full_image"]


def test_stored_explanations_are_listed_whoever_asked(api, v1, watched):
    ids = watched.log(blocks())
    [of_v2] = watched.explain(*ids)
    wait_for(api, of_v2)
    of_v1 = v1.call("POST", "/explanation_tasks", {"scoring_id": ids[0]}, 202)["metadata"]["id"]
    wait(v1, of_v1)
    stored = v1.call("GET", "/explanations", subscription_id=watched.subscription_id, limit=1000)["explanations"]
    assert {e["request_id"] for e in stored} == {of_v1, of_v2}
    assert all(e["binding_id"] == watched.provider_id for e in stored)
    assert stored[0]["explanation"]["entity"]["predictions"][0]["explanation"] == [{"feature_name": "scoring_input"}]
    assert len(v1.call("GET", "/explanations", limit=1)["explanations"]) == 1


def test_a_failed_explanation_says_why(api, v1, model):
    watched = Watched(api, model)
    [scoring_id] = watched.log(blocks())
    model.broken = lambda images: (422, b"{}")
    task_id = v1.call("POST", "/explanation_tasks", {"scoring_id": scoring_id}, 202)["metadata"]["id"]
    task = wait(v1, task_id)
    assert task["entity"]["status"]["state"] == "error" and task["entity"]["error"]["error_msg"]
    [stored] = v1.call("GET", "/explanations", subscription_id=watched.subscription_id)["explanations"]
    assert stored["error"]["error_msg"]


def test_asking_is_refused_as_in_v2(v1, api, stub_model, subscribed):
    v1.call("POST", "/explanation_tasks", {"scoring_id": "nothing-1"}, 404)
    assert api.refused("POST", f"{v1.dm}/explanation_tasks", 400, json={})["parameters"] == ["scoring_id"]
    _, subscription_id = subscribed
    [scoring_id] = v1.store(subscription_id, *transaction(api, stub_model, blocks()))["scoring_ids"]
    v1.call("POST", "/explanation_tasks", {"scoring_id": scoring_id}, 400)  # not enabled
    v1.call("GET", f"/explanation_tasks/{uuid.uuid4()}", expect=404)


# ---- the data mart ----

def test_the_data_mart_is_set_up_once(api, v1):
    assert v1.call("PUT", "", {"internal_database": True}, 200)["internal_database"] is True
    v1.call("PUT", "", {"internal_database": True}, 409)
    assert v1.call("PUT", "", {"internal_database": True, "name": "mine"}, 200, force="true")["name"] == "mine"
    assert api.get(f"/v2/data_marts/{api.instance}")["entity"]["name"] == "mine"
    assert v1.call("PATCH", "", [{"op": "replace", "path": "/name", "value": "ours"}], 200)["name"] == "ours"
    v1.call("DELETE", "", expect=202, force="true")
    v1.call("GET", "", expect=404)
    api.get(f"/v2/data_marts/{api.instance}", 404)
    v1.call("PUT", "", {"internal_database": True}, 200)


def test_without_users_the_path_names_the_data_mart(daemon):
    here = Client(daemon.url)
    answer = here.session.put(f"{daemon.url}/v1/data_marts/{here.instance}", json={"name": "x"}, timeout=30)
    assert answer.status_code == 200
    assert here.get(f"/v2/data_marts/{here.instance}")["entity"]["name"] == "x"
    assert here.session.get(f"{daemon.url}/v1/data_marts/not-a-guid", timeout=30).status_code == 404


def test_what_image_models_have_none_of_is_empty(v1):
    assert v1.call("GET", "/monitor_definitions") == {"monitor_definitions": []}
    assert v1.call("GET", "/metrics") == {"metrics": []}
    assert v1.call("GET", "/deployment_metrics") == {"deployment_metrics": []}
