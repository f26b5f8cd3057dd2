# SPDX-License-Identifier: Apache-2.0
"""Records deleted on demand, by time or by id, a little at a time; or their pixels only."""
import pytest
import requests
from support.client import Client, Watched
from support.data import SECONDS, explaind, until
from support.images import blocks


@pytest.fixture
def watched(start_daemon, stub_model):
    daemon = start_daemon(http__connections_per_address=256)
    watched = Watched(Client(daemon.url), stub_model)
    watched.daemon = daemon
    return watched


def log_many(watched, n, prefix="many"):
    """As many small records, a second apart, a thousand a request; their scoring ids."""
    ids = [f"{prefix}{i}-1" for i in range(n)]
    for first in range(0, n, 1000):
        rows = [[[[[i % 250]]], [0.4, 0.6], 1, ids[i], f"2024-05-01T{i // 3600:02}:{i // 60 % 60:02}:{i % 60:02}Z"]
                for i in range(first, min(first + 1000, n))]
        watched.client.post(watched.records_path, [{
            "fields": ["scoring_input", "probability", "prediction", "scoring_id", "scoring_timestamp"], "values": rows}])
    return ids


def purge(watched, wait=True, **body):
    path = f"/v2/data_sets/{watched.data_set_id}/purges"
    asked = watched.client.post(path, body)
    assert asked["entity"]["state"] == "active"
    address = asked["metadata"]["url"]
    if wait:
        until(lambda: watched.client.get(address)["entity"]["state"] == "finished")
        return watched.client.get(address)["entity"]
    return address


def left(watched, **params):
    return [values["scoring_id"] for values in watched.values(limit=1000, **params)]


def assert_sound(daemon):
    done = explaind("fsck", "--data", daemon.directory / "data")
    assert done.returncode == 0, done.stdout


def test_a_window_of_time_goes_with_its_explanations(watched):
    kept_task, _ = watched.explained(blocks())
    ids = log_many(watched, 10)
    [task_id] = watched.explain(ids[4])
    until(lambda: watched.client.get(f"/v2/explanation_tasks/{task_id}")["entity"]["status"]["state"] != "in_progress")
    done = purge(watched, start="2024-05-01T00:00:03Z", end="2024-05-01T00:00:07Z")
    assert done["records_count"] == 4 and not done["pixels_only"] and done["start"].startswith("2024-05-01T00:00:03")
    assert left(watched)[1:] == ids[:3] + ids[7:]
    watched.client.refused("GET", f"/v2/explanation_tasks/{task_id}", 404)
    watched.client.get(f"/v2/explanation_tasks/{kept_task}")
    metrics = watched.daemon.url + "/metrics"
    until(lambda: "explaind_purged_records_total 4\n" in requests.get(metrics, timeout=SECONDS).text)
    assert_sound(watched.daemon)


def test_named_records_go_and_nothing_else(watched):
    watched.log(blocks(), blocks(first=1), scoring_id="t")
    watched.log(blocks(), blocks(first=1), scoring_id="u")
    ids = log_many(watched, 3)
    assert purge(watched, scoring_ids=["t", ids[1], "unknown"])["records_count"] == 2, "a bare id is row 1"
    assert left(watched) == ["t-2", "u-1", "u-2", ids[0], ids[2]]
    assert purge(watched, transaction_ids=["u"])["records_count"] == 2
    assert left(watched) == ["t-2", ids[0], ids[2]]
    assert_sound(watched.daemon)


def test_records_of_another_data_set_with_the_same_id_stay(watched, stub_model):
    other = Watched(watched.client, stub_model, deployment_id="d2")
    for one in (watched, other):
        one.log(blocks(), scoring_id="same")
    assert purge(watched, scoring_ids=["same-1"])["records_count"] == 1
    assert left(watched) == [] and left(other) == ["same-1"]


def test_what_is_logged_after_the_question_stays(watched):
    log_many(watched, 2500)
    address = purge(watched, wait=False, start="2024-01-01T00:00:00Z")
    late = watched.log(blocks(), scoring_timestamp="2024-05-01T00:20:00Z") + watched.log(blocks(first=1))
    until(lambda: watched.client.get(address)["entity"]["state"] == "finished")
    assert left(watched) == late
    assert watched.client.get(address)["entity"]["records_count"] == 2500


def test_logging_goes_on_while_a_purge_does(watched):
    log_many(watched, 3000)
    address = purge(watched, wait=False, end="2024-06-01T00:00:00Z")
    logged, meanwhile = [], 0
    while watched.client.get(address)["entity"]["state"] == "active":
        logged += watched.log(blocks(), scoring_timestamp="2025-01-01T00:00:00Z")
        meanwhile += 0 < watched.client.get(address)["entity"]["records_count"] < 3000
    assert meanwhile > 3, "records were acknowledged between the steps of the purge"
    assert left(watched) == logged
    assert_sound(watched.daemon)


def test_a_purge_goes_on_after_a_crash(watched, start_daemon):
    log_many(watched, 3000)
    address = purge(watched, wait=False, end="2024-06-01T00:00:00Z")
    watched.daemon.kill()
    daemon = start_daemon()
    client = Client(daemon.url, watched.client.instance)
    until(lambda: client.get(address)["entity"]["state"] == "finished")
    assert client.get(address)["entity"]["records_count"] == 3000
    assert client.get(watched.records_path)["records"] == []
    assert_sound(daemon)


def test_an_explanation_in_progress_ends_with_its_record(start_daemon, model):
    watched = Watched(Client(start_daemon().url), model)
    model.hold()
    [scoring_id] = watched.log(blocks())
    [held] = watched.explain(scoring_id)
    assert model.asked.wait(SECONDS)
    assert purge(watched, scoring_ids=[scoring_id])["records_count"] == 1
    watched.client.refused("GET", f"/v2/explanation_tasks/{held}", 404)
    model.release()
    task_id, _ = watched.explained(blocks(first=1))
    assert watched.client.get(f"/v2/explanation_tasks/{task_id}")["entity"]["status"]["state"] == "finished"


def test_without_pixels_the_numbers_and_explanations_stay(watched):
    body = watched.transaction(blocks(), scoring_id="t")
    watched.client.post(watched.records_path, [body])
    [task_id] = watched.explain("t-1")
    path = f"/v2/explanation_tasks/{task_id}"
    until(lambda: watched.client.get(path)["entity"]["status"]["state"] == "finished")
    explanation = watched.client.get(path)
    watched.log(blocks(first=1), scoring_id="u")
    [before, _] = watched.client.get(watched.records_path)["records"]
    assert purge(watched, scoring_ids=["t"], pixels_only=True)["records_count"] == 1

    assert watched.client.get(watched.records_path)["records"][0] == before
    assert watched.client.get(path) == explanation
    assert watched.client.get(path + "/attributions")["entity"]["classes"]
    assert watched.client.post(path + "/replay", {"estimator": "shap"}, 200)["entity"]
    gone, kept = watched.values(includes="scoring_input,scoring_id")
    assert gone["scoring_input"] is None and kept["scoring_input"] == blocks(first=1)
    for refused in (("GET", path + "/image", {}),
                    ("GET", f"{watched.records_path}/{before['metadata']['id']}/scoring_input", {}),
                    ("POST", "/v2/explanation_tasks", {"json": {"scoring_ids": ["t-1"]}})):
        error = watched.client.refused(refused[0], refused[1], 410, **refused[2])
        assert error["code"] == "AIQDT0005E" and "pixels" in error["message"]
    assert watched.client.get(f"{watched.records_path}/{before['metadata']['id']}")["entity"]["values"][
        "scoring_input"] is None

    assert watched.client.post(watched.records_path, [body])["scoring_ids"] == ["t-1"], "the same content is known"
    other = watched.transaction(blocks(first=2), scoring_id="t")
    watched.client.refused("POST", watched.records_path, 409, json=[other])
    assert_sound(watched.daemon)


@pytest.mark.parametrize("body, field", [
    ({}, "scoring_ids"), ({"scoring_ids": ["a"], "transaction_ids": ["b"]}, "scoring_ids"),
    ({"scoring_ids": ["a"], "end": "2024-05-01T00:00:00Z"}, "scoring_ids"), ({"scoring_ids": []}, "scoring_ids"),
    ({"scoring_ids": ["a"] * 1001}, "scoring_ids"), ({"scoring_ids": [1]}, "scoring_ids"),
    ({"start": "yesterday"}, "start"), ({"end": "2024-13-01"}, "end"), ({"before": "2024-05-01"}, "before"),
    ({"end": "2024-05-01T00:00:00Z", "pixels_only": "yes"}, "pixels_only")])
def test_what_cannot_be_understood_deletes_nothing(watched, body, field):
    watched.log(blocks())
    error = watched.client.refused("POST", f"/v2/data_sets/{watched.data_set_id}/purges", 400, json=body)
    assert field in error["message"]
    assert watched.count() == 1


def test_unknown_data_sets_and_purges_are_not_found(watched):
    body = {"end": "2024-05-01T00:00:00Z"}
    watched.client.refused("POST", "/v2/data_sets/none/purges", 404, json=body)
    watched.client.refused("GET", f"/v2/data_sets/{watched.data_set_id}/purges/none", 404)
