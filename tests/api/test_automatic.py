# SPDX-License-Identifier: Apache-2.0
"""Rules that have records explained when they are logged."""
import hashlib
import json
import sqlite3
import threading
import time

import pytest
import requests
from support.client import BLACK, Client, Watched, wait_for
from support.images import blocks
from support.model import wml_answer

BUDGET = 64  # of one explanation: two bands are four masks
INSTANCE = "11111111-2222-3333-4444-555555555555"


@pytest.fixture
def ruled(api, model):
    """Makes a subscription with these rules. What is not explained when the test ends keeps nobody waiting."""
    made = []

    def make(*rules, client=api, **automatic):
        parameters = {"image": {**BLACK["image"], "budget": BUDGET}, "automatic": {"rules": list(rules), **automatic}}
        made.append(Watched(client, model, parameters=parameters))
        return made[-1]

    yield make
    for watched in made:
        if watched.client is api:
            api.delete(f"/v2/subscriptions/{watched.subscription_id}", (202, 404), force="true")


def explained(watched) -> dict:
    """The scoring ids of all tasks, with who asked for them."""
    rows = watched.client.get("/v2/explanation_tasks", subscription_id=watched.subscription_id,
                              limit=1000)["explanation_values"]
    return {row[1]: row[5] for row in rows}


def tasks(watched) -> list[str]:
    return [row[0] for row in watched.client.get("/v2/explanation_tasks", limit=1000)["explanation_values"]]


def counts(watched) -> dict:
    return watched.client.get(f"/v2/monitor_instances/{watched.monitor_id}")["entity"]["parameters"]["automatic_count"]


def log_many(watched, n, prefix="r", image=None) -> list[str]:
    """One image under many ids, in one request."""
    transaction = watched.transaction(image or blocks())
    body = [{**transaction, "scoring_id": f"{prefix}{i}-1"} for i in range(n)]
    return watched.client.post(watched.records_path, body)["scoring_ids"]


# ---- which records ----

def test_nothing_is_explained_unasked_without_rules(watched):
    watched.log(blocks())
    parameters = watched.client.get(f"/v2/monitor_instances/{watched.monitor_id}")["entity"]["parameters"]
    assert explained(watched) == {} and "automatic_count" not in parameters


def test_an_automatic_explanation_is_one_like_any_other_and_tells_its_rule(ruled):
    watched = ruled({"name": "all of them", "share": 1})
    [scoring_id] = watched.log(blocks())
    [task_id] = tasks(watched)
    task = wait_for(watched.client, task_id)
    assert task["entity"]["status"]["state"] == "finished" and task["entity"]["scoring_id"] == scoring_id
    assert task["entity"]["automatic"] == {"rule": "all of them"}
    assert task["metadata"]["created_by"] == "automatic"
    [asked] = watched.explain(scoring_id)
    again = wait_for(watched.client, asked)
    assert "automatic" not in again["entity"]
    assert again["entity"]["explanations"] == task["entity"]["explanations"]


def test_a_probability_below(ruled, model):
    watched = ruled({"name": "unsure", "probability_below": 0.7})
    for first, p in enumerate((0.69, 0.7, 0.95, 0.5)):
        model.probabilities = lambda image, p=p: [1 - p, p]
        watched.log(blocks(first=first), scoring_id=f"p{p}")
    assert set(explained(watched)) == {"p0.69-1", "p0.5-1"}


def test_labels_are_those_of_the_records(ruled, model):
    watched = ruled({"name": "numbers", "labels": [1]})
    for name, p in (("one", 0.9), ("zero", 0.1)):
        model.probabilities = lambda image, p=p: [1 - p, p]
        watched.log(blocks(), scoring_id=name)
    assert set(explained(watched)) == {"one-1"}
    watched.client.patch(f"/v2/monitor_instances/{watched.monitor_id}", [
        {"op": "replace", "path": "/parameters/automatic/rules/0/labels", "value": ["lynx", "snow \u2603"]}])
    for name, label in (("a", "lynx"), ("b", "Lynx"), ("c", "snow \u2603"), ("d", 1)):
        transaction = watched.transaction(blocks(), scoring_id=name)
        transaction["response"]["predictions"][0]["values"][0][:2] = [label, label]
        transaction["response"]["predictions"][0]["fields"][:2] = ["prediction", "label"]
        watched.client.post(watched.records_path, [transaction])
    assert set(explained(watched)) == {"one-1", "a-1", "c-1"}


def is_of_share(scoring_id, share) -> bool:
    first = hashlib.blake2b(scoring_id.encode(), digest_size=32).digest()[:8]
    return int.from_bytes(first, "big") < share * 2**64


def test_a_share_is_of_the_scoring_ids_and_the_same_every_time(ruled, model):
    watched = ruled({"name": "sample", "share": 0.3})
    model.hold()
    scoring_ids = log_many(watched, 200)
    expected = {i for i in scoring_ids if is_of_share(i, 0.3)}
    assert 30 < len(expected) < 90 and set(explained(watched)) == expected


def test_the_first_of_an_hour_by_whichever_request_they_come(ruled, model):
    watched = ruled({"name": "first", "first_per_hour": 3})
    model.hold()
    hour = int(time.time()) // 3600
    logged = log_many(watched, 2, "a") + log_many(watched, 4, "b")
    if int(time.time()) // 3600 != hour:
        pytest.skip("the hour ended meanwhile")
    assert set(explained(watched)) == set(logged[:3])
    assert counts(watched)["rules"][0]["this_hour"] == 3


def test_all_that_a_rule_says_must_hold_and_the_first_rule_that_can_takes_the_record(ruled, model):
    model.probabilities = lambda image: [0.4, 0.6]
    watched = ruled({"name": "both", "labels": [1], "probability_below": 0.5},
                    {"name": "one", "labels": [1], "first_per_hour": 1}, {"name": "rest", "share": 1})
    model.hold()
    log_many(watched, 3)
    rules = [watched.client.get(f"/v2/explanation_tasks/{t}")["entity"]["automatic"]["rule"] for t in tasks(watched)]
    assert rules == ["one", "rest", "rest"]


def test_rules_hold_for_the_gateway_inference_logs_and_payloads_of_v1(ruled, model):
    watched = ruled({"name": "all", "share": 1})
    client = watched.client
    request, response = watched.score(blocks())
    client.request("POST", f"/v2/subscriptions/{watched.subscription_id}/predictions", 200, json=request,
                   headers={"X-Global-Transaction-Id": "through-the-gateway"})
    deadline = time.monotonic() + 20
    while not explained(watched):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    for kind, data in (("request", request), ("response", response)):
        client.request("POST", f"/v2/subscriptions/{watched.subscription_id}/inference_logs", 200, json={
            "specversion": "1.0", "id": "as-events", "source": "test", "data": data,
            "type": f"org.kubeflow.serving.inference.{kind}"}, headers={"Content-Type": "application/cloudevents+json"})
    client.request("POST", f"/v1/data_marts/{client.instance}/scoring_payloads", (200, 202), json=[{
        "binding_id": watched.provider_id, "subscription_id": watched.subscription_id,
        "deployment_id": watched.deployment_id, "scoring_id": "by-v1", "request": request["input_data"][0],
        "response": response["predictions"][0]}])
    assert explained(watched) == dict.fromkeys(("through-the-gateway-1", "as-events-1", "by-v1-1"), "automatic")


# ---- once ----

def test_a_record_gets_one_task_whatever_is_repeated_or_asked(ruled, model):
    watched = ruled({"name": "a", "share": 1}, {"name": "b", "share": 1})
    transaction = watched.transaction(blocks(), scoring_id="once")
    for _ in range(3):
        watched.client.post(watched.records_path, [transaction])
    [task_id] = tasks(watched)
    wait_for(watched.client, task_id)
    watched.client.post(watched.records_path, [transaction])
    assert tasks(watched) == [task_id]


def test_images_that_come_with_the_question_are_explained_for_who_asked(ruled, model):
    watched = ruled({"name": "all", "share": 1})
    body = {"subscription_id": watched.subscription_id, "input_rows": [watched.transaction(blocks())],
            "parameters": {"image": {"seed": 3}}}
    watched.client.post("/v2/explanation_tasks", body)
    assert [row != "automatic" for row in explained(watched).values()] == [True]
    assert counts(watched)["explanations"] == 0


# ---- budgets ----

def test_a_budget_counts_what_was_asked_of_the_model(ruled, model):
    watched = ruled({"name": "all", "share": 1}, model_calls_per_day=BUDGET)
    watched.log(blocks(n=3), scoring_id="first")
    [task_id] = tasks(watched)
    wait_for(watched.client, task_id)
    numbers = watched.client.get(f"/v2/explanation_tasks/{task_id}/attributions")["entity"]
    made = counts(watched)["model_calls"]
    assert made == numbers["model"]["images"] == model.images_of(task_id) >= 8
    watched.client.patch(f"/v2/monitor_instances/{watched.monitor_id}", [
        {"op": "replace", "path": "/parameters/automatic/model_calls_per_day", "value": made + BUDGET - 1}])
    watched.log(blocks(n=2), scoring_id="second")
    seen = counts(watched)
    assert set(explained(watched)) == {"first-1"} and seen["over_budget"] == 1
    assert watched.count() == 2
    watched.client.patch(f"/v2/monitor_instances/{watched.monitor_id}", [
        {"op": "replace", "path": "/parameters/automatic/model_calls_per_day", "value": made + BUDGET}])
    watched.log(blocks(n=2), scoring_id="third")
    assert set(explained(watched)) == {"first-1", "third-1"}


def test_explanations_that_wait_take_of_the_budget_what_they_may_need(ruled, model):
    watched = ruled({"name": "all", "share": 1}, model_calls_per_day=3 * BUDGET)
    model.hold()
    log_many(watched, 5)
    seen = counts(watched)
    assert (seen["explanations"], seen["over_budget"], seen["model_calls_expected"]) == (3, 2, 3 * BUDGET)
    watched.client.delete(f"/v2/explanation_tasks/{tasks(watched)[-1]}")
    log_many(watched, 2, "again")
    seen = counts(watched)
    assert (seen["explanations"], seen["over_budget"], seen["model_calls_expected"]) == (4, 3, 3 * BUDGET)


@pytest.mark.parametrize("image, expected", [
    ({}, 2048), ({"budget": 300}, 300), ({"design": "exact"}, 4096), ({"segmentation": {"max_segments": 5}}, 32)])
def test_what_an_explanation_may_need_is_its_budget_or_its_largest_design(api, model, image, expected):
    watched = Watched(api, model, parameters={"image": image, "automatic": {"rules": [{"name": "all", "share": 1}]}})
    model.hold()
    watched.log(blocks())
    assert counts(watched)["model_calls_expected"] == expected


def test_a_rule_has_its_own_part_of_the_budget(ruled, model):
    watched = ruled({"name": "small", "share": 1, "model_calls_per_day": BUDGET}, {"name": "large", "share": 1})
    model.hold()
    log_many(watched, 3)
    assert {r["name"]: r["explanations"] for r in counts(watched)["rules"]} == {"small": 1, "large": 2}


def test_failed_explanations_are_paid_for(ruled, model, start_daemon):
    answered = []

    def broken(images):
        """The first request of an explanation is answered, later ones are not."""
        if answered:
            return 500, b"no"
        answered.append(len(images))
        return 200, json.dumps(wml_answer(images)).encode()

    model.broken = broken
    watched = ruled({"name": "all", "share": 1}, client=Client(start_daemon(scoring__retries=0).url))
    watched.log(blocks())
    [task_id] = tasks(watched)
    assert wait_for(watched.client, task_id)["entity"]["status"]["state"] == "error"
    assert counts(watched)["model_calls"] == answered[0]


def test_yesterdays_counts_are_no_more(ruled, start_daemon):
    daemon = start_daemon()
    watched = ruled({"name": "first", "first_per_hour": 1}, model_calls_per_day=BUDGET,
                    client=Client(daemon.url, INSTANCE))
    watched.log(blocks(), scoring_id="yesterday")
    wait_for(watched.client, tasks(watched)[0])
    assert counts(watched)["model_calls"] >= 8 and counts(watched)["rules"][0]["this_hour"] <= 1
    daemon.stop()
    database = sqlite3.connect(daemon.data / "explaind.db")
    database.execute("UPDATE automatic_counts SET hour = hour - 24")
    database.commit()
    database.close()
    watched.client = Client(start_daemon().url, INSTANCE)
    assert counts(watched)["model_calls"] == 0 and counts(watched)["rules"] == []
    watched.log(blocks(), scoring_id="today")
    assert set(explained(watched)) == {"yesterday-1", "today-1"}
    assert counts(watched)["explanations"] == 1


# ---- the queue ----

def test_who_asks_comes_first_then_rules_by_priority_then_age(ruled, model):
    watched = ruled({"name": "late", "probability_below": 0.6, "priority": 9},
                    {"name": "soon", "probability_below": 0.8, "priority": 1}, {"name": "usual", "probability_below": 0.9})
    model.hold()
    [running] = watched.explain(*log_with(watched, model, "running", 0.95))
    assert model.asked.wait(30)
    order = {}
    for name, p in (("late", 0.55), ("usual", 0.85), ("soon-a", 0.75), ("usual-b", 0.85), ("soon-b", 0.75)):
        log_with(watched, model, name, p)
        order[name] = tasks(watched)[-1]
    [asked] = watched.explain(*log_with(watched, model, "asked", 0.95))
    model.release()
    for task_id in (*order.values(), asked):
        wait_for(watched.client, task_id)
    assert model.tasks_of("d1") == [running, asked] + [order[name] for name in (
        "soon-a", "soon-b", "usual", "usual-b", "late")]


def log_with(watched, model, scoring_id, p) -> list[str]:
    model.probabilities = lambda image: [1 - p, p]
    return watched.log(blocks(), scoring_id=scoring_id)


def test_asking_for_what_a_rule_queued_moves_it_to_the_front(ruled, model):
    watched = ruled({"name": "all", "share": 1})
    model.hold()
    scoring_ids = log_many(watched, 4)
    queued = tasks(watched)
    assert model.asked.wait(30)
    assert watched.explain(scoring_ids[3]) == [queued[3]]
    model.release()
    for task_id in queued:
        wait_for(watched.client, task_id)
    assert model.tasks_of("d1") == [queued[i] for i in (0, 3, 1, 2)]


def test_rules_leave_half_of_the_queue_to_who_asks(ruled, start_daemon, model):
    client = Client(start_daemon(limits__tasks_queued_per_subscription=6).url)
    watched = ruled({"name": "all", "share": 1}, client=client)
    model.hold()
    scoring_ids = log_many(watched, 8)
    assert len(explained(watched)) == 3 and counts(watched)["queue_full"] == 5
    assert 'explaind_automatic_records_today{outcome="queue_full"} 5' in metrics(client)
    watched.explain(*scoring_ids[3:6])
    client.request("POST", "/v2/explanation_tasks", 429, json={"scoring_ids": scoring_ids[6:7]})


def metrics(client) -> str:
    return client.request("GET", f"{client.url}/metrics").text


def test_what_cannot_be_explained_as_the_monitor_asks_is_logged_all_the_same(ruled, model):
    watched = ruled({"name": "all", "share": 1})
    watched.client.patch(f"/v2/monitor_instances/{watched.monitor_id}", [
        {"op": "add", "path": "/parameters/image/fill", "value": "image"},
        {"op": "add", "path": "/parameters/image/background", "value": "nobody"}])
    watched.log(blocks())
    assert watched.count() == 1 and explained(watched) == {} and counts(watched)["not_possible"] == 1


# ---- on and off ----

@pytest.mark.parametrize("path", ["/parameters/enabled", "/parameters/automatic/enabled"])
def test_rules_are_switched_off_and_on(ruled, path):
    watched = ruled({"name": "all", "share": 1})
    for value, name in ((False, "off"), (True, "on")):
        watched.client.patch(f"/v2/monitor_instances/{watched.monitor_id}", [{"op": "add", "path": path, "value": value}])
        watched.log(blocks(), scoring_id=name)
    assert set(explained(watched)) == {"on-1"}


# ---- crashes ----

class Logging(threading.Thread):
    """Logs one record after the other until the daemon is gone."""

    def __init__(self, watched, transaction, name):
        super().__init__(daemon=True)
        self.watched, self.transaction, self.prefix = watched, transaction, name
        self.client = Client(watched.client.url, watched.client.instance)
        self.acknowledged, self.some = [], threading.Event()

    def run(self):
        try:
            for i in range(300):
                body = [{**self.transaction, "scoring_id": f"{self.prefix}{i}-1"}]
                self.acknowledged += self.client.post(self.watched.records_path, body)["scoring_ids"]
                if i == 5:
                    self.some.set()
        except requests.RequestException:
            pass


def test_records_tasks_and_counts_belong_together_after_sigkill(ruled, start_daemon, model):
    daemon = start_daemon()
    watched = ruled({"name": "all", "share": 1}, {"name": "never", "probability_below": 0}, model_calls_per_day=10**9,
                    client=Client(daemon.url, INSTANCE))
    transaction = watched.transaction(blocks())
    model.hold()
    acknowledged = set()
    for kill in range(2):  # a third one would end the task under way in error
        clients = [Logging(watched, transaction, f"k{kill}-c{i}-") for i in range(4)]
        for client in clients:
            client.start()
        assert all(client.some.wait(60) for client in clients)
        daemon.kill()
        for client in clients:
            client.join(60)
            acknowledged |= set(client.acknowledged)
        daemon = start_daemon()
        watched.client = Client(daemon.url, INSTANCE)
    logged = {row["scoring_id"] for row in watched.values(limit=1000)}
    assert len(acknowledged) >= 2 * 4 * 6 and acknowledged <= logged
    seen = counts(watched)
    assert seen["explanations"] + seen["queue_full"] == len(logged)
    assert len(explained(watched)) == seen["explanations"] and set(explained(watched)) <= logged
    assert seen["model_calls_expected"] == seen["explanations"] * BUDGET
    assert [rule["name"] for rule in seen["rules"]] == ["all"]
