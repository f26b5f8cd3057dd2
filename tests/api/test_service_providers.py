# SPDX-License-Identifier: Apache-2.0
"""Service providers: filters, secrets, JSON Patch, deletes, and the deployments behind them."""
import pytest
from support.model import deployment

SECRET = "a-very-secret-password"


def body(**more):
    return {"name": "p", "service_type": "custom_machine_learning",
            "credentials": {"url": "http://127.0.0.1:9", "username": "u", "password": SECRET}, **more}


def ids(answer):
    return [r["metadata"]["id"] for r in answer["service_providers"]]


def test_a_provider_is_active_when_it_was_made(api):
    made = api.post("/v2/service_providers", body(description="of mine"))
    assert made["entity"]["status"] == {"state": "active"}
    assert made["metadata"]["url"] == f"/v2/service_providers/{made['metadata']['id']}"
    assert f":{api.instance}:service_provider:" in made["metadata"]["crn"]
    assert api.get(f"/v2/service_providers/{made['metadata']['id']}") == made


def test_secrets_are_never_returned(api, daemon):
    made = api.post("/v2/service_providers", body())
    provider_id = made["metadata"]["id"]
    answers = [made, api.get("/v2/service_providers"), api.get(f"/v2/service_providers/{provider_id}"),
               api.patch(f"/v2/service_providers/{provider_id}", [{"op": "replace", "path": "/name", "value": "q"}])]
    assert all(SECRET not in str(answer) for answer in answers)
    assert set(made["entity"]["credentials"]) == {"secret_id"}
    stored = b"".join(p.read_bytes() for p in (daemon.directory / "data").iterdir() if p.is_file())
    assert SECRET.encode() not in stored and SECRET not in daemon.stderr()


def test_unknown_members_are_kept_and_returned(api):
    made = api.post("/v2/service_providers", body(group_ids=["a"], extra={"deep": [1, None]}))
    kept = api.get(f"/v2/service_providers/{made['metadata']['id']}")["entity"]
    assert kept["group_ids"] == ["a"] and kept["extra"] == {"deep": [1, None]}


@pytest.mark.parametrize("name, first, second", [
    ("name", "one", "two"),
    ("service_type", "custom_machine_learning", "watson_machine_learning"),
    ("instance_id", "i1", "i2"),
    ("operational_space_id", "pre_production", "production"),
    ("deployment_space_id", "s1", "s2"),
])
def test_lists_are_filtered(api, name, first, second):
    a = api.post("/v2/service_providers", body(**{name: first}))["metadata"]["id"]
    b = api.post("/v2/service_providers", body(**{name: second}))["metadata"]["id"]
    assert ids(api.get("/v2/service_providers")) == [a, b]
    assert ids(api.get("/v2/service_providers", **{name: first})) == [a]
    assert ids(api.get("/v2/service_providers", **{name: f"{first},{second}"})) == [a, b]
    assert ids(api.get("/v2/service_providers", **{name: "neither"})) == []


def test_parameters_of_the_original_are_accepted_and_ignored(api):
    provider_id = api.add_provider()
    assert ids(api.get("/v2/service_providers", project_id="x", space_id="y", show_deleted="false")) == [provider_id]


def test_a_patch_changes_and_is_remembered(api):
    provider_id = api.add_provider()
    changed = api.patch(f"/v2/service_providers/{provider_id}", [
        {"op": "test", "path": "/name", "value": "models"},
        {"op": "replace", "path": "/name", "value": "renamed"},
        {"op": "add", "path": "/tags", "value": ["x"]},
        {"op": "add", "path": "/tags/-", "value": "y"},
        {"op": "copy", "from": "/tags/0", "path": "/first_tag"},
        {"op": "remove", "path": "/tags/0"},
        {"op": "move", "from": "/first_tag", "path": "/moved"},
    ])
    assert changed["entity"]["name"] == "renamed"
    assert changed["entity"]["tags"] == ["y"] and changed["entity"]["moved"] == "x"
    assert changed["metadata"]["modified_at"] >= changed["metadata"]["created_at"]
    assert api.get(f"/v2/service_providers/{provider_id}") == changed
    assert ids(api.get("/v2/service_providers", name="renamed")) == [provider_id]


def test_a_patch_of_json_patch_media_type_is_accepted(api):
    path, headers = f"/v2/service_providers/{api.add_provider()}", {"Content-Type": "application/json-patch+json"}
    changed = api.request("PATCH", path, headers=headers, data='[{"op":"add","path":"/description","value":"d"}]')
    assert changed.json()["entity"]["description"] == "d"
    api.request("PATCH", path, 400, headers=headers, data='[{"op":"remove","path":"/nothing"}]')


def test_a_patch_that_fails_changes_nothing(api):
    provider_id = api.add_provider()
    before = api.get(f"/v2/service_providers/{provider_id}")
    error = api.refused("PATCH", f"/v2/service_providers/{provider_id}", 400, json=[
        {"op": "replace", "path": "/name", "value": "renamed"}, {"op": "test", "path": "/name", "value": "other"}])
    assert error["parameters"] == ["[1]"]
    assert api.get(f"/v2/service_providers/{provider_id}") == before


def test_a_patch_must_leave_a_valid_provider(api):
    provider_id = api.add_provider()
    error = api.refused("PATCH", f"/v2/service_providers/{provider_id}", 400,
                        json=[{"op": "replace", "path": "/service_type", "value": "mine"}])
    assert error["parameters"] == ["service_type"] and "custom_machine_learning" in error["message"]


def test_new_credentials_can_be_patched_in(api, model):
    provider_id = api.add_provider()
    model.deployments = [deployment(model.url, "d1")]
    changed = api.patch(f"/v2/service_providers/{provider_id}",
                        [{"op": "replace", "path": "/credentials", "value": {"url": model.url, "username": "u", "password": SECRET}}])
    assert SECRET not in str(changed)
    assert api.get(f"/v1/ml_instances/{provider_id}/deployments")["count"] == 1


def test_a_deleted_provider_is_gone_from_the_list(api):
    provider_id = api.add_provider()
    api.delete(f"/v2/service_providers/{provider_id}")
    assert provider_id not in str(api.get("/v2/service_providers"))
    api.refused("GET", f"/v2/service_providers/{provider_id}", 404)
    api.refused("DELETE", f"/v2/service_providers/{provider_id}", 404)


def test_a_provider_with_subscriptions_is_deleted_with_force_only(api):
    provider_id = api.add_provider()
    subscription_id = api.add_subscription(provider_id)
    error = api.refused("DELETE", f"/v2/service_providers/{provider_id}", 409)
    assert "1 subscription" in error["message"] and "force" in error["message"]
    api.delete(f"/v2/service_providers/{provider_id}", force="true")
    api.refused("GET", f"/v2/subscriptions/{subscription_id}", 404)


# ---- discovery ----

def test_deployments_come_from_the_engine_itself(api, model):
    provider_id = api.add_provider(model.url)
    model.deployments = [deployment(model.url, "d1"), deployment(model.url, "d2")]
    listed = api.get("/v2/ml_deployments", service_provider_id=provider_id, limit=100, service_type="", space_id="")
    assert [r["metadata"]["guid"] for r in listed["resources"]] == ["d1", "d2"] and listed["count"] == 2
    assert listed["resources"][0] == model.deployments[0]
    assert api.get(f"/v1/ml_instances/{provider_id}/deployments", datamart_id=api.instance, limit=1000) == listed


def test_one_deployment_is_found_by_its_guid(api, model):
    provider_id = api.add_provider(model.url)
    model.deployments = [deployment(model.url, "d1"), deployment(model.url, "d2")]
    assert api.get("/v2/ml_deployments/d2", service_provider_id=provider_id) == model.deployments[1]
    api.refused("GET", "/v2/ml_deployments/d3", 404, params={"service_provider_id": provider_id})


def test_deployments_without_a_provider_are_refused(api):
    error = api.refused("GET", "/v2/ml_deployments", 400)
    assert error["parameters"] == ["service_provider_id"]
    api.refused("GET", "/v2/ml_deployments", 404, params={"service_provider_id": "none"})
    api.refused("GET", "/v1/ml_instances/none/deployments", 404)


def test_an_engine_that_cannot_be_reached_is_502(api):
    provider_id = api.add_provider("http://127.0.0.1:9")
    error = api.refused("GET", f"/v1/ml_instances/{provider_id}/deployments", 502)
    assert error["code"].startswith("AIQES") and "127.0.0.1" not in error["message"]


def test_a_provider_without_an_address_says_so(api):
    provider_id = api.post("/v2/service_providers", body(credentials={}))["metadata"]["id"]
    error = api.refused("GET", f"/v1/ml_instances/{provider_id}/deployments", 400)
    assert error["parameters"] == ["credentials.url"]


# ---- credentials under a patch ----

KEPT = {"url": "http://127.0.0.1:9", "username": "user", "password": SECRET}


@pytest.mark.parametrize("operation", [
    {"op": "copy", "from": "/credentials/password", "path": "/description"},
    {"op": "copy", "from": "/credentials", "path": "/mine"},
    {"op": "move", "from": "/credentials/password", "path": "/description"},
    {"op": "copy", "from": "", "path": "/everything"},
    {"op": "test", "path": "/credentials/password", "value": SECRET},
    {"op": "test", "path": "/credentials", "value": KEPT},
    {"op": "test", "path": "", "value": {}},
])
def test_credentials_cannot_be_read_through_a_patch(api, operation):
    provider_id = api.add_provider(credentials=KEPT)
    error = api.refused("PATCH", f"/v2/service_providers/{provider_id}", 400, json=[operation])
    assert "credentials can be written, but not copied or compared" in error["message"]
    assert SECRET not in str(api.get(f"/v2/service_providers/{provider_id}"))


def test_credentials_do_not_follow_to_another_server(api, model):
    provider_id = api.add_provider(credentials=KEPT)
    move = {"op": "replace", "path": "/credentials/url", "value": model.url}
    error = api.refused("PATCH", f"/v2/service_providers/{provider_id}", 400, json=[move])
    assert error["parameters"] == ["credentials/url"] and "send them again" in error["message"]
    api.refused("PATCH", f"/v2/service_providers/{provider_id}", 400,
                json=[{"op": "replace", "path": "/credentials/url", "value": "https://127.0.0.1:9"}])
    path = {"op": "replace", "path": "/credentials/url", "value": "http://127.0.0.1:9/engine"}
    api.patch(f"/v2/service_providers/{provider_id}", [path])
    part = {"op": "add", "path": "/credentials/password", "value": SECRET}  # the user name would follow
    api.refused("PATCH", f"/v2/service_providers/{provider_id}", 400, json=[move, part])
    other = {"op": "add", "path": "/credentials/other", "value": "x"}
    api.refused("PATCH", f"/v2/service_providers/{provider_id}", 400, json=[move, other])
    whole = {"op": "replace", "path": "/credentials", "value": {**KEPT, "url": model.url}}
    api.patch(f"/v2/service_providers/{provider_id}", [whole])


def test_request_headers_do_not_follow_to_another_server(api, model):
    path = f"/v2/service_providers/{api.add_provider(request_headers={'Authorization': SECRET})}"
    move = {"op": "replace", "path": "/credentials/url", "value": model.url}
    api.refused("PATCH", path, 400, json=[move])
    api.refused("PATCH", path, 400, json=[{"op": "copy", "from": "/request_headers", "path": "/shown"}])
    api.patch(path, [move, {"op": "replace", "path": "/request_headers", "value": {"Authorization": "new"}}])


def test_an_address_without_credentials_may_move(api, model):
    provider_id = api.add_provider()
    api.patch(f"/v2/service_providers/{provider_id}",
              [{"op": "replace", "path": "/credentials/url", "value": model.url}])


def test_a_deployment_of_a_wml_has_what_clients_of_the_original_read(api, model):
    model.deployments = [{"metadata": {"id": "d1", "name": "cats", "created_at": "2024-03-21T11:42:20.499Z"},
                          "entity": {"name": "cats", "asset": {"id": "a1"}, "online": {}, "status": {
                              "online_url": {"url": f"{model.url}/ml/v4/deployments/d1/predictions"}}}}]
    provider_id = api.add_provider(f"{model.url}/", service_type="watson_machine_learning")
    found = api.get("/v2/ml_deployments/d1", service_provider_id=provider_id, space_id="s")
    assert found["metadata"]["modified_at"] == "2024-03-21T11:42:20.499Z"
    assert found["entity"]["asset"]["url"] == f"{model.url}/ml/v4/models/a1"
    assert found["entity"]["asset"]["name"] == "cats" and found["entity"]["asset_properties"] == {}
    assert found["entity"]["scoring_endpoint"]["url"] == f"{model.url}/ml/v4/deployments/d1/predictions"


# ---- patches that grow ----

def copies_of_copies(n):
    """Each operation doubles /tree."""
    return [{"op": "add", "path": "/tree", "value": {"leaf": "x" * 100}},
            *({"op": "copy", "from": "/tree", "path": f"/tree/{i}"} for i in range(n))]


def test_copies_of_copies_are_bounded(api):
    path = f"/v2/service_providers/{api.add_provider()}"
    api.patch(path, copies_of_copies(8))
    error = api.refused("PATCH", path, 413, json=copies_of_copies(60))
    assert "256 KiB" in error["message"]
    assert len(api.get(path)["entity"]["tree"]) == 9


def test_an_entity_does_not_grow_without_bound(api):
    path = f"/v2/service_providers/{api.add_provider()}"
    for i in range(4):
        api.patch(path, [{"op": "add", "path": f"/more{i}", "value": "x" * 60000}])
    error = api.refused("PATCH", path, 413, json=[{"op": "add", "path": "/more4", "value": "x" * 60000}])
    assert "256 KiB" in error["message"]
    nested = [{"op": "add", "path": "/a", "value": {}}] + [{"op": "add", "path": "/a" * n, "value": {}} for n in range(2, 33)]
    assert "32 levels" in api.refused("PATCH", path, 413, json=nested)["message"]
    api.patch(path, [{"op": "remove", "path": "/more0"}, *nested[:30]])
