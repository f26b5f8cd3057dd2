# SPDX-License-Identifier: Apache-2.0
"""Credentials and headers that could not be used are refused when they are set, by name."""
import pytest
from support.v1 import V1

URL = "http://127.0.0.1:9"
PEM = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
KEY = "-----BEGIN RSA PRIVATE KEY-----\nMIIB\n-----END RSA PRIVATE KEY-----\n"

BROKEN = [
    ({"token": 5}, "token"), ({"username": ["u"], "password": "p"}, "username"), ({"apikey": {"a": "b"}}, "apikey"),
    ({"access_key_id": "A", "region": "r"}, "secret_access_key"), ({"secret_access_key": "S", "region": "r"}, "access_key_id"),
    ({"access_key_id": "A", "token": "t"}, "secret_access_key"),
    ({"password": "p"}, "username"), ({"bearer": "b"}, "bearer"), ({"ca_certificate": PEM, "bearer": "b"}, "bearer"), ({"secret_id": "11111111-1111-1111-1111-111111111111"}, "secret_id"),
    ({"ca_certificate": "nope"}, "ca_certificate"), ({"ca_certificate": KEY}, "ca_certificate"),
    ({"ca_certificate": PEM.replace("\n", "\\n")}, "ca_certificate"), ({"client_certificate": "x"}, "client_certificate"),
    ({"client_certificate": PEM}, "client_key"), ({"client_key": KEY}, "client_certificate"),
    ({"client_certificate": PEM, "client_key": PEM}, "client_key"), ({"token": "a\nX-Inj: c"}, "token"),
    ({"username": "u\r", "password": "p"}, "username"), ({"username": "u", "password": "p\x7f"}, "password"),
]
SOUND = [
    {}, {"token": None}, {"token": "", "username": ""}, {"username": "u"}, {"username": "u", "password": "p"}, {"token": "t"},
    {"apikey": "k"}, {"access_key_id": "A", "secret_access_key": "S", "region": "r", "aws_service": "s"},
    {"ca_certificate": PEM}, {"client_certificate": "of the server:\n" + PEM, "client_key": KEY}, {"token": "t", "bearer": "b"},
    {"subscription_id": "s", "client_id": "i", "client_secret": "c", "tenant": "t", "workspaces": [{"id": "w"}]},
    {"wml_location": "cpd_local", "uid": "1", "instance_id": "openshift", "version": "4.8"},
    {"apikey": "k", "iam_role_name": "Writer"}, {"access_key_id": "A", "secret_access_key": "S"}, {"note": "not asked for"},
    {"client_certificate": KEY + PEM, "client_key": KEY.replace("PRIVATE KEY", "EC PARAMETERS") + KEY}, {"auth_type": "none", "bearer": "", "more": {}, "n": None, "seconds": 5},
]
RESERVED = [("Content-Type", "image/png", "content_type"), ("content-type", "text/csv", "content_type"),
            ("Content-Length", "7", "length"), ("HOST", "h", "scoring url"), ("Transfer-Encoding", "chunked", "length")]


def provider(credentials, **more):
    return {"name": "p", "service_type": "custom_machine_learning", "credentials": {"url": URL, **credentials}, **more}


def endpoint(credentials, **more):
    return {"url": URL, "credentials": credentials, **more}


@pytest.fixture
def subscription_id(api):
    return api.add_subscription(api.add_provider(), URL)


def replace(path, value):
    return [{"op": "add", "path": path, "value": value}]


@pytest.mark.parametrize("credentials, name", BROKEN)
def test_credentials_that_could_not_be_used_are_refused(api, subscription_id, credentials, name):
    v1, wanted = V1(api), [f"credentials.{name}"]
    of_endpoint = [f"deployment.scoring_endpoint.credentials.{name}"]
    provider_id = api.add_provider()
    assert api.refused("POST", "/v2/service_providers", 400, json=provider(credentials))["parameters"] == wanted
    assert api.refused("PATCH", f"/v2/service_providers/{provider_id}", 400,
                       json=replace("/credentials", {"url": URL, **credentials}))["parameters"] == wanted
    body = api.subscription_body(provider_id, URL)
    body["deployment"]["scoring_endpoint"] = endpoint(credentials)
    assert api.refused("POST", "/v2/subscriptions", 400, json=body)["parameters"] == of_endpoint
    assert api.refused("PATCH", f"/v2/subscriptions/{subscription_id}", 400,
                       json=replace("/deployment/scoring_endpoint/credentials", credentials))["parameters"] == of_endpoint
    assert v1.call("POST", "/service_bindings", provider(credentials), 400)["errors"][0]["parameters"] == wanted
    body = v1.subscription_body(URL)
    body["deployments"][0]["scoring_endpoint"] = endpoint(credentials)
    answer = v1.call("POST", f"/service_bindings/{provider_id}/subscriptions", body, 400)
    assert answer["errors"][0]["parameters"] == of_endpoint


@pytest.mark.parametrize("credentials", SOUND)
def test_credentials_as_clients_send_them_are_taken(api, subscription_id, credentials):
    api.post("/v2/service_providers", provider(credentials))
    api.patch(f"/v2/subscriptions/{subscription_id}", replace("/deployment/scoring_endpoint/credentials", credentials))


@pytest.mark.parametrize("name, value, told", RESERVED)
def test_headers_that_every_request_has_are_refused(api, subscription_id, name, value, told):
    path = f"/v2/service_providers/{api.add_provider()}"
    headers = {"X-Room": "12", name: value}
    for refused in (api.refused("POST", "/v2/service_providers", 400, json=provider({}, request_headers=headers)),
                    api.refused("PATCH", path, 400, json=replace("/request_headers", headers))):
        assert refused["parameters"] == [f"request_headers.{name}"] and told in refused["message"]
    refused = api.refused("PATCH", f"/v2/subscriptions/{subscription_id}", 400,
                          json=replace("/deployment/scoring_endpoint/request_headers", headers))
    assert refused["parameters"] == [f"deployment.scoring_endpoint.request_headers.{name}"]


@pytest.mark.parametrize("headers, name", [
    ({"X-A": 5}, ".X-A"), ({"X-A": "a\r\nX-B: c"}, ".X-A"), ({"X A": "a"}, ""), ({"X:A": "a"}, ""), ({"": "a"}, ""),
    ({f"X-{i}": "a" for i in range(33)}, "")])
def test_headers_that_could_not_be_sent_are_refused(api, headers, name):
    refused = api.refused("POST", "/v2/service_providers", 400, json=provider({}, request_headers=headers))
    assert refused["parameters"] == [f"request_headers{name}"]


def test_the_type_that_is_sent_anyway_may_be_said(api):
    api.post("/v2/service_providers", provider({}, request_headers={"Content-Type": "application/json; charset=utf-8"}))
