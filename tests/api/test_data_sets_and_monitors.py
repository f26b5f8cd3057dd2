# SPDX-License-Identifier: Apache-2.0
"""Data sets, monitor definitions and monitor instances."""
import pytest
from support.client import Watched, wait_for
from support.images import blocks


@pytest.fixture
def subscription_id(api):
    return api.add_subscription(api.add_provider())


def data_set(api, subscription_id, **more):
    return {"data_mart_id": api.instance, "name": "mine", "type": "feedback",
            "target": {"target_type": "subscription", "target_id": subscription_id}, **more}


def instance(api, subscription_id, definition="explainability", **more):
    return {"data_mart_id": api.instance, "monitor_definition_id": definition,
            "target": {"target_type": "subscription", "target_id": subscription_id}, **more}


# ---- data sets ----

def test_a_data_set_of_the_clients_own_is_kept(api, subscription_id):
    made = api.post("/v2/data_sets", data_set(api, subscription_id, managed_by="me", extra=1))
    assert made["entity"]["extra"] == 1 and made["entity"]["status"]["state"] == "active"
    assert api.get(f"/v2/data_sets/{made['metadata']['id']}") == made


@pytest.mark.parametrize("filters, expected", [
    ({}, ["payload logging", "mine"]),
    ({"type": "feedback"}, ["mine"]),
    ({"type": "payload_logging,feedback"}, ["payload logging", "mine"]),
    ({"target.target_type": "subscription"}, ["payload logging", "mine"]),
    ({"target.target_id": "none"}, []),
    ({"managed_by": "me"}, ["mine"]),
    ({"managed_by": "me", "type": "payload_logging"}, []),
])
def test_data_sets_are_filtered(api, subscription_id, filters, expected):
    api.post("/v2/data_sets", data_set(api, subscription_id, managed_by="me"))
    names = [d["entity"]["name"] for d in api.get("/v2/data_sets", **filters)["data_sets"]]
    assert names == expected


def test_a_data_set_is_patched_and_its_target_is_not(api, subscription_id):
    data_set_id = api.data_set_of(subscription_id)
    changed = api.patch(f"/v2/data_sets/{data_set_id}", [{"op": "add", "path": "/description", "value": "d"}])
    assert changed["entity"]["description"] == "d"
    for path in ("/target/target_id", "/type", "/data_mart_id", "/status"):
        api.refused("PATCH", f"/v2/data_sets/{data_set_id}", 400, json=[{"op": "replace", "path": path, "value": "x"}])


def test_a_data_set_with_records_is_deleted_with_force_only(watched):
    api = watched.client
    [scoring_id] = watched.log(blocks())
    assert "1 record" in api.refused("DELETE", f"/v2/data_sets/{watched.data_set_id}", 409)["message"]
    api.delete(f"/v2/data_sets/{watched.data_set_id}", force="true")
    api.refused("GET", f"/v2/data_sets/{watched.data_set_id}", 404)
    watched.client.refused("POST", "/v2/explanation_tasks", 404, json={"scoring_ids": [scoring_id]})


def test_records_go_into_payload_data_sets_only(api, subscription_id):
    feedback = api.post("/v2/data_sets", data_set(api, subscription_id))["metadata"]["id"]
    error = api.refused("POST", f"/v2/data_sets/{feedback}/records", 400, json=[{"request": {}, "response": {}}])
    assert "payload_logging" in error["message"]


# ---- monitors ----

def test_the_definitions_that_clients_take_for_granted_are_there(api):
    definitions = api.get("/v2/monitor_definitions")["monitor_definitions"]
    assert {d["metadata"]["id"]: d["entity"]["name"] for d in definitions} == {
        "explainability": "Explainability", "fairness": "Fairness", "performance": "Performance"}
    for definition in definitions:
        assert api.get(f"/v2/monitor_definitions/{definition['metadata']['id']}") == definition
    api.refused("GET", "/v2/monitor_definitions/drift", 404)


def test_an_explainability_instance_tells_its_parameters(api, subscription_id):
    made = api.post("/v2/monitor_instances", instance(api, subscription_id, parameters={"enabled": True}))
    parameters = made["entity"]["parameters"]
    assert parameters["enabled"] is True and parameters["config_modified_at"]
    assert parameters["explanations_count"] == {"failed": 0, "total": 0}
    assert made["entity"]["status"] == {"state": "active"}
    assert api.get(f"/v2/monitor_instances/{made['metadata']['id']}", expand="x") == made


@pytest.mark.parametrize("definition", ["fairness", "performance"])
def test_monitors_that_do_nothing_are_accepted_and_kept(api, subscription_id, definition):
    body = instance(api, subscription_id, definition, parameters={}, managed_by="user")
    made = api.post("/v2/monitor_instances", body)
    assert made["entity"]["monitor_definition_id"] == definition


def test_a_monitor_that_is_not_there_is_404(api, subscription_id):
    error = api.refused("POST", "/v2/monitor_instances", 404, json=instance(api, subscription_id, "model_health"))
    assert error["parameters"] == ["monitor_definition_id"]


def test_a_target_has_one_instance_of_a_definition(api, subscription_id):
    first = api.enable_explanations(subscription_id)
    error = api.refused("POST", "/v2/monitor_instances", 409, json=instance(api, subscription_id))
    assert first in error["message"]
    api.delete(f"/v2/monitor_instances/{first}", force="false")
    api.enable_explanations(subscription_id)


def test_an_instance_needs_an_existing_subscription(api):
    error = api.refused("POST", "/v2/monitor_instances", 400, json=instance(api, "none"))
    assert error["parameters"] == ["target.target_id"]


@pytest.mark.parametrize("filters, expected", [
    ({}, {"explainability", "performance"}),
    ({"monitor_definition_id": "explainability"}, {"explainability"}),
    ({"monitor_definition_id": "explainability,performance"}, {"explainability", "performance"}),
    ({"target.target_id": "none"}, set()),
    ({"target.target_type": "subscription"}, {"explainability", "performance"}),
    ({"data_mart_id": "11111111-1111-1111-1111-111111111111"}, set()),
])
def test_instances_are_filtered(api, subscription_id, filters, expected):
    for definition in ("explainability", "performance"):
        api.post("/v2/monitor_instances", instance(api, subscription_id, definition))
    found = api.get("/v2/monitor_instances", **filters)["monitor_instances"]
    assert {i["entity"]["monitor_definition_id"] for i in found} == expected


def test_parameters_are_patched_and_checked(api, subscription_id):
    monitor_id = api.enable_explanations(subscription_id)
    path = f"/v2/monitor_instances/{monitor_id}"
    changed = api.patch(path, [{"op": "add", "path": "/parameters/lime", "value": {"perturbations_count": 208}}])
    assert changed["entity"]["parameters"]["lime"]["perturbations_count"] == 208
    error = api.refused("PATCH", path, 400, json=[
        {"op": "add", "path": "/parameters/image", "value": {"confidence": 2}}])
    assert error["parameters"] == ["parameters.image.confidence"] and "0.5 to 0.999" in error["message"]
    assert "image" not in api.get(path)["entity"]["parameters"]


def test_online_explanations_have_no_runs_and_no_measurements(api, subscription_id):
    monitor_id = api.enable_explanations(subscription_id)
    path = f"/v2/monitor_instances/{monitor_id}"
    assert api.get(f"{path}/runs") == {"runs": []}
    assert api.get(f"{path}/measurements", start="2024-01-01T00:00:00Z", end="2025-01-01T00:00:00Z", run_id="r") == {
        "measurements": []}
    error = api.refused("POST", f"{path}/runs", 400, json={"triggered_by": "user"})
    assert "explanation_tasks" in error["message"]
    for method, name in (("GET", "runs"), ("POST", "runs"), ("GET", "measurements")):
        api.refused(method, f"/v2/monitor_instances/none/{name}", 404)


def test_a_deleted_instance_is_gone_from_the_list(api, subscription_id):
    monitor_id = api.enable_explanations(subscription_id)
    api.delete(f"/v2/monitor_instances/{monitor_id}", force="false")
    assert monitor_id not in str(api.get("/v2/monitor_instances"))
    api.refused("GET", f"/v2/monitor_instances/{monitor_id}", 404)


# ---- what a data set or a monitor instance must be ----

def test_a_data_set_needs_its_data_mart_and_its_subscription(api, watched):
    target = {"target_type": "subscription", "target_id": "none"}
    assert api.refused("POST", "/v2/data_sets", 404, json=data_set(api, "", target=target))["parameters"] == [
        "target.target_id"]
    other = data_set(api, watched.subscription_id, data_mart_id="11111111-1111-1111-1111-111111111111")
    assert api.refused("POST", "/v2/data_sets", 400, json=other)["parameters"] == ["data_mart_id"]


def test_a_subscription_has_one_payload_data_set(api, watched):
    error = api.refused("POST", "/v2/data_sets", 409, json=data_set(api, watched.subscription_id, type="payload_logging"))
    assert watched.data_set_id in error["message"]


@pytest.mark.parametrize("schema", [{}, {"type": "struct"}, {"fields": []}, {"type": "struct", "fields": {}}])
def test_a_data_schema_has_type_and_fields(api, watched, schema):
    error = api.refused("POST", "/v2/data_sets", 400, json=data_set(api, watched.subscription_id, data_schema=schema))
    assert error["parameters"] == ["data_schema"]


@pytest.mark.parametrize("operation, field", [
    ({"op": "replace", "path": "/parameters", "value": None}, "parameters"),
    ({"op": "replace", "path": "/parameters/enabled", "value": None}, "parameters.enabled"),
])
def test_the_parameters_of_an_instance_are_not_null(watched, operation, field):
    error = watched.client.refused("PATCH", f"/v2/monitor_instances/{watched.monitor_id}", 400, json=[operation])
    assert error["parameters"] == [field]


def test_deleting_a_data_set_stops_the_explanations_of_its_records(api, model):
    watched = Watched(api, model)
    model.hold()
    [task_id] = watched.explain(*watched.log(blocks()))
    assert model.asked.wait(30)
    api.delete(f"/v2/data_sets/{watched.data_set_id}", force="true")
    model.release()
    api.refused("GET", f"/v2/explanation_tasks/{task_id}", 404)
    other = Watched(api, model, deployment_id=watched.deployment_id)
    [next_id] = other.explain(*other.log(blocks(first=1)))
    assert wait_for(api, next_id)["entity"]["status"]["state"] == "finished"


@pytest.mark.parametrize("content_type", ["text/plain", "application/csv", "application/xml", "application/jsonx", "x/y; z=json"])
def test_a_body_that_is_said_to_be_something_else_is_415(watched, content_type):
    for path in ("/v2/subscriptions", watched.records_path):
        watched.client.request("POST", path, 415, data="{}", headers={"Content-Type": content_type})


@pytest.mark.parametrize("content_type", ["application/json", "Application/JSON;charset=utf-8", "text/json",
                                          "application/json-patch+json", "application/x-www-form-urlencoded"])
def test_json_is_accepted_by_all_of_its_names(watched, content_type):
    for path in ("/v2/service_providers", watched.records_path):
        watched.client.request("POST", path, 400, data="{}", headers={"Content-Type": content_type})


def test_a_data_schema_that_is_null_is_an_empty_one(api, watched):
    made = api.post("/v2/data_sets", data_set(api, watched.subscription_id, data_schema=None))
    assert made["entity"]["data_schema"] == {"type": "struct", "fields": []}


def test_the_parameters_of_an_instance_tell_when_they_were_changed(watched):
    path = f"/v2/monitor_instances/{watched.monitor_id}"
    made = watched.client.get(path)["entity"]["parameters"]["config_modified_at"]
    replaced = watched.client.patch(path, [{"op": "replace", "path": "/parameters", "value": {"enabled": True}}])
    assert replaced["entity"]["parameters"]["config_modified_at"] > made
    removed = watched.client.patch(path, [{"op": "remove", "path": "/parameters"}])
    assert removed["entity"]["parameters"]["config_modified_at"] > replaced["entity"]["parameters"]["config_modified_at"]
    assert removed["entity"]["parameters"]["enabled"] is True
    assert watched.client.get(path)["entity"]["parameters"] == removed["entity"]["parameters"]


def test_a_run_that_never_was_is_404(watched):
    runs = f"/v2/monitor_instances/{watched.monitor_id}/runs"
    assert "monitor_run" in watched.client.refused("GET", f"{runs}/1", 404)["message"]
    assert "monitor_instance" in watched.client.refused("GET", "/v2/monitor_instances/none/runs/1", 404)["message"]
