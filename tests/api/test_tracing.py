# SPDX-License-Identifier: Apache-2.0
"""One request id and one trace from the client's request to the calls of the model, and in everything that is logged."""
import json
import re

import pytest
from support.client import Client, Watched, wait_for
from support.images import blocks

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
TRACEPARENT = f"00-{TRACE}-{SPAN}-01"
REQUEST_ID = "order-4711"


def explain(watched, headers) -> tuple[str, list]:
    """A finished explanation that was asked for with these headers, and those of its calls of the model."""
    body = {"scoring_ids": watched.log(blocks()), "subscription_id": watched.subscription_id}
    answer = watched.client.request("POST", "/v2/explanation_tasks", 202, json=body, headers=headers).json()
    [task_id] = answer["metadata"]["explanation_task_ids"]
    assert wait_for(watched.client, task_id)["entity"]["status"]["state"] == "finished"
    calls = [{k.lower(): v for k, v in h.items()} for h in watched.model.headers if h.get("X-Explaind-Task") == task_id]
    assert calls
    return task_id, calls


def test_request_id_and_trace_reach_the_model_with_a_new_span(api, model):
    _, calls = explain(Watched(api, model), {"X-Global-Transaction-Id": REQUEST_ID, "traceparent": TRACEPARENT})
    assert {call["x-global-transaction-id"] for call in calls} == {REQUEST_ID}
    [sent] = {call["traceparent"] for call in calls}
    found = re.fullmatch(rf"00-{TRACE}-([0-9a-f]{{16}})-01", sent)
    assert found and found[1] not in (SPAN, "0" * 16)


def test_each_explanation_has_a_span_of_its_own(api, model):
    watched = Watched(api, model)
    sent = {call["traceparent"] for _ in range(2) for call in explain(watched, {"traceparent": TRACEPARENT})[1]}
    assert len(sent) == 2


@pytest.mark.parametrize("headers", [{}, {"traceparent": "00-nonsense"}, {"traceparent": f"00-{'0' * 32}-{SPAN}-01"}])
def test_without_a_valid_trace_none_is_passed_on(api, model, headers):
    _, calls = explain(Watched(api, model), headers)
    assert not any("traceparent" in call for call in calls)


def test_the_trace_is_in_the_log(start_daemon, model):
    daemon = start_daemon(log__level="debug")
    watched = Watched(Client(daemon.url), model)
    task_id, calls = explain(watched, {"X-Global-Transaction-Id": REQUEST_ID, "traceparent": TRACEPARENT})
    daemon.stop()
    lines = [json.loads(line) for line in daemon.stderr().splitlines()]
    [asked] = [line for line in lines if line["event"] == "request" and line["trace"] == REQUEST_ID]
    assert asked["traceparent"] == TRACEPARENT and asked["operation"] == "explanation_tasks_add"
    [ended] = [line for line in lines if line["event"] == "explanation finished"]
    assert (ended["trace"], ended["task"], ended["traceparent"]) == (REQUEST_ID, task_id, calls[0]["traceparent"])


def test_the_trace_survives_a_restart(start_daemon, model):
    daemon = start_daemon()
    client = Client(daemon.url)
    watched = Watched(client, model)
    model.hold()
    body = {"scoring_ids": watched.log(blocks()), "subscription_id": watched.subscription_id}
    answer = client.request("POST", "/v2/explanation_tasks", 202, json=body, headers={"traceparent": TRACEPARENT})
    [task_id] = answer.json()["metadata"]["explanation_task_ids"]
    assert model.asked.wait(30)
    daemon.kill()
    del model.headers[:]
    model.release()
    assert wait_for(Client(start_daemon().url, client.instance), task_id)["entity"]["status"]["state"] == "finished"
    assert {h["traceparent"][:36] for h in model.headers if h.get("X-Explaind-Task")} == {f"00-{TRACE}-"}
