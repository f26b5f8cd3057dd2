# SPDX-License-Identifier: Apache-2.0
"""Secrets: used where they belong, and found nowhere else."""
import base64
import sqlite3
import uuid

import pytest
from support.client import BLACK, Client, wait_for
from support.images import blocks
from support.model import ModelInTest, deployment
from support.users import ZERO, Users, basic


class Canaries:
    """Strings that nobody else writes, and what must not contain them."""

    def __init__(self):
        self.all = {}

    def __call__(self, name) -> str:
        return self.all.setdefault(name, f"canary-{name}-{uuid.uuid4().hex}")

    def found_in(self, data: bytes) -> list[str]:
        def forms(text):
            yield text.encode()
            for shift in range(3):  # as a part of some base64
                encoded = base64.b64encode(b"x" * shift + text.encode())
                yield encoded[4:-4]
        return [name for name, text in self.all.items() if any(form in data for form in forms(text))]


@pytest.fixture
def recorded(start_daemon):
    """A daemon that logs all it can, the operator, and every answer it gave."""
    users, answers = Users(start_daemon(users=True, log__level="debug")), []

    def record(response, **_):
        answers.append(str(response.headers).encode() + response.content)

    users.operator.session.hooks["response"].append(record)
    return users, answers


def files_of(daemon) -> bytes:
    return b"".join(path.read_bytes() for path in daemon.data.iterdir() if path.is_file())


def provider_with_secrets(api, canary, model) -> str:
    return api.add_provider(
        credentials={"url": model.url, "username": canary("username"), "password": canary("password"),
                     "apikey": canary("apikey"), "token": canary("token"), "deep": {"list": [canary("deep")]}},
        request_headers={"X-Provider": canary("provider-header")})


def subscription_with_secrets(api, canary, provider_id, model) -> str:
    body = api.subscription_body(provider_id, f"{model.url}/ml/v4/deployments/d1/predictions")
    body["deployment"]["scoring_endpoint"] |= {"credentials": {"token": canary("scoring-token")},
                                               "request_headers": {"X-Scoring": canary("scoring-header")}}
    return api.post("/v2/subscriptions", body)["metadata"]["id"]


def explain(api, model, subscription_id) -> dict:
    request = {"input_data": [{"values": [blocks()]}]}
    url = f"{model.url}/ml/v4/deployments/d1/predictions"
    response = api.session.post(url, json=request, headers={"Authorization": None}, timeout=30).json()
    path = f"/v2/data_sets/{api.data_set_of(subscription_id)}/records"
    [scoring_id] = api.post(path, [{"request": request, "response": response}])["scoring_ids"]
    tasks = api.post("/v2/explanation_tasks", {"scoring_ids": [scoring_id], "subscription_id": subscription_id})
    return wait_for(api, tasks["metadata"]["explanation_task_ids"][0])


def read_everything(api, provider_id, subscription_id):
    for path in ("service_providers", "subscriptions", "data_sets", "monitor_instances", "data_marts", "users",
                 "explanation_tasks", f"service_providers/{provider_id}", f"subscriptions/{subscription_id}"):
        api.get(f"/v2/{path}")
    api.get("/v2/ml_deployments", service_provider_id=provider_id)


def be_refused(api, canary, provider_id, subscription_id):
    """Whatever is told about a refusal, it does not repeat the secret."""
    path = f"/v2/service_providers/{provider_id}"
    secret = {"password": canary("refused"), "url": "ftp://x"}
    api.refused("POST", "/v2/service_providers", 400, json={
        "name": "x", "service_type": "custom_machine_learning", "credentials": secret})
    api.refused("POST", "/v2/service_providers", 400, json={
        "name": "x", "service_type": "custom_machine_learning", "credentials": canary("refused-text")})
    api.refused("PATCH", path, 400, json=[{"op": "replace", "path": "/credentials/none", "value": canary("patch")}])
    api.refused("PATCH", path, 400, json=[{"op": "copy", "from": "/credentials", "path": "/shown"}])
    api.refused("PATCH", f"/v2/subscriptions/{subscription_id}", 400, json=[
        {"op": "move", "from": "/deployment/scoring_endpoint", "path": "/shown"}])
    api.refused("POST", "/v2/users", 400, json={"name": "a b", "password": canary("user"), "role": "viewer"})


def log_in_wrongly(users, canary):
    url, anyone = users.daemon.url, users.anonymous()
    anyone.session.hooks = users.operator.session.hooks
    for authorization in (basic("admin", canary("basic")), basic("admin", canary("zen"), "ZenApiKey"),
                          f"Bearer {canary('bearer')}", f"Digest {canary('digest')}"):
        Client(url, ZERO, authorization).request("GET", "/v2/limits", 401)
    anyone.request("POST", f"{url}/icp4d-api/v1/authorize", 401,
                   json={"username": "admin", "password": canary("login")})
    anyone.request("POST", f"{url}/identity/token", 400, data={"apikey": canary("iam")})


def test_no_secret_is_ever_returned_logged_or_stored_in_the_clear(recorded, model):
    (users, answers), canary = recorded, Canaries()
    api = users.operator
    model.deployments = [deployment(model.url, "d1")]
    name, _ = users.add("viewer", password=canary("user-password"))
    canary.all["user-token"] = users.token(name, canary("user-password"))
    canary.all["operator-password"] = users.password
    provider_id = provider_with_secrets(api, canary, model)
    subscription_id = subscription_with_secrets(api, canary, provider_id, model)
    api.enable_explanations(subscription_id, BLACK)
    assert explain(api, model, subscription_id)["entity"]["status"]["state"] == "finished"
    model.broken = lambda images: (401, b"wrong password")
    assert explain(api, model, subscription_id)["entity"]["status"]["state"] == "error"
    api.patch(f"/v2/service_providers/{provider_id}",
              [{"op": "replace", "path": "/credentials/password", "value": canary("new-password")}])
    api.patch(f"/v2/users/{name}", [{"op": "add", "path": "/password", "value": canary("new-user-password")}])
    read_everything(api, provider_id, subscription_id)
    be_refused(api, canary, provider_id, subscription_id)
    log_in_wrongly(users, canary)
    shown = len(answers)
    canary.all["api-key"] = users.key(name)  # shown this once
    del answers[shown:]
    api.get(f"/v2/users/{name}/api_keys")

    assert len(canary.all) >= 20 and model.headers[-1]["X-Scoring"] == canary("scoring-header")
    assert canary.found_in(b"".join(answers)) == []
    (users.daemon.data / "admin-password").unlink()  # the one place where it is meant to be
    assert canary.found_in(files_of(users.daemon)) == [], "in the database or its WAL, while it runs"
    users.daemon.stop()
    assert canary.found_in(files_of(users.daemon)) == [], "in the database"
    assert canary.found_in(users.daemon.stderr().encode()) == []
    assert canary.found_in("\n".join(users.daemon.stdout_lines).encode()) == []


def test_the_search_for_canaries_finds_them():
    canary = Canaries()
    text = canary("a")
    for prefix in ("", "x", "xy", "xyz"):
        assert canary.found_in(base64.b64encode(f"{prefix}{text}:more".encode())) == ["a"]
    assert canary.found_in(b"..." + text.encode()) == ["a"] and canary.found_in(b"canary-a-") == []


def test_a_secret_cannot_be_opened_in_another_row_or_by_another_key(start_daemon):
    """The ciphertext is bound to its place: what is copied to another row there is of no use."""
    daemon = start_daemon()
    api = Client(daemon.url, ZERO)
    first, second = (api.add_provider(credentials={"url": "http://127.0.0.1:9", "username": "u", "password": p})
                     for p in "ab")
    daemon.stop()
    with sqlite3.connect(daemon.data / "explaind.db") as database:
        database.execute("UPDATE service_providers SET entity = (SELECT entity FROM service_providers WHERE id = ?)"
                         " WHERE id = ?", (first, second))
    database.close()
    daemon = start_daemon()
    api = Client(daemon.url, ZERO)
    rename = [{"op": "replace", "path": "/name", "value": "x"}]
    api.patch(f"/v2/service_providers/{first}", rename)
    assert "decrypted" in api.refused("PATCH", f"/v2/service_providers/{second}", 500, json=rename)["message"]
    daemon.stop()
    (daemon.data / "secrets.key").unlink()
    api = Client(start_daemon().url, ZERO)
    assert "key" in api.refused("PATCH", f"/v2/service_providers/{first}", 500, json=rename)["message"]


def test_a_providers_headers_and_credentials_go_to_its_own_server_only(api, model):
    other = ModelInTest()
    try:
        provider_id = api.add_provider(credentials={"url": model.url, "username": "u", "password": "p"},
                                       request_headers={"X-Provider": "secret"})
        for n, server in enumerate((model, other)):
            url = f"{server.url}/ml/v4/deployments/d1/predictions"
            subscription_id = api.add_subscription(provider_id, url, deployment_id=f"d{n}")
            api.enable_explanations(subscription_id, BLACK)
            assert explain(api, server, subscription_id)["entity"]["status"]["state"] == "finished"
        assert model.headers[-1]["X-Provider"] == "secret" and model.headers[-1]["Authorization"] == basic("u", "p")
        assert not {"X-Provider", "Authorization"} & set(other.headers[-1])
    finally:
        other.stop()
