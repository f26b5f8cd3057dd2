# SPDX-License-Identifier: Apache-2.0
"""Subscriptions: filters, unknown members, JSON Patch, and deletes that clean up."""
import json
import re

import pytest
from support.client import Watched, wait_for
from support.images import blocks

URL = "http://127.0.0.1:9/ml/v4/deployments/{}/predictions"


@pytest.fixture
def provider_id(api):
    return api.add_provider()


def ids(answer):
    return [r["metadata"]["id"] for r in answer["subscriptions"]]


def test_a_subscription_is_active_and_has_its_payload_data_set(api, provider_id):
    made = api.post("/v2/subscriptions", api.subscription_body(provider_id, URL.format("d1")))
    subscription_id = made["metadata"]["id"]
    assert made["entity"]["status"] == {"state": "active"}
    assert api.get(f"/v2/subscriptions/{subscription_id}") == made
    [data_set] = api.get("/v2/data_sets", **{"target.target_id": subscription_id})["data_sets"]
    assert data_set["entity"]["type"] == "payload_logging"
    assert data_set["entity"]["target"] == {"target_type": "subscription", "target_id": subscription_id}
    names = {field["name"] for field in data_set["entity"]["data_schema"]["fields"]}
    assert {"scoring_id", "scoring_timestamp", "prediction", "probability", "scoring_input"} <= names


def test_unknown_members_are_kept_and_returned(api, provider_id):
    body = api.subscription_body(provider_id, URL.format("d1"), risk_evaluation_status={"state": "not_started"},
                                 analytics_engine={"type": "spark"}, data_sources=[], something={"new": [1, 2.5, None]})
    body["asset_properties"]["labels"] = ["cat", "dog"]
    body["deployment"]["scoring_endpoint"]["more"] = {"X-A": "b"}
    made = api.post("/v2/subscriptions", body)["entity"]
    del made["status"]
    assert made == body


def test_numbers_come_back_with_the_digits_they_need(api, provider_id):
    numbers = "[0.7,0.1,1e-7,123456.789,5e22,0.30000000000000004,0.6629015803337097,1.0,17,-2.5e-300]"
    texts = ["0.69999999999999996", 'a "0.10000000000000001" b']
    numbered = {"0.69999999999999996": 0}
    body = api.subscription_body(provider_id, URL.format("d1"), numbers=json.loads(numbers), texts=texts, numbered=numbered)
    made = api.request("POST", "/v2/subscriptions", json=body)
    entity = made.json()["entity"]
    assert entity["numbers"] == json.loads(numbers) and entity["texts"] == texts and entity["numbered"] == numbered
    kept = api.request("GET", f"/v2/subscriptions/{made.json()['metadata']['id']}")
    for answer in made, kept:
        text = re.search(r'"numbers":(\[[^]]*\])', answer.text)[1]
        assert text == numbers.replace("1e-7", "1e-07").replace("5e22", "5e+22")


@pytest.mark.parametrize("name", ["service_provider_id", "asset.asset_id", "asset.asset_type",
                                  "deployment.deployment_id", "deployment.deployment_type"])
def test_lists_are_filtered(api, provider_id, name):
    first = api.subscription_body(provider_id, URL.format("d1"), deployment_id="d1")
    second = api.subscription_body(api.add_provider(name="other"), URL.format("d2"), deployment_id="d2")
    second["asset"]["asset_type"] = "function"
    second["deployment"]["deployment_type"] = "batch"
    a, b = (api.post("/v2/subscriptions", body)["metadata"]["id"] for body in (first, second))
    x, y = (body[name] if "." not in name else body[name.split(".")[0]][name.split(".")[1]] for body in (first, second))
    assert ids(api.get("/v2/subscriptions")) == [a, b]
    assert ids(api.get("/v2/subscriptions", **{name: x})) == [a]
    assert ids(api.get("/v2/subscriptions", **{name: f"{x},{y}"})) == [a, b]
    assert ids(api.get("/v2/subscriptions", **{name: "neither"})) == []
    assert ids(api.get("/v2/subscriptions", data_mart_id=api.instance)) == [a, b]
    assert ids(api.get("/v2/subscriptions", data_mart_id="11111111-1111-1111-1111-111111111111")) == []


@pytest.mark.parametrize("path, value, field", [
    ("/asset/problem_type", "multiclass", ("asset", "problem_type")),
    ("/asset_properties/probability_fields", ["p"], ("asset_properties", "probability_fields")),
    ("/deployment/scoring_endpoint/url", "https://models.example/", ("deployment", "scoring_endpoint", "url")),
])
def test_properties_can_be_patched(api, provider_id, path, value, field):
    subscription_id = api.add_subscription(provider_id)
    operation = {"op": "replace", "path": path, "value": value}
    entity = api.patch(f"/v2/subscriptions/{subscription_id}", [operation])["entity"]
    for part in field:
        entity = entity[part]
    assert entity == value


@pytest.mark.parametrize("path", ["/data_mart_id", "/service_provider_id", "/status", "/status/state"])
def test_ids_and_status_are_read_only(api, provider_id, path):
    subscription_id = api.add_subscription(provider_id)
    error = api.refused("PATCH", f"/v2/subscriptions/{subscription_id}", 400,
                        json=[{"op": "replace", "path": path, "value": "x"}])
    assert "read-only" in error["message"] and error["parameters"] == ["[0]"]


def test_secrets_of_the_scoring_endpoint_are_never_returned(api, provider_id):
    body = api.subscription_body(provider_id, URL.format("d1"))
    body["deployment"]["scoring_endpoint"]["credentials"] = {"username": "u", "password": "hush-hush"}
    made = api.post("/v2/subscriptions", body)
    assert "hush-hush" not in str(made)
    assert set(made["entity"]["deployment"]["scoring_endpoint"]["credentials"]) == {"secret_id"}
    changed = api.patch(f"/v2/subscriptions/{made['metadata']['id']}",
                        [{"op": "replace", "path": "/asset/name", "value": "n"}])
    assert "hush-hush" not in str(changed) and "sealed" not in str(changed)


def test_schemas_are_a_clear_error_for_images(api, provider_id):
    subscription_id = api.add_subscription(provider_id)
    error = api.refused("POST", f"/v2/subscriptions/{subscription_id}/schemas", 400, json={})
    assert "structured" in error["message"]
    api.refused("POST", "/v2/subscriptions/none/schemas", 404, json={})


def test_an_empty_subscription_is_deleted_with_all_that_came_with_it(api, provider_id):
    subscription_id = api.add_subscription(provider_id)
    data_set_id = api.data_set_of(subscription_id)
    monitor_id = api.enable_explanations(subscription_id)
    api.delete(f"/v2/subscriptions/{subscription_id}")
    assert subscription_id not in str(api.get("/v2/subscriptions"))
    assert api.get("/v2/data_sets")["data_sets"] == []
    assert api.get("/v2/monitor_instances")["monitor_instances"] == []
    api.refused("GET", f"/v2/subscriptions/{subscription_id}", 404)
    api.refused("GET", f"/v2/data_sets/{data_set_id}", 404)
    api.refused("GET", f"/v2/monitor_instances/{monitor_id}", 404)


def test_a_subscription_with_records_is_deleted_with_force_only(watched):
    api = watched.client
    scoring_ids = watched.log(blocks(), scoring_id="t-1")
    [task_id] = watched.explain(*scoring_ids)
    wait_for(api, task_id)
    error = api.refused("DELETE", f"/v2/subscriptions/{watched.subscription_id}", 409)
    assert "records" in error["message"] and "force" in error["message"]
    assert watched.count() == 1
    api.delete(f"/v2/subscriptions/{watched.subscription_id}", force="true")
    api.refused("GET", f"/v2/data_sets/{watched.data_set_id}", 404)
    api.refused("GET", watched.records_path, 404)
    api.refused("GET", f"/v2/explanation_tasks/{task_id}", 404)
    api.refused("GET", f"/v2/explanation_tasks/{task_id}/attributions", 404)
    api.refused("GET", "/v2/transactions/t", 404)
    assert api.get("/v2/explanation_tasks")["total_count"] == 0
    assert api.get("/v2/monitor_instances")["monitor_instances"] == []


def test_deleting_a_subscription_stops_its_explanations(api, model):
    watched = Watched(api, model)
    model.hold()
    [task_id] = watched.explain(*watched.log(blocks()))
    assert model.asked.wait(30)
    api.delete(f"/v2/subscriptions/{watched.subscription_id}", force="true")
    model.release()
    api.refused("GET", f"/v2/explanation_tasks/{task_id}", 404)
    other = Watched(api, model, deployment_id="d1")
    other.explained(blocks())


def test_after_the_first_payload_the_output_schema_is_there(watched):
    watched.log(blocks())
    entity = watched.client.get(f"/v2/subscriptions/{watched.subscription_id}")["entity"]
    schema = entity["asset_properties"]["output_data_schema"]
    roles = {field["name"]: field["metadata"].get("modeling_role") for field in schema["fields"]}
    assert schema["type"] == "struct"
    assert roles["scoring_id"] == "record-id" and roles["probability"] == "probability"
    nullable = {field["name"] for field in schema["fields"] if field["nullable"]}
    assert nullable == {"prediction_probability", "prediction", "probability", "asset_revision"}
    [key] = [field for field in schema["fields"] if field["metadata"].get("primary_key")]
    assert key["name"] == "scoring_id" and key["metadata"]["columnInfo"] == {"columnLength": 256}


# ---- credentials of the scoring endpoint ----

TOKEN = "a-token-nobody-may-see"


def with_token(api, credentials):
    """A subscription whose scoring endpoint has credentials of its own."""
    body = api.subscription_body(api.add_provider(), "http://127.0.0.1:9/ml/v4/deployments/d1/predictions")
    body["deployment"]["scoring_endpoint"]["credentials"] = credentials
    return api.post("/v2/subscriptions", body)["metadata"]["id"]


def test_a_scoring_token_cannot_be_read_through_a_patch(api):
    path = f"/v2/subscriptions/{with_token(api, {'token': TOKEN})}"
    for source in ("/deployment/scoring_endpoint/credentials/token", "/deployment/scoring_endpoint", "/deployment"):
        api.refused("PATCH", path, 400, json=[{"op": "copy", "from": source, "path": "/leak"}])
    assert TOKEN not in str(api.get(path))


def test_a_scoring_token_does_not_follow_to_another_server(api):
    path = f"/v2/subscriptions/{with_token(api, {'token': TOKEN})}"
    move = {"op": "replace", "path": "/deployment/scoring_endpoint/url", "value": "http://127.0.0.2:9/predictions"}
    error = api.refused("PATCH", path, 400, json=[move])
    assert error["parameters"] == ["deployment/scoring_endpoint/url"]
    api.patch(path, [move, {"op": "replace", "path": "/deployment/scoring_endpoint/credentials",
                            "value": {"token": "another"}}])


NO_ADDRESSES = {"http://user:geheim@127.0.0.1:9/x": "user and password", "https://user@127.0.0.1/": "user and password",
                "http://127.0.0.1:9/a b": "called", "http://": "called", "http://127.0.0.1:99999/": "called",
                "127.0.0.1:9": "must start with", "file:///etc/passwd": "must start with"}


@pytest.mark.parametrize("url", NO_ADDRESSES)
def test_an_address_that_cannot_be_called_or_holds_a_password_is_refused(api, url):
    body = api.subscription_body(api.add_provider(), url)
    error = api.refused("POST", "/v2/subscriptions", 400, json=body)
    assert error["parameters"] == ["deployment.scoring_endpoint.url"] and NO_ADDRESSES[url] in error["message"]
    assert "geheim" not in error["message"] and api.get("/v2/subscriptions")["subscriptions"] == []
    error = api.refused("POST", "/v2/service_providers", 400, json={
        "name": "p", "service_type": "custom_machine_learning", "credentials": {"url": url}})
    assert error["parameters"] == ["credentials.url"] and NO_ADDRESSES[url] in error["message"]


def test_null_credentials_are_none(api):
    subscription = api.get(f"/v2/subscriptions/{with_token(api, None)}")
    assert "credentials" not in subscription["entity"]["deployment"]["scoring_endpoint"]


def test_credentials_that_nobody_uses_are_not_kept(api, daemon):
    secret = "a-password-of-a-database"
    source = {"type": "training", "connection": {"type": "db2"}, "credentials": {"hostname": "db", "password": secret}}
    body = api.subscription_body(api.add_provider(), "http://127.0.0.1:9/ml/v4/deployments/d1/predictions",
                                 data_sources=[source], analytics_engine={"type": "spark", "credentials": {"apikey": secret}})
    body["asset_properties"]["training_data_reference"] = {"credentials": {"password": secret}}
    made = api.post("/v2/subscriptions", body)
    path = f"/v2/subscriptions/{made['metadata']['id']}"
    [kept] = made["entity"]["data_sources"]
    assert set(kept["credentials"]) == {"secret_id"} and kept["connection"] == {"type": "db2"}
    again = api.patch(path, [{"op": "add", "path": "/data_sources/-", "value": source},
                             {"op": "add", "path": "/asset/name", "value": "renamed"}])
    assert [set(s["credentials"]) for s in again["entity"]["data_sources"]] == [{"secret_id"}] * 2
    assert again["entity"]["data_sources"][0] == kept
    assert all(secret not in str(answer) for answer in (made, again, api.get(path)))
    stored = b"".join(p.read_bytes() for p in (daemon.directory / "data").iterdir() if p.is_file())
    assert secret.encode() not in stored
