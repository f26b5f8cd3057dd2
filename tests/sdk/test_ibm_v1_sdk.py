# SPDX-License-Identifier: Apache-2.0
"""IBM's SDK of API v1, ibm-ai-openscale, as the notebooks of 2019 use it: from the data mart to the pictures and back."""
import sys
import time
import types
import uuid
import warnings

import pytest
import requests
from support.client import Client
from support.images import as_rgb, blocks, pane
from support.model import deployment

pytest.importorskip("ibm_ai_openscale", reason="ibm-ai-openscale is not installed")

from ibm_ai_openscale import APIClient, APIClient4ICP  # noqa: E402
from ibm_ai_openscale.engines import CustomMachineLearningAsset, CustomMachineLearningInstance  # noqa: E402
from ibm_ai_openscale.supporting_classes import InputDataType, PayloadRecord, ProblemType  # noqa: E402
from ibm_ai_openscale.utils.client_errors import ClientError  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore")
DEPLOYMENT = "dep-v1"
ZERO = "00000000-0000-0000-0000-000000000000"


@pytest.fixture(autouse=True, scope="module")
def impatient():
    """The SDK waits 5 to 10 s between two looks; nothing here needs that."""
    clock = types.SimpleNamespace(**{name: getattr(time, name) for name in dir(time) if not name.startswith("_")})
    clock.sleep = lambda seconds: time.sleep(min(seconds, 0.02))
    patched = [m for name, m in sys.modules.items() if name.startswith("ibm_ai_openscale") and getattr(m, "time", 0) is time]
    for module in patched:
        module.time = clock
    yield
    for module in patched:
        module.time = time


@pytest.fixture(scope="module", params=["http", "https"])
def client(request, module_daemon):
    warnings.simplefilter("ignore")
    return APIClient4ICP({"url": f"{request.param}://127.0.0.1:{module_daemon.port}", "username": "admin",
                          "password": "secret"})


@pytest.fixture
def subscription(client, module_model):
    """The notebook down to payload logging; a binding of its own."""
    module_model.deployments = [deployment(module_model.url, DEPLOYMENT)]
    credentials = {"url": module_model.url, "username": uuid.uuid4().hex, "password": "p"}
    binding = client.data_mart.bindings.add("engine", CustomMachineLearningInstance(credentials))
    asset = CustomMachineLearningAsset(source_uid=f"asset-{DEPLOYMENT}", binding_uid=binding,
                                       input_data_type=InputDataType.UNSTRUCTURED_IMAGE,
                                       problem_type=ProblemType.BINARY_CLASSIFICATION,
                                       prediction_column="prediction_classes", probability_column="probability")
    subscribed = client.data_mart.subscriptions.add(asset)
    subscribed.binding_uid_of_test = binding
    return subscribed


def store(subscription, model, *images) -> str:
    scoring_id = uuid.uuid4().hex
    url = f"{model.url}/ml/v4/deployments/{DEPLOYMENT}/predictions"
    answer = requests.post(url, json={"input_data": [{"values": list(images)}]}, timeout=60).json()["predictions"][0]
    subscription.payload_logging.store([PayloadRecord(
        request={"values": list(images)}, response={"fields": answer["fields"], "values": answer["values"]},
        scoring_id=scoring_id, response_time=40)])
    return scoring_id


def show_black(module_daemon, subscription):
    """The model of the tests looks at mean brightness, which the usual fill leaves as it is."""
    path = f"{subscription.url}/configurations/explainability"
    body = {"enabled": True, "parameters": {"image": {"fill": "black"}}}
    Client(module_daemon.url, ZERO).request("PUT", module_daemon.url + path, json=body)


def test_the_story_from_the_data_mart_to_the_pictures(client, subscription, module_model, module_daemon, capsys):
    client.data_mart.setup(internal_db=True)  # a second time it is a warning
    assert client.data_mart.get_details()["internal_database"] is True
    image = blocks(30, 30, n=4)
    scoring_id = store(subscription, module_model, image)
    assert subscription.payload_logging.get_records_count() == 1
    subscription.explainability.enable()
    assert subscription.explainability.get_details()["enabled"] is True
    show_black(module_daemon, subscription)
    task = subscription.explainability.run(f"{scoring_id}-1", cem=False, background_mode=False)
    first, second = task["entity"]["predictions"]
    assert (pane(first) + pane(second) == as_rgb(image)).all(), "positive and negative zones make the image"
    assert first["value"] is not None and first["probability"] > second["probability"]
    assert "Successfully finished run" in capsys.readouterr().out


def test_an_explanation_in_the_background(subscription, module_model):
    scoring_id = store(subscription, module_model, blocks())
    subscription.explainability.enable()
    begun = subscription.explainability.run(f"{scoring_id}-1", background_mode=True)
    assert begun["metadata"]["id"] and begun["entity"]["status"]["state"] == "in_progress"


def test_tables(client, subscription, module_model, capsys):
    scoring_id = store(subscription, module_model, blocks(), blocks(16))
    table = subscription.payload_logging.get_table_content()
    assert list(table["scoring_id"]) == [f"{scoring_id}-1", f"{scoring_id}-2"] and list(table["response_time"]) == [40, 40]
    subscription.payload_logging.show_table()
    subscription.payload_logging.describe_table()
    subscription.explainability.enable()
    subscription.explainability.run(f"{scoring_id}-1", background_mode=False)
    stored = subscription.explainability.get_table_content()
    assert list(stored["transaction_id" if "transaction_id" in stored else "scoring_id"]) == [f"{scoring_id}-1"]
    subscription.explainability.show_table()
    subscription.explainability.describe_table()
    subscription.explainability.list_explanations()
    client.data_mart.bindings.list()
    client.data_mart.bindings.list_assets()
    client.data_mart.subscriptions.list()
    printed = capsys.readouterr().out
    assert "scoring_input" in printed and f"asset-{DEPLOYMENT}" in printed


def test_enabling_without_a_payload_is_refused_by_the_sdk_itself(subscription):
    with pytest.raises(ClientError):
        subscription.explainability.enable()


def test_a_subscription_is_changed_and_read(client, subscription):
    subscription.update(probability_column="p")
    details = client.data_mart.subscriptions.get(subscription.uid).get_details()
    assert details["entity"]["asset_properties"]["probability_fields"] == ["p"]
    assert subscription.uid in client.data_mart.subscriptions.get_uids()
    assert subscription.payload_logging.get_details()["enabled"] is True


def test_the_way_back(client, subscription, module_model, module_daemon):
    scoring_id = store(subscription, module_model, blocks())
    subscription.explainability.enable()
    subscription.explainability.run(f"{scoring_id}-1", background_mode=False)
    subscription.explainability.disable()
    assert subscription.explainability.get_details()["enabled"] is False
    client.data_mart.subscriptions.delete(subscription.uid)
    assert subscription.uid not in client.data_mart.subscriptions.get_uids()
    client.data_mart.bindings.delete(subscription.binding_uid_of_test)
    assert subscription.binding_uid_of_test not in client.data_mart.bindings.get_uids()
    Client(module_daemon.url, ZERO).get(f"/v2/subscriptions/{subscription.uid}", 404)


def test_the_client_of_ibm_cloud_logs_in_with_a_key(module_daemon):
    client = APIClient({"url": f"http://127.0.0.1:{module_daemon.port}", "apikey": "key", "instance_guid": ZERO})
    assert client.data_mart.get_details()["internal_database"] is True


def test_an_instance_of_ones_own_is_a_data_mart_of_its_own(module_daemon, module_model):
    instance = str(uuid.uuid4())
    client = APIClient4ICP({"url": f"http://127.0.0.1:{module_daemon.port}", "username": "u", "password": "p",
                            "instance_guid": instance})
    client.data_mart.setup(internal_db=True)
    client.data_mart.bindings.add("engine", CustomMachineLearningInstance({"url": module_model.url}))
    [provider] = Client(module_daemon.url, instance).get("/v2/service_providers")["service_providers"]
    assert provider["entity"]["name"] == "engine"
    client.data_mart.delete()
