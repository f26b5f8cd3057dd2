# SPDX-License-Identifier: Apache-2.0
"""Users: logging in, roles, and managing them."""
import base64
import hashlib
import hmac
import json
import stat
import time
import uuid

import pytest
import requests
from support.client import Client
from support.users import ZERO, Users, basic, claims_of

KEY_FORM = {"grant_type": "urn:ibm:params:oauth:grant-type:apikey", "response_type": "cloud_iam"}


def post(users, path, expect=200, **arguments):
    return users.anonymous().request("POST", users.daemon.url + path, expect, **arguments)


def authorized(users, authorization, expect=200, path="/v2/limits"):
    return Client(users.daemon.url, ZERO, authorization).request("GET", path, expect)


# ---- logging in ----

def test_every_login_gives_a_token_that_is_accepted(users):
    name, password = users.add("viewer")
    key, url = users.key(name), users.daemon.url
    tokens = [
        users.token(name, password),
        post(users, "/icp4d-api/v1/authorize",
             json={"username": name, "password": None, "api_key": key}).json()["token"],
        requests.get(f"{url}/v1/preauth/validateAuth", auth=(name, password), timeout=10).json()["accessToken"],
        post(users, "/v1/preauth/validateAuth", data={**KEY_FORM, "apikey": key}).json()["access_token"],
        post(users, "/identity/token", data={**KEY_FORM, "apikey": key}).json()["access_token"],
    ]
    for token in tokens:
        claims = claims_of(token)
        assert (claims["sub"], claims["role"], claims["tenant"]) == (name, "viewer", ZERO)
        assert claims["exp"] - claims["iat"] == 12 * 3600 and abs(claims["iat"] - time.time()) < 60
        authorized(users, f"Bearer {token}")
    assert len({claims_of(token)["jti"] for token in tokens}) == len(tokens)


def test_zen_api_key_and_basic_are_accepted_on_every_request(users):
    name, password = users.add("viewer")
    authorized(users, basic(name, users.key(name), "ZenApiKey"))
    for _ in range(2):  # once by the password, once from memory
        authorized(users, basic(name, password))
    assert authorized(users, basic(name, password), path="/v2/data_marts").json()["data_marts"]


def test_wrong_credentials_are_refused_as_each_platform_does(users):
    name, _ = users.add("viewer")
    key = users.key(name)
    other, _ = users.add("viewer")
    for body in ({"username": name, "password": "wrong password"}, {"username": "nobody", "password": "wrong password"},
                 {"username": name, "api_key": "wrong"}, {"username": other, "api_key": key}):
        answer = post(users, "/icp4d-api/v1/authorize", 401, json=body)
        assert "Basic" in answer.headers["WWW-Authenticate"] and "Bearer" in answer.headers["WWW-Authenticate"]
        assert answer.json()["errors"][0]["message"]
    answer = post(users, "/identity/token", 400, data={**KEY_FORM, "apikey": "wrong"}).json()
    assert answer["errorCode"] == "BXNIM0415E" and answer["errorMessage"] == "Provided API key could not be found."
    assert post(users, "/identity/token", 400, data=KEY_FORM).json()["errorCode"] == "BXNIM0109E"
    post(users, "/v1/preauth/validateAuth", 401, data={**KEY_FORM, "apikey": "wrong"})
    url = f"{users.daemon.url}/v1/preauth/validateAuth"
    assert requests.get(url, auth=(name, "wrong password"), timeout=10).status_code == 401
    assert requests.get(url, timeout=10).status_code == 401
    assert post(users, "/icp4d-api/v1/authorize", 400, json={"username": name}).json()["errors"]


@pytest.mark.parametrize("authorization", [
    None, "", "Bearer", "Bearer ", "Bearer x.y.z", "Basic", "Basic !!!", "Basic " + base64.b64encode(b"admin").decode(),
    "Basic " + base64.b64encode(b"ad\0min:x").decode(), "ZenApiKey " + base64.b64encode(b"admin:admin").decode(),
    "Digest username=admin", "bearer", "Basic " + base64.b64encode(b"\xff\xfe:x").decode()])
def test_no_or_malformed_credentials_get_401(users, authorization):
    answer = authorized(users, authorization, 401)
    assert "Bearer" in answer.headers["WWW-Authenticate"]


def test_the_body_of_an_unknown_caller_is_not_read(users):
    client = Client(users.daemon.url, ZERO)
    client.request("POST", "/v2/data_sets/x/records", 401, data=b"[" + b" " * 3_000_000)


def test_entitlements_name_the_callers_instance(users):
    instance = str(uuid.uuid4())
    answer = users.client("viewer", instance).request("GET", f"{users.daemon.url}/v1/entitlements?nocache=true").json()
    assert answer["entitlements"]["ai_openscale"][0]["id"] == instance
    authorized(users, None, 401, "/v1/entitlements")


def test_what_needs_no_login_is_open(users):
    for path in ("/", "/health/live", "/openapi.yaml", "/v2/fairness/heartbeat"):
        assert requests.get(users.daemon.url + path, timeout=10).status_code == 200
    assert requests.get(users.daemon.url + "/v2/nothing", timeout=10).status_code == 404


# ---- tokens ----

def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def forged(users, token, key=None, header=None, **claims):
    """The token with other claims, signed with the daemon's own key unless told otherwise."""
    head = b64(json.dumps(header).encode()) if header else token.split(".")[0]
    body = f"{head}.{b64(json.dumps({**claims_of(token), **claims}).encode())}"
    key = (users.daemon.data / "token.key").read_bytes() if key is None else key
    return f"{body}.{b64(hmac.new(key, body.encode(), hashlib.sha256).digest())}"


def test_only_unexpired_tokens_signed_by_the_daemon_are_accepted(users):
    token = users.token(*users.add("viewer"))
    authorized(users, f"Bearer {forged(users, token)}")
    bad = [
        forged(users, token, exp=int(time.time()) - 1),
        forged(users, token, exp="tomorrow"),
        forged(users, token, key=b"\0" * 32, sub="admin"),
        forged(users, token, header={"alg": "none", "typ": "JWT"}),
        forged(users, token, sub="nobody"),
        forged(users, token, epoch=""),
        forged(users, token, epoch=str(uuid.uuid4())),
        token.rsplit(".", 1)[0] + ".",
        token.rsplit(".", 1)[0],
        token[:-1] + ("A" if token[-1] != "A" else "B"),
        b64(b'{"alg":"none","typ":"JWT"}') + "." + token.split(".")[1] + ".",
        "a" * 15000,
    ]
    for each in bad:
        authorized(users, f"Bearer {each}", 401)


def test_a_role_in_a_token_is_not_believed(users):
    token = forged(users, users.token(*users.add("viewer")), role="admin", tenant=str(uuid.uuid4()))
    authorized(users, f"Bearer {token}", 403, "/v2/users")


def test_a_changed_role_holds_for_tokens_that_are_out(users):
    name, password = users.add("viewer")
    client = Client(users.daemon.url, ZERO, f"Bearer {users.token(name, password)}")
    client.request("POST", "/v2/service_providers", 403, json={})
    users.operator.patch(f"/v2/users/{name}", [{"op": "replace", "path": "/role", "value": "editor"}])
    client.request("POST", "/v2/service_providers", 400, json={})


def test_tokens_are_revoked_one_by_one_by_id_or_by_themselves(users):
    name, password = users.add("viewer")
    first, second, third = (users.token(name, password) for _ in range(3))
    users.operator.post("/v2/revoked_tokens", {"id": claims_of(first)["jti"]})
    users.operator.post("/v2/revoked_tokens", {"token": second})
    for token, expect in ((first, 401), (second, 401), (third, 200)):
        authorized(users, f"Bearer {token}", expect)
    listed = {t["id"] for t in users.operator.get("/v2/revoked_tokens")["revoked_tokens"]}
    assert {claims_of(first)["jti"], claims_of(second)["jti"]} <= listed
    for body in ({}, {"id": "a", "user_name": name}, {"token": "a.b.c"}, {"id": ""}):
        users.operator.request("POST", "/v2/revoked_tokens", 400, json=body)


def test_a_new_password_and_a_revocation_end_all_tokens_of_the_user(users):
    name, password = users.add("viewer")
    token, other = users.token(name, password), users.token(*users.add("viewer"))
    authorized(users, basic(name, password))  # now it is remembered
    users.operator.patch(f"/v2/users/{name}", [{"op": "add", "path": "/password", "value": "a new password"}])
    authorized(users, f"Bearer {token}", 401)
    authorized(users, basic(name, password), 401)
    token = users.token(name, "a new password")
    users.operator.post("/v2/revoked_tokens", {"user_name": name})
    authorized(users, f"Bearer {token}", 401)
    authorized(users, f"Bearer {other}")
    users.operator.refused("POST", "/v2/revoked_tokens", 404, json={"user_name": "nobody"})


# ---- managing ----

def test_the_data_mart_of_a_user_may_be_written_in_upper_case(users):
    instance = str(uuid.uuid4())
    name, password = users.add("viewer", instance.upper())
    assert users.operator.get(f"/v2/users/{name}")["entity"]["data_mart_id"] == instance
    for spelt in (instance, instance.upper()):
        Client(users.daemon.url, spelt, f"Bearer {users.token(name, password)}").get("/v2/subscriptions")
    other = str(uuid.uuid4())
    users.operator.patch(f"/v2/users/{name}", [{"op": "replace", "path": "/data_mart_id", "value": other.upper()}])
    assert users.operator.get(f"/v2/users/{name}")["entity"]["data_mart_id"] == other


def test_users_are_made_listed_changed_and_deleted(users):
    name, password = users.add("editor", "11111111-2222-3333-4444-555555555555")
    got = users.operator.get(f"/v2/users/{name}")
    assert got["entity"] == {"name": name, "role": "editor", "data_mart_id": "11111111-2222-3333-4444-555555555555"}
    assert got["metadata"]["created_by"] == "admin" and "modified_at" not in got["metadata"]
    assert got in users.operator.get("/v2/users")["users"]
    users.operator.patch(f"/v2/users/{name}", [{"op": "replace", "path": "/data_mart_id", "value": ZERO}])
    assert users.operator.get(f"/v2/users/{name}")["entity"]["data_mart_id"] == ZERO
    token, key = users.token(name, password), users.key(name)
    users.operator.delete(f"/v2/users/{name}")
    for authorization in (f"Bearer {token}", basic(name, key, "ZenApiKey"), basic(name, password)):
        authorized(users, authorization, 401)
    users.operator.refused("GET", f"/v2/users/{name}", 404)
    users.operator.refused("DELETE", f"/v2/users/{name}", 404)
    users.operator.refused("PATCH", f"/v2/users/{name}", 404, json=[])
    users.add("viewer", name=name)
    authorized(users, f"Bearer {token}", 401)  # not even a user of the same name


@pytest.mark.parametrize("change, field", [
    ({"name": ""}, "name"), ({"name": "a b"}, "name"), ({"name": "x" * 65}, "name"), ({"name": "a:b"}, "name"),
    ({"password": "short"}, "password"), ({"password": "x" * 1025}, "password"), ({"password": None}, "password"),
    ({"role": "boss"}, "role"), ({"role": None}, "role"), ({"data_mart_id": "mine"}, "data_mart_id"),
    ({"colour": "red"}, "colour")])
def test_a_user_that_cannot_be_is_refused(users, change, field):
    body = {"name": "somebody", "password": "long enough", "role": "viewer", **change}
    assert field in users.operator.refused("POST", "/v2/users", 400, json=body)["message"]


def test_a_name_is_taken_once(users):
    name, _ = users.add()
    body = {"name": name, "password": "long enough", "role": "viewer"}
    assert name in users.operator.refused("POST", "/v2/users", 409, json=body)["message"]


def test_the_last_administrator_stays(users):
    assert "last" in users.operator.refused("DELETE", "/v2/users/admin", 409)["message"]
    demote = [{"op": "replace", "path": "/role", "value": "viewer"}]
    users.operator.refused("PATCH", "/v2/users/admin", 409, json=demote)
    move = [{"op": "replace", "path": "/data_mart_id", "value": str(uuid.uuid4())}]
    users.operator.refused("PATCH", "/v2/users/admin", 409, json=move)
    users.operator.get("/v2/users")


def test_api_keys_are_shown_once_listed_and_revoked(users):
    name, _ = users.add("viewer")
    path = f"/v2/users/{name}/api_keys"
    made = users.operator.post(path, {"description": "nightly"})
    key = made["entity"]["api_key"]
    assert len(base64.urlsafe_b64decode(key + "=")) == 32
    [listed] = users.operator.get(path)["api_keys"]
    assert listed["entity"] == {"user_name": name, "description": "nightly"} and listed["metadata"] == made["metadata"]
    authorized(users, basic(name, key, "ZenApiKey"))
    users.operator.delete(f"{path}/{made['metadata']['id']}")
    authorized(users, basic(name, key, "ZenApiKey"), 401)
    users.operator.refused("DELETE", f"{path}/{made['metadata']['id']}", 404)
    users.operator.refused("POST", "/v2/users/nobody/api_keys", 404, json={})
    users.operator.refused("GET", "/v2/users/nobody/api_keys", 404)


def test_a_user_has_at_most_100_api_keys(users):
    name, _ = users.add("viewer")
    for _ in range(100):
        users.key(name)
    assert "100" in users.operator.refused("POST", f"/v2/users/{name}/api_keys", 409, json={})["message"]


def test_administrators_of_another_data_mart_do_not_manage_users(users):
    client = users.client("admin", str(uuid.uuid4()))
    client.request("PATCH", f"/v2/data_marts/{client.instance}", 200, json=[])
    client.refused("GET", "/v2/users", 403)
    client.refused("POST", "/v2/users", 403, json={"name": "x", "password": "long enough", "role": "admin"})


# ---- guessing ----

def test_guessing_is_slowed_down_for_one_name_from_one_address(start_daemon):
    users = Users(start_daemon(users=True, auth__failed_logins=5))
    name, password = users.add("viewer")
    body = {"username": name, "password": "a wrong one"}
    answers = [post(users, "/icp4d-api/v1/authorize", (401, 429), json=body).status_code for _ in range(7)]
    assert answers == [401] * 5 + [429] * 2
    users.token(name, password, 429)
    authorized(users, basic(name, password), 429)
    users.token("admin", users.password)  # others are not concerned
    authorized(users, basic(name, users.key(name), "ZenApiKey"))


def test_right_passwords_are_not_counted(start_daemon):
    users = Users(start_daemon(users=True, auth__failed_logins=2))
    name, password = users.add("viewer")
    for n in range(4):
        users.token(name, "a wrong one", 401)
        users.token(name, password)
        password = f"changed {n} times"  # so that it is not remembered
        users.operator.patch(f"/v2/users/{name}", [{"op": "add", "path": "/password", "value": password}])


# ---- the first start ----

def test_the_first_start_makes_an_administrator_and_says_where_the_password_is(start_daemon):
    daemon = start_daemon(users=True)
    file = daemon.data / "admin-password"
    password = file.read_text().strip()
    assert len(password) == 24 and stat.S_IMODE(file.stat().st_mode) == 0o600
    assert str(file) in daemon.stderr() and password not in daemon.stderr()
    daemon.stop()
    daemon = start_daemon(users=True)
    assert file.read_text().strip() == password
    assert [u["entity"]["name"] for u in Users(daemon).operator.get("/v2/users")["users"]] == ["admin"]


def test_the_first_password_may_come_from_a_file(start_daemon, tmp_path):
    file = tmp_path / "secret"
    file.write_text("chosen by the operator\n")
    daemon = start_daemon(users=True, auth__admin_password_file=file)
    assert not (daemon.data / "admin-password").exists() and "chosen by" not in daemon.stderr()
    Client(daemon.url, ZERO, basic("admin", "chosen by the operator")).get("/v2/users")


def test_without_users_nobody_is_asked_and_users_are_not_managed_over_the_network(daemon):
    client = Client(daemon.url, ZERO, "Bearer nonsense")
    client.get("/v2/limits")
    client.refused("GET", "/v2/users", 403)


def test_a_token_of_a_daemon_without_users_is_not_valid_with_them(start_daemon):
    daemon = start_daemon()
    token = requests.post(f"{daemon.url}/identity/token", timeout=10, data={"apikey": "k"}).json()["access_token"]
    assert claims_of(token)["sub"] == "admin"
    daemon.stop()
    Client(start_daemon(users=True).url, ZERO, f"Bearer {token}").refused("GET", "/v2/limits", 401)
