# SPDX-License-Identifier: Apache-2.0
"""Models that keep failing are left alone for a while, and found again."""
import json
import time

import pytest
from support import faulty_proxy as faults
from support.client import FINISH_SECONDS, Client, Watched, wait_for
from support.faulty_proxy import FaultyProxy
from support.images import blocks

PAUSED = "AIQES0016E"
LONG_MS = 3_600_000


@pytest.fixture
def proxy(stub_model):
    proxy = FaultyProxy(stub_model.url)
    yield proxy
    proxy.stop()


def start(start_daemon, pause_ms) -> Client:
    daemon = start_daemon(scoring__retries=0, scoring__breaker_failures=2, scoring__breaker_pause_ms=pause_ms)
    return Client(daemon.url)


def ask(watched, scoring_id) -> dict:
    [task_id] = watched.explain(scoring_id)
    return wait_for(watched.client, task_id)["entity"]


def error_of(watched, scoring_id) -> dict:
    [error] = ask(watched, scoring_id)["errors"]
    return error["error"]


def test_a_host_that_is_gone_is_not_asked_for_a_while(start_daemon, proxy, stub_model):
    client = start(start_daemon, LONG_MS)
    first, second = (Watched(client, proxy, deployment_id=name) for name in ("d1", "d2"))
    elsewhere = Watched(client, stub_model, deployment_id="d3")
    scoring_ids = [watched.log(blocks())[0] for watched in (first, second, elsewhere)]
    proxy.refuse()
    assert error_of(first, scoring_ids[0])["code"] == "AIQES0010E"
    assert error_of(first, scoring_ids[0])["code"] == "AIQES0010E"
    proxy.recover()
    for watched, scoring_id in zip((first, second), scoring_ids):
        error = error_of(watched, scoring_id)
        assert error["code"] == PAUSED
        assert "host failed 2 times in a row" in error["message"] and "127.0.0.1" not in error["message"]
    assert proxy.calls == 0
    assert ask(elsewhere, scoring_ids[2])["status"]["state"] == "finished", "another host"


def test_a_model_that_fails_is_not_asked_for_a_while_but_its_neighbour_is(start_daemon, proxy):
    client = start(start_daemon, LONG_MS)
    broken, neighbour = (Watched(client, proxy, deployment_id=name) for name in ("broken", "neighbour"))
    scoring_ids = [watched.log(blocks())[0] for watched in (broken, neighbour)]
    failing = faults.status(500)
    proxy.fault = lambda call: (failing if b"/broken/" in call.request else faults.pass_on)(call)
    for code in ("AIQES0013E", "AIQES0013E", PAUSED, PAUSED):
        assert error_of(broken, scoring_ids[0])["code"] == code
    assert proxy.calls == 2
    assert ask(neighbour, scoring_ids[1])["status"]["state"] == "finished"


def test_a_model_whose_settings_were_corrected_is_asked_at_once(start_daemon, proxy):
    client = start(start_daemon, LONG_MS)
    watched = Watched(client, proxy)
    [scoring_id] = watched.log(blocks())

    def needs(header):
        failing = faults.status(500)
        proxy.fault = lambda call: (faults.pass_on if header in call.request else failing)(call)
        codes = [error_of(watched, scoring_id)["code"] for _ in range(3)]
        assert codes == ["AIQES0013E", "AIQES0013E", PAUSED]

    needs(b"X-Fixed: 1")
    client.patch(f"/v2/subscriptions/{watched.subscription_id}",
                 [{"op": "add", "path": "/deployment/scoring_endpoint/request_headers", "value": {"X-Fixed": "1"}}])
    assert ask(watched, scoring_id)["status"]["state"] == "finished"
    needs(b"Authorization: Bearer right")
    client.patch(f"/v2/service_providers/{watched.provider_id}",
                 [{"op": "add", "path": "/credentials/token", "value": "right"}])
    assert ask(watched, scoring_id)["status"]["state"] == "finished"


def test_bad_answers_and_refusals_are_no_reason_to_pause(start_daemon, proxy):
    watched = Watched(start(start_daemon, LONG_MS), proxy)
    [scoring_id] = watched.log(blocks())
    for fault, code in ((faults.status(422), "AIQES0012E"), (faults.changed(lambda body: b"[]"), "AIQES0014E")):
        proxy.fault = fault
        assert [error_of(watched, scoring_id)["code"] for _ in range(4)] == 4 * [code]


def test_after_the_pause_a_model_is_found_again(start_daemon, proxy):
    watched = Watched(start(start_daemon, 300), proxy)
    [scoring_id] = watched.log(blocks())
    proxy.refuse()
    for _ in range(2):
        error_of(watched, scoring_id)
    proxy.recover()
    deadline = time.monotonic() + FINISH_SECONDS
    while ask(watched, scoring_id)["status"]["state"] != "finished":
        assert time.monotonic() < deadline
    assert ask(watched, scoring_id)["status"]["state"] == "finished"


def tried_again(daemon) -> list[str]:
    """Why explanations were put off, in order."""
    lines = [json.loads(line) for line in daemon.stderr().splitlines() if line.startswith("{")]
    return [line["code"] for line in lines if line["event"] == "explanation to be tried again"]


def test_an_explanation_asked_for_during_the_pause_waits_for_its_end(start_daemon, proxy):
    daemon = start_daemon(scoring__retries=0, scoring__breaker_failures=1, scoring__breaker_pause_ms=2000,
                          explain__retries=5)
    first, second = (Watched(Client(daemon.url), proxy, deployment_id=name) for name in ("d1", "d2"))
    [one], [other] = first.log(blocks()), second.log(blocks())
    proxy.refuse()
    [failed] = first.explain(one)
    deadline = time.monotonic() + FINISH_SECONDS
    while not tried_again(daemon) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert tried_again(daemon) == ["AIQES0010E"]
    proxy.recover()
    [asked] = second.explain(other)
    for watched, task in ((first, failed), (second, asked)):
        assert wait_for(watched.client, task)["entity"]["status"]["state"] == "finished"
    assert PAUSED in tried_again(daemon)
