# SPDX-License-Identifier: Apache-2.0
"""
Everything that can go wrong between the daemon and a model: docs/model-faults.md is this table in words.

Each fault ends its task with the class of the failure, costs a bounded number of calls, bytes and memory, and leaves
the explanations of another subscription as they are.
"""
import re
import uuid

import pytest
from support import faulty_proxy as faults
from support.client import Client, Watched, wait_for
from support.faulty_proxy import FaultyProxy
from support.images import blocks

ANSWER_BYTES = 1 << 18
MEMORY_KIB = 512 << 10
DAEMON_SETTINGS = {"explain__workers": 2, "explain__in_flight": 2, "scoring__retries": 1,
                   "scoring__connect_timeout_ms": 1000, "scoring__call_timeout_ms": 3000,
                   "scoring__answer_bytes": ANSWER_BYTES, "scoring__breaker_failures": 0}
METADATA = "http://169.254.169.254/latest/meta-data/"


def three_probabilities(body):
    return re.sub(rb"\[([0-9.e-]+),[0-9.e-]+\]", rb"[0.2,0.3,0.5]", body)


def twice(body):
    """Every row two times."""
    return re.sub(rb'"values":\[(.*)\]\}\]\}$', rb'"values":[\1,\1]}]}', body)


def without_rows(body):
    return re.sub(rb'"values":\[.*\]\}\]\}$', rb'"values":[]}]}', body)


def not_a_number(body):
    return re.sub(rb"\[[0-9.e-]+,", b"[NaN,", body)


def too_large(body):
    return re.sub(rb"\[[0-9.e-]+,", b"[1e999,", body)


SETTINGS_FRAME = bytes.fromhex("00001204000000000000030000006400040000ffff000500004000")

UNREACHABLE, TIMEOUT, REFUSED, FAILED, BAD_ANSWER = (f"AIQES001{n}E" for n in range(5))

# name: the fault, the code of the error, words of its text, and how many calls it may cost
TABLE = {
    "no answer": (faults.silence, TIMEOUT, "did not answer in time", 1),
    "one byte a second": (faults.one_byte_a_second, TIMEOUT, "did not answer in time", 1),
    **{f"reset after {n}/10 of the answer": (faults.reset_after(n), UNREACHABLE, "connection to the model broke", 2)
       for n in range(10)},
    "500": (faults.status(500), FAILED, r"status 500 \(after 2 tries\)", 2),
    "502": (faults.status(502), FAILED, r"status 502 \(after 2 tries\)", 2),
    "429": (faults.status(429, Retry_After="0"), FAILED, r"status 429 \(after 2 tries\)", 2),
    "404": (faults.status(404), REFUSED, "status 404", 1),
    "redirect to a metadata address": (faults.status(302, Location=METADATA), REFUSED, "status 302", 1),
    "NaN": (faults.changed(not_a_number), BAD_ANSWER, "the model's answer is not valid JSON: NaN and Infinity are no JSON numbers, at byte", 1),
    "1e999": (faults.changed(too_large), BAD_ANSWER, "", 1),
    "HTTP/2 alone": (lambda call: call.send(SETTINGS_FRAME), UNREACHABLE, "not HTTP/1.x", 1),
    "another protocol": (lambda call: call.send(b"220 mail ready\r\n"), UNREACHABLE, "not HTTP/1.x", 1),
    "not JSON": (faults.changed(lambda body: b"<html>secret words of the model</html>"), BAD_ANSWER, "", 1),
    "another number of classes": (faults.changed(three_probabilities, after=1), BAD_ANSWER,
                                  "3 probabilities, 2 were expected", 4),
    "no rows": (faults.changed(without_rows), BAD_ANSWER, "fewer than the 1 rows", 1),
    "too many rows": (faults.changed(twice), BAD_ANSWER, "more than the 1 rows", 1),
    "an endless body": (faults.endless_body, BAD_ANSWER, f"longer than {ANSWER_BYTES} bytes", 1),
    "endless headers": (faults.endless_head, BAD_ANSWER, "headers .* are longer than", 1),
    "a gzip bomb": (faults.gzip_bomb(100), BAD_ANSWER, "", 1),
}


@pytest.fixture(scope="module")
def client(module_daemon):
    return Client(module_daemon.url)


@pytest.fixture(scope="module")
def healthy(client, stub_model):
    """Another subscription, and what its explanation says when nothing is wrong."""
    watched = Watched(client, stub_model, deployment_id="healthy")
    [scoring_id] = watched.log(blocks(n=4))
    return watched, scoring_id, explained(watched, scoring_id)


@pytest.fixture
def proxy(stub_model):
    proxy = FaultyProxy(stub_model.url)
    yield proxy
    proxy.stop()


@pytest.fixture
def behind_proxy(client, proxy):
    return Watched(client, proxy, deployment_id=f"faulty-{uuid.uuid4().hex[:8]}")


def explained(watched, scoring_id):
    [task_id] = watched.explain(scoring_id)
    task = wait_for(watched.client, task_id)
    assert task["entity"]["status"]["state"] == "finished", task
    return task["entity"]


def ends_in_error(watched, scoring_id, healthy) -> dict:
    """The error of an explanation, during which the other subscription gets what it always gets."""
    other, its_scoring_id, expected = healthy
    [task_id] = watched.explain(scoring_id)
    assert explained(other, its_scoring_id) == expected
    task = wait_for(watched.client, task_id)
    assert task["entity"]["status"]["state"] == "error", task
    [error] = task["entity"]["errors"]
    for secret in ("127.0.0.1", "169.254", "secret", "meta-data"):
        assert secret not in error["error"]["message"]
    return error["error"]


def assert_memory_bounded(daemon):
    with open(f"/proc/{daemon.process.pid}/status") as status:
        peak = int(re.search(r"VmHWM:\s+(\d+) kB", status.read())[1])
    assert peak < MEMORY_KIB


@pytest.mark.parametrize("name", TABLE)
def test_a_fault_ends_the_task_and_touches_no_other(module_daemon, behind_proxy, proxy, healthy, name):
    fault, code, words, calls = TABLE[name]
    [scoring_id] = behind_proxy.log(blocks())
    proxy.fault = fault
    error = ends_in_error(behind_proxy, scoring_id, healthy)
    assert error["code"] == code and re.search(words, error["message"]), error
    assert 1 <= proxy.calls <= calls
    assert proxy.sent < ANSWER_BYTES + (16 << 20), "what fits the buffers of both sides, and no more"
    assert_memory_bounded(module_daemon)
    proxy.fault = None
    explained(behind_proxy, scoring_id)


@pytest.mark.parametrize("fault", ["refuse", "black_hole"])
def test_a_host_that_is_gone_ends_the_task_and_touches_no_other(behind_proxy, proxy, healthy, fault):
    [scoring_id] = behind_proxy.log(blocks())
    getattr(proxy, fault)()
    error = ends_in_error(behind_proxy, scoring_id, healthy)
    assert error["code"] == UNREACHABLE
    assert re.search(r"cannot be reached: .*\(after 2 tries\)", error["message"]), error
    proxy.recover()
    explained(behind_proxy, scoring_id)


@pytest.mark.parametrize("fault", [faults.status(503), faults.reset_after(5)], ids=["503", "reset"])
def test_a_fault_that_passes_costs_a_retry_and_changes_nothing(behind_proxy, proxy, healthy, fault):
    expected = healthy[2]
    [scoring_id] = behind_proxy.log(blocks(n=4))
    proxy.fault = faults.first(1, fault)
    assert explained(behind_proxy, scoring_id)["explanations"] == expected["explanations"]


def test_retry_after_is_honoured(behind_proxy, proxy):
    [scoring_id] = behind_proxy.log(blocks())
    proxy.fault = faults.first(1, faults.status(429, Retry_After="1"))
    explained(behind_proxy, scoring_id)
    assert proxy.times[1] - proxy.times[0] >= 1


def test_a_byte_order_mark_before_an_answer_is_skipped(behind_proxy, proxy, healthy):
    [scoring_id] = behind_proxy.log(blocks(n=4))
    proxy.fault = faults.changed(lambda body: b"\xef\xbb\xbf" + body)
    assert explained(behind_proxy, scoring_id)["explanations"] == healthy[2]["explanations"]
