# SPDX-License-Identifier: Apache-2.0
"""What load balancers, monitoring and browsers ask the daemon itself."""
import resource
import shutil
import socket
import subprocess
import time

import pytest
import requests
import yaml
from prometheus_client.parser import text_string_to_metric_families
from support.client import Client, Watched, wait_for
from support.images import blocks
from support.paths import OPENAPI

SECONDS = 30
PAGE = "https://dashboard.example"
STRANGER = "https://elsewhere.example"


def get(daemon, path, **more):
    return requests.get(daemon.url + path, timeout=SECONDS, **more)


def page(daemon) -> str:
    response = get(daemon, "/metrics")
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    return response.text


def metrics(daemon) -> dict:
    """Value by (name, labels without le …) of every sample."""
    return {(s.name, *sorted(s.labels.items())): s.value
            for family in text_string_to_metric_families(page(daemon)) for s in family.samples}


def until(condition):
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


# ---- health ----

def test_a_started_daemon_says_so_and_is_ready(daemon):
    started, ready = get(daemon, "/health/startup"), get(daemon, "/health/ready")
    assert (started.status_code, started.json()["status"]) == (200, "started")
    assert (ready.status_code, ready.json()["status"]) == (200, "ready")


def test_a_daemon_that_cannot_write_is_not_ready_but_lives_and_reads_and_recovers(start_daemon):
    daemon = start_daemon()
    client = Client(daemon.url)
    provider_id = client.add_provider()
    _, unlimited = resource.prlimit(daemon.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(daemon.process.pid, resource.RLIMIT_FSIZE, (1, unlimited))
    until(lambda: get(daemon, "/health/ready").status_code == 503)
    refused = get(daemon, "/health/ready")
    assert refused.json()["errors"][0]["code"] == "AIQCS0023E" and refused.headers["Retry-After"]
    assert get(daemon, "/health/live").status_code == 200
    client.get(f"/v2/service_providers/{provider_id}")
    assert metrics(daemon)[("explaind_commit_failures_total",)] >= 1
    resource.prlimit(daemon.process.pid, resource.RLIMIT_FSIZE, (unlimited, unlimited))
    until(lambda: get(daemon, "/health/ready").status_code == 200)
    client.add_provider()


def test_a_daemon_with_a_full_queue_is_not_ready(start_daemon, model):
    daemon = start_daemon(limits__tasks_queued=2)
    watched = Watched(Client(daemon.url), model)
    model.hold()
    tasks = watched.explain(*watched.log(blocks()), *watched.log(blocks(first=1)))
    error = get(daemon, "/health/ready").json()["errors"][0]
    assert "limits.tasks_queued" in error["message"]
    model.release()
    for task_id in tasks:
        wait_for(watched.client, task_id)
    assert get(daemon, "/health/ready").status_code == 200


def test_a_daemon_that_shuts_down_is_not_ready(start_daemon, model):
    daemon = start_daemon()
    watched = Watched(Client(daemon.url), model)
    model.hold()
    watched.explain(*watched.log(blocks()))
    assert model.asked.wait(SECONDS)
    with socket.create_connection(("127.0.0.1", daemon.port), SECONDS) as kept:
        kept.sendall(b"GET /health/ready HTTP/1.1\r\nHost: x\r\n\r\n")
        assert kept.recv(4096).startswith(b"HTTP/1.1 200")
        daemon.process.terminate()
        until(lambda: '"event":"stopping"' in daemon.stderr())
        try:
            kept.sendall(b"GET /health/ready HTTP/1.1\r\nHost: x\r\n\r\n")
            answer = kept.recv(4096)
        except ConnectionError:
            answer = b""
    assert answer == b"" or answer.startswith(b"HTTP/1.1 503")
    assert daemon.stop() == 0


# ---- metrics ----

def test_metrics_are_text_that_prometheus_reads(daemon, watched):
    task_id, _ = watched.explained(blocks())
    watched.client.refused("GET", "/v2/subscriptions/none", 404)
    families = {f.name: f for f in text_string_to_metric_families(page(daemon))}
    assert all(f.documentation for f in families.values())
    for family in families.values():
        if family.type != "histogram":
            continue
        counts = {}
        for sample in family.samples:
            labels = tuple(sorted((k, v) for k, v in sample.labels.items() if k != "le"))
            if sample.name.endswith("_bucket"):
                assert sample.value >= counts.get(labels, 0), f"{family.name}: buckets must not fall"
                counts[labels] = sample.value
            elif sample.name.endswith("_count"):
                assert sample.value == counts[labels], family.name


def test_metrics_are_clean_under_promtool(daemon, watched):
    promtool = shutil.which("promtool")
    if not promtool:
        pytest.skip("promtool is not installed (Debian package prometheus)")
    watched.explained(blocks())
    done = subprocess.run([promtool, "check", "metrics"], input=page(daemon), capture_output=True, text=True,
                          timeout=SECONDS)
    assert done.returncode == 0, done.stdout + done.stderr


def test_requests_are_counted_by_operation_and_code(start_daemon):
    daemon = start_daemon()
    client = Client(daemon.url)
    for _ in range(3):
        client.refused("GET", "/v2/subscriptions/none", 404)
    client.get("/v2/limits")
    requests.get(daemon.url + "/nothing/here", timeout=SECONDS)
    seen = metrics(daemon)
    count = "explaind_http_requests_total"
    assert seen[(count, ("code", "404"), ("operation", "subscriptions_get"))] == 3
    assert seen[(count, ("code", "200"), ("operation", "limits_get"))] == 1
    assert seen[(count, ("code", "404"), ("operation", "none"))] == 1
    assert seen[("explaind_http_request_duration_seconds_count", ("operation", "subscriptions_get"))] == 3
    assert not any(key[0] == count and ("operation", "landing") in key for key in seen), "only what was asked"


def test_work_and_its_trouble_are_counted(start_daemon, model):
    daemon = start_daemon(limits__body_bytes=2000)
    watched = Watched(Client(daemon.url), model)
    model.hold()
    first, second = watched.explain(*watched.log(blocks()), *watched.log(blocks(first=1)))
    assert model.asked.wait(SECONDS)
    seen = metrics(daemon)
    assert seen[("explaind_tasks", ("state", "leased"))] == 1
    assert seen[("explaind_tasks", ("state", "queued"))] == 1
    assert seen[("explaind_task_oldest_queued_seconds",)] > 0
    assert seen[("explaind_http_connections",)] >= 1
    model.broken = lambda images: (400, b"{}")
    model.release()
    assert wait_for(watched.client, second)["entity"]["status"]["state"] == "error"
    model.broken = None
    watched.explained(blocks(first=2))
    watched.client.refused("POST", "/v2/subscriptions", 413, data=b" " * 3000)
    seen = metrics(daemon)
    assert seen[("explaind_tasks_ended_total", ("state", "error"))] == 2
    assert seen[("explaind_tasks_ended_total", ("state", "finished"))] == 1
    calls = "explaind_model_call_duration_seconds_count"
    assert seen[(calls, ("outcome", "refused"))] >= 2
    assert seen[(calls, ("outcome", "answered"))] == len([t for _, t in model.calls if t not in (None, first, second)])
    assert seen[("explaind_rejected_total", ("reason", "too_large"))] == 1
    assert seen[("explaind_commit_duration_seconds_count",)] == seen[("explaind_commit_operations_count",)] > 5
    assert seen[("explaind_wal_bytes",)] + seen[("explaind_database_bytes",)] > 0


def test_connections_that_are_turned_away_are_counted(start_daemon):
    daemon = start_daemon(http__connections_per_address=2)
    address = ("127.0.0.1", daemon.port)
    with socket.create_connection(address, SECONDS), socket.create_connection(address, SECONDS):
        with socket.create_connection(address, SECONDS) as third:
            assert third.recv(1) == b"", "closed without a word"
    refused = ("explaind_rejected_total", ("reason", "connections"))

    def counted():
        try:
            return metrics(daemon)[refused] >= 1
        except requests.ConnectionError:  # the two are not gone yet
            return False

    until(counted)


# ---- pages of other origins ----

def ask_first(daemon, path, origin, method="POST"):
    return requests.options(daemon.url + path, timeout=SECONDS, headers={
        "Origin": origin, "Access-Control-Request-Method": method, "Access-Control-Request-Headers": "authorization"})


@pytest.fixture
def open_daemon(start_daemon):
    return start_daemon(cors__origins=f"http://127.0.0.1:9, {PAGE}")


def test_a_page_of_a_listed_origin_may_call(open_daemon):
    asked = ask_first(open_daemon, "/v2/subscriptions", PAGE)
    assert asked.status_code == 204 and asked.content == b""
    assert asked.headers["Access-Control-Allow-Origin"] == PAGE
    assert asked.headers["Access-Control-Allow-Methods"] == "GET, HEAD, POST"
    assert "Authorization" in asked.headers["Access-Control-Allow-Headers"]
    for path, status in (("/v2/subscriptions", 200), ("/v2/subscriptions/none", 404)):
        answer = get(open_daemon, path, headers={"Origin": PAGE})
        assert answer.status_code == status
        assert answer.headers["Access-Control-Allow-Origin"] == PAGE and answer.headers["Vary"] == "Origin"
        assert "X-Global-Transaction-Id" in answer.headers["Access-Control-Expose-Headers"]


def header_parameters(node) -> set[str]:
    """Of all operations, wherever in the contract they are described."""
    if isinstance(node, list):
        return set().union(*map(header_parameters, node))
    if not isinstance(node, dict):
        return set()
    own = {node["name"].lower()} if node.get("in") == "header" and "name" in node else set()
    return own.union(*map(header_parameters, node.values()))


def test_a_page_may_send_every_header_of_the_contract(open_daemon):
    contract = yaml.safe_load(OPENAPI.read_text())
    known = header_parameters([contract["paths"], contract["components"]["parameters"]])
    known |= {"authorization", "content-type", "content-encoding"}
    assert {"idempotency-key", "prefer", "ce-id"} <= known
    allowed = ask_first(open_daemon, "/v2/subscriptions", PAGE).headers["Access-Control-Allow-Headers"].lower()
    assert known <= set(allowed.split(", "))


def test_a_page_of_another_origin_gets_no_permission_and_clients_are_not_refused(open_daemon):
    for origin in (STRANGER, PAGE + ".evil.example", "null", "subscriptions_list"):
        asked = ask_first(open_daemon, "/v2/subscriptions", origin)
        assert asked.status_code == 405 and "Access-Control-Allow-Origin" not in asked.headers
        answer = get(open_daemon, "/v2/subscriptions", headers={"Origin": origin})
        assert answer.status_code == 200 and "Access-Control-Allow-Origin" not in answer.headers
        assert answer.headers["Vary"] == "Origin"


def test_without_the_setting_there_is_no_word_of_origins(daemon):
    assert ask_first(daemon, "/v2/subscriptions", PAGE).status_code == 405
    answer = get(daemon, "/v2/limits", headers={"Origin": PAGE})
    assert not [name for name in answer.headers if name.startswith("Access-Control")] and "Vary" not in answer.headers


def test_a_star_permits_every_page(start_daemon):
    daemon = start_daemon(cors__origins="*")
    assert ask_first(daemon, "/v2/subscriptions", STRANGER).headers["Access-Control-Allow-Origin"] == STRANGER


def test_only_a_preflight_is_answered_to_options(open_daemon):
    assert requests.options(open_daemon.url + "/v2/limits", timeout=SECONDS).status_code == 405
    assert ask_first(open_daemon, "/v2/nothing", PAGE).status_code == 404
