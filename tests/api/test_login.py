# SPDX-License-Identifier: Apache-2.0
"""The login routes of Cloud Pak for Data and IBM Cloud, without users: any credentials do."""
import base64
import json
import time

import requests
from support.client import Client

ZERO = "00000000-0000-0000-0000-000000000000"


def claims_of(token: str) -> dict:
    """What clients read from a token: the payload, base64url without padding."""
    payload = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


def check_times(token: str):
    claims = claims_of(token)
    assert claims["iat"] <= time.time() + 1
    assert claims["exp"] - claims["iat"] >= 1800, "clients renew after 30 minutes"


def test_cloud_pak_for_data_gets_a_token_for_user_and_password(daemon):
    answer = requests.post(f"{daemon.url}/icp4d-api/v1/authorize", timeout=10,
                           json={"username": "u", "password": "p", "api_key": None}).json()
    assert answer["_messageCode_"] == "200"
    check_times(answer["token"])


def test_the_older_login_takes_http_basic(daemon):
    answer = requests.get(f"{daemon.url}/v1/preauth/validateAuth", auth=("u", "p"), timeout=10).json()
    check_times(answer["accessToken"])


def test_the_older_login_takes_an_api_key(daemon):
    answer = requests.post(f"{daemon.url}/v1/preauth/validateAuth", timeout=10,
                           data={"grant_type": "urn:ibm:params:oauth:grant-type:apikey", "apikey": "k"}).json()
    check_times(answer["access_token"])


def test_ibm_cloud_gets_a_bearer_token_for_an_api_key(daemon):
    answer = requests.post(f"{daemon.url}/identity/token", timeout=10,
                           data={"grant_type": "urn:ibm:params:oauth:grant-type:apikey", "apikey": "k"}).json()
    assert answer["token_type"] == "Bearer" and answer["expires_in"] >= 1800
    assert answer["expiration"] == claims_of(answer["access_token"])["exp"]


def test_entitlements_name_the_instance(daemon):
    answer = requests.get(f"{daemon.url}/v1/entitlements?nocache=true", timeout=10).json()
    assert answer["entitlements"]["ai_openscale"][0]["id"] == ZERO


def test_the_heartbeat_says_that_this_is_not_ibm_cloud(daemon):
    assert requests.get(f"{daemon.url}/v2/fairness/heartbeat", timeout=10).json() == {"is_cloud": False}


def test_a_token_is_accepted_and_none_is_needed(api):
    token = requests.post(f"{api.url}/identity/token", timeout=10, data={"apikey": "k"}).json()["access_token"]
    api.request("GET", "/v2/subscriptions", headers={"Authorization": f"Bearer {token}"})
    api.request("GET", "/v2/subscriptions", headers={"Authorization": "Bearer nonsense"})
    api.request("GET", "/v2/subscriptions")


def test_entitlements_name_every_instance_in_use(daemon):
    mine = [Client(daemon.url), Client(daemon.url)]
    mine[0].get("/v2/data_marts")
    mine[1].add_provider()
    answer = requests.get(f"{daemon.url}/v1/entitlements?nocache=true", timeout=10).json()
    ids = [instance["id"] for instance in answer["entitlements"]["ai_openscale"]]
    assert {ZERO, mine[0].instance, mine[1].instance} <= set(ids) and len(ids) == len(set(ids))
