# SPDX-License-Identifier: Apache-2.0
"""What holds for every request: paths, prefixes, request ids, limits of bodies, and the life of the process."""
import signal
import socket
import ssl
import time
import uuid

import pytest
import requests
from support.client import Client

ZERO = "00000000-0000-0000-0000-000000000000"


def get(daemon, path, **more):
    return requests.get(daemon.url + path, timeout=10, **more)


def test_health_tells_that_the_daemon_lives(daemon):
    body = get(daemon, "/health/live").json()
    assert body["status"] == "live" and body["uptime_seconds"] >= 0


def test_the_landing_page_links_to_the_contract(daemon):
    page = get(daemon, "/")
    assert page.status_code == 200 and "/openapi.yaml" in page.text


def test_limits_tell_what_is_enforced(api):
    limits = api.get("/v2/limits")["limits"]
    assert limits["profile"] == "default"
    assert limits["payload_bytes"] == 1_048_576
    assert limits["records_body_bytes"] == 16 << 20
    assert limits["explanations_at_once_per_deployment"] == 1


def test_the_same_routes_exist_with_and_without_an_instance(daemon):
    name = f"provider {uuid.uuid4()}"
    plain = Client(daemon.url, ZERO)
    provider_id = plain.add_provider(name=name)
    for prefix in ("", "/openscale", f"/openscale/{ZERO}"):
        body = get(daemon, f"{prefix}/v2/service_providers/{provider_id}").json()
        assert body["entity"]["name"] == name, prefix
    plain.delete(f"/v2/service_providers/{provider_id}")


def test_data_marts_do_not_see_each_other(daemon):
    mine, other = Client(daemon.url), Client(daemon.url)
    provider_id = mine.add_provider()
    assert other.get("/v2/service_providers")["service_providers"] == []
    assert "could not be found" in other.refused("GET", f"/v2/service_providers/{provider_id}", 404)["message"]
    other.refused("DELETE", f"/v2/service_providers/{provider_id}", 404)
    mine.get(f"/v2/service_providers/{provider_id}")


def test_an_unknown_path_is_404_in_the_error_envelope(daemon):
    response = get(daemon, "/v2/nothing_here")
    assert response.status_code == 404
    assert response.json()["errors"][0]["code"].startswith("AI")


def test_a_path_is_decoded_after_it_was_split(api):
    error = api.refused("GET", "/v2/subscriptions/a%2Fb", 404)
    assert "a/b" in error["message"]


def test_a_broken_percent_encoding_is_400(daemon):
    with socket.create_connection(("127.0.0.1", daemon.port), 10) as connection:
        connection.sendall(b"GET /v2/subscriptions/%zz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert connection.makefile("rb").readline().startswith(b"HTTP/1.1 400")


def test_the_clients_request_id_comes_back_as_header_and_trace(api):
    response = api.request("GET", "/v2/subscriptions/none", 404, headers={"X-Global-Transaction-Id": "my-own-id-7"})
    assert response.headers["X-Global-Transaction-Id"] == "my-own-id-7"
    assert response.json()["trace"] == "my-own-id-7"


def test_a_request_id_is_made_when_the_client_has_none(daemon):
    ids = {get(daemon, "/health/live").headers["X-Global-Transaction-Id"] for _ in range(3)}
    assert len(ids) == 3


def test_head_is_answered_like_get_without_the_body(api):
    response = api.request("HEAD", "/v2/subscriptions")
    assert response.headers["Content-Type"].startswith("application/json") and response.content == b""


def test_an_origin_header_is_not_refused(api):
    api.request("GET", "/v2/subscriptions", headers={"origin": "subscriptions_list"})


def test_an_encoded_body_is_415(api):
    error = api.refused("POST", "/v2/service_providers", 415, data=b"\x1f\x8b", headers={"Content-Encoding": "gzip"})
    assert "encod" in error["message"].lower()


def test_a_body_over_its_limit_is_413_with_the_limit(api):
    limit = api.get("/v2/limits")["limits"]["body_bytes"]
    error = api.refused("POST", "/v2/service_providers", 413, data=b" " * (limit + 1))
    assert str(limit) in error["message"]


def test_a_chunked_body_over_its_limit_is_413(api):
    limit = api.get("/v2/limits")["limits"]["body_bytes"]
    api.refused("POST", "/v2/service_providers", 413, data=iter([b" " * limit, b" " * 10]))


def test_one_port_speaks_http_and_https(daemon):
    plain = get(daemon, "/health/live").json()
    with pytest.warns(Warning):
        secure = requests.get(daemon.url.replace("http://", "https://") + "/health/live", timeout=10, verify=False)
    assert secure.json()["version"] == plain["version"]


def test_tls_is_at_least_1_2(daemon):
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection(("127.0.0.1", daemon.port), 10) as raw, context.wrap_socket(raw) as connection:
        assert connection.version() in ("TLSv1.2", "TLSv1.3")


def test_what_was_configured_is_there_after_a_restart(start_daemon):
    first = start_daemon()
    client = Client(first.url, ZERO)
    provider_id = client.add_provider(name="kept")
    before = client.get(f"/v2/service_providers/{provider_id}")
    first.stop()
    client = Client(start_daemon().url, ZERO)
    assert client.get(f"/v2/service_providers/{provider_id}") == before


@pytest.mark.parametrize("path, length", [("/v2/service_providers", 40), ("/v2/data_sets/none/records", 4000)])
def test_a_body_that_ends_while_the_daemon_stops_gets_503(start_daemon, path, length):
    daemon = start_daemon()
    with socket.create_connection(("127.0.0.1", daemon.port), 30) as client:
        client.sendall(f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n[".encode())
        requests.get(f"{daemon.url}/health/live", timeout=30)
        daemon.process.send_signal(signal.SIGTERM)
        while '"stopping"' not in daemon.stderr():
            assert daemon.process.poll() is None
            time.sleep(0.01)
        client.sendall(b" " * (length - 1))
        answer = client.recv(4096)
    assert answer == b"" or answer.startswith(b"HTTP/1.1 503")
    assert daemon.stop() == 0


def begun_with(start_daemon, on_hangup):
    """Programs begin with what was set to be ignored where they are begun: by nohup, or by what runs these tests."""
    usual = signal.signal(signal.SIGHUP, on_hangup)
    try:
        return start_daemon()
    finally:
        signal.signal(signal.SIGHUP, usual)


def test_a_terminal_that_is_closed_ends_it_in_order(start_daemon):
    daemon = begun_with(start_daemon, signal.SIG_DFL)
    daemon.process.send_signal(signal.SIGHUP)
    assert daemon.process.wait(60) == 0 and '"stopped"' in daemon.stderr()


def test_it_outlives_the_terminal_under_nohup(start_daemon):
    daemon = begun_with(start_daemon, signal.SIG_IGN)
    daemon.process.send_signal(signal.SIGHUP)
    assert get(daemon, "/health/live").status_code == 200
