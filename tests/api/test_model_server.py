# SPDX-License-Identifier: Apache-2.0
"""A real ONNX model behind the example model server: found by discovery, logged, explained."""
import contextlib

import numpy
import pytest
from support.client import wait_for
from support.images import as_rgb, grey, pane
from support.paths import MODELS
from support.processes import ModelServer

DIGITS = MODELS / "digits.onnx"
NAMES = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]

pytestmark = pytest.mark.skipif(not DIGITS.exists(), reason=f"{DIGITS} is missing; scripts/setup brings it")


@contextlib.contextmanager
def model_server(directory, *options):
    labels = directory / "labels.txt"
    labels.write_text("\n".join(NAMES))
    server = ModelServer(directory, DIGITS, "--labels", labels, *options)
    try:
        yield server
    finally:
        server.stop()


def subscribe(api, provider_id):
    """As a client does: what discovery says goes into the subscription."""
    [found] = api.get("/v2/ml_deployments", service_provider_id=provider_id)["resources"]
    url = found["entity"]["scoring_endpoint"]["url"]
    body = api.subscription_body(provider_id, url, found["metadata"]["guid"], "multiclass")
    subscription_id = api.post("/v2/subscriptions", body)["metadata"]["id"]
    api.enable_explanations(subscription_id)
    return subscription_id, url


def explain(api, subscription_id, url, request, **arguments):
    response = api.session.post(url, json=request, timeout=60, **arguments)
    response.raise_for_status()
    path = f"/v2/data_sets/{api.data_set_of(subscription_id)}/records"
    [scoring_id] = api.post(path, [{"request": request, "response": response.json()}])["scoring_ids"]
    answer = api.post("/v2/explanation_tasks", {"scoring_ids": [scoring_id]})
    task_id = answer["metadata"]["explanation_task_ids"][0]
    task = wait_for(api, task_id)
    assert task["entity"]["status"]["state"] == "finished", task
    return task, api.get(f"/v2/explanation_tasks/{task_id}/attributions")["entity"]


def check(task, entity, image):
    predictions = task["entity"]["explanations"][0]["predictions"]
    assert len(predictions) == 2
    original = as_rgb(image)
    for prediction in predictions:
        shown = pane(prediction)
        assert shown.shape == original.shape and ((shown == original) | (shown == 0)).all()
    assert entity["image"]["channels"] == 1
    assert 2 <= entity["segmentation"]["count"] <= 16
    assert entity["classes"][0]["probability"] == predictions[0]["probability"]
    assert numpy.isfinite(entity["classes"][0]["weights"]).all()


def test_a_wml_deployment_is_found_logged_and_explained(api, tmp_path):
    image = grey()
    with model_server(tmp_path) as server:
        provider_id = api.add_provider(server.url, service_type="watson_machine_learning")
        subscription_id, url = subscribe(api, provider_id)
        assert url.endswith("/predictions")
        task, entity = explain(api, subscription_id, url, {"input_data": [{"values": [image]}]})
    check(task, entity, image)


def test_a_custom_engine_with_labels_and_a_password_is_explained(api, tmp_path):
    image = grey()
    with model_server(tmp_path, "--user", "ann", "--password", "secret") as server:
        provider_id = api.add_provider(credentials={"url": server.url, "username": "ann", "password": "secret"})
        subscription_id, url = subscribe(api, provider_id)
        task, entity = explain(api, subscription_id, url, {"values": [image]}, auth=("ann", "secret"))
    check(task, entity, image)
    for explained in entity["classes"]:
        assert explained["label"] == sorted(NAMES)[int(explained["value"])]


def test_a_wrong_password_for_the_model_ends_the_task(api, tmp_path):
    image = grey()
    with model_server(tmp_path, "--user", "ann", "--password", "secret") as server:
        provider_id = api.add_provider(credentials={"url": server.url, "username": "ann", "password": "secret"})
        subscription_id, url = subscribe(api, provider_id)
        api.patch(f"/v2/service_providers/{provider_id}", [
            {"op": "replace", "path": "/credentials", "value": {"url": server.url, "username": "ann"}}])
        request = {"values": [image]}
        response = api.session.post(url, json=request, auth=("ann", "secret"), timeout=60).json()
        path = f"/v2/data_sets/{api.data_set_of(subscription_id)}/records"
        [scoring_id] = api.post(path, [{"request": request, "response": response}])["scoring_ids"]
        answer = api.post("/v2/explanation_tasks", {"scoring_ids": [scoring_id]})
        task = wait_for(api, answer["metadata"]["explanation_task_ids"][0])
    assert task["entity"]["status"]["state"] == "error"
    assert "secret" not in str(task) and server.url not in str(task)
