# SPDX-License-Identifier: Apache-2.0
"""Data marts: each instance has one from the start."""
from support.client import Client


def test_the_data_mart_of_an_instance_exists_from_the_first_look(api):
    [mart] = api.get("/v2/data_marts")["data_marts"]
    assert mart["metadata"]["id"] == api.instance
    assert mart["entity"]["status"]["state"] == "active" and mart["entity"]["internal_database"] is True
    assert api.get(f"/v2/data_marts/{api.instance}") == mart


def test_a_second_data_mart_is_refused_as_the_original_does(api):
    error = api.refused("POST", "/v2/data_marts", 409, json={"name": "dm", "internal_database": True})
    assert error["code"] == "AISCS0004W"
    assert error["message"] == "Data Mart with this id is already defined"


def test_a_wrong_member_is_named_before_the_conflict(api):
    error = api.refused("POST", "/v2/data_marts", 400, json={"internal_database": "yes"})
    assert error["parameters"] == ["internal_database"]


def test_name_and_description_can_be_patched(api):
    api.get("/v2/data_marts")
    changed = api.patch(f"/v2/data_marts/{api.instance}", [{"op": "replace", "path": "/name", "value": "mine"}])
    assert changed["entity"]["name"] == "mine" and changed["metadata"]["modified_at"]
    assert api.get(f"/v2/data_marts/{api.instance}")["entity"]["name"] == "mine"


def test_the_status_cannot_be_patched(api):
    api.get("/v2/data_marts")
    error = api.refused("PATCH", f"/v2/data_marts/{api.instance}", 400,
                        json=[{"op": "replace", "path": "/status/state", "value": "error"}])
    assert "read-only" in error["message"]


def test_another_data_mart_is_404(api):
    api.refused("GET", "/v2/data_marts/11111111-1111-1111-1111-111111111111", 404)


def test_a_data_mart_in_use_is_deleted_with_force_only(api):
    subscription_id = api.add_subscription(api.add_provider())
    api.post("/v2/data_sets", {"data_mart_id": api.instance, "name": "of the instance", "type": "custom",
                               "target": {"target_type": "instance", "target_id": api.instance}})
    error = api.refused("DELETE", f"/v2/data_marts/{api.instance}", 409)
    assert "force" in error["message"]
    api.get(f"/v2/subscriptions/{subscription_id}")
    api.delete(f"/v2/data_marts/{api.instance}", force="true")
    assert api.get("/v2/subscriptions")["subscriptions"] == []
    assert api.get("/v2/service_providers")["service_providers"] == []
    assert api.get("/v2/data_sets")["data_sets"] == []
    assert api.get("/v2/monitor_instances")["monitor_instances"] == []
    assert api.get("/v2/data_marts")["data_marts"] == []


def test_a_deleted_data_mart_is_gone_until_it_is_made_again(api):
    path = f"/v2/data_marts/{api.instance}"
    api.get(path)
    api.delete(path)
    assert api.get("/v2/data_marts")["data_marts"] == []
    api.refused("GET", path, 404)
    api.refused("PATCH", path, 404, json=[{"op": "add", "path": "/name", "value": "x"}])
    api.refused("DELETE", path, 404)
    made = api.post("/v2/data_marts", {"name": "again", "description": "of mine", "internal_database": True})
    assert made["metadata"]["id"] == api.instance and made["entity"]["status"]["state"] == "active"
    assert made["entity"]["name"] == "again" and made["entity"]["internal_database"] is True
    assert api.get("/v2/data_marts")["data_marts"] == [made] and api.get(path) == made
    api.refused("POST", "/v2/data_marts", 409, json={"name": "a second one"})


def test_an_instance_is_the_same_in_upper_case(api, model):
    provider_id = api.add_provider(model.url)
    upper = Client(api.url, api.instance.upper())
    assert [r["metadata"]["id"] for r in upper.get("/v2/service_providers")["service_providers"]] == [provider_id]
    subscription_id = upper.add_subscription(provider_id)
    upper.enable_explanations(subscription_id)
    upper.post("/v2/data_sets", {"data_mart_id": upper.instance, "name": "f", "type": "feedback",
                                 "target": {"target_type": "subscription", "target_id": subscription_id}})
    assert api.get(f"/v2/subscriptions/{subscription_id}")["entity"]["data_mart_id"] == api.instance
    assert len(api.get("/v2/subscriptions", data_mart_id=upper.instance)["subscriptions"]) == 1
    assert upper.get(f"/v2/data_marts/{upper.instance}")["metadata"]["id"] == api.instance
    path = f"{api.url}/v1/ml_instances/{provider_id}/deployments"
    assert api.get(path, datamart_id=upper.instance)["count"] == 0
