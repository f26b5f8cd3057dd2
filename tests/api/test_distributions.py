# SPDX-License-Identifier: Apache-2.0
"""Records counted by what is in their columns."""
import statistics
import uuid

import pytest
from support.images import blocks

WINDOW = {"start": "2026-01-01T00:00:00Z", "end": "2026-01-03T00:00:00Z", "dataset": "payload_logging"}
REQUEST = {"values": [blocks(2, 2)]}


def log(watched, label, probability, hour=0, time=None, user=None):
    at = f"2026-01-0{1 + hour // 24}T{hour % 24:02}:30:00Z"
    rest = round(1 - probability, 6)
    response = {"fields": ["prediction", "probability"], "labels": ["cat", "dog"],
                "values": [[label, [probability, rest] if label == "cat" else [rest, probability]]]}
    body = [{"request": REQUEST, "response": response, "scoring_timestamp": at, "scoring_id": uuid.uuid4().hex,
             **({} if time is None else {"response_time": time}), **({} if user is None else {"user_id": user})}]
    watched.client.post(watched.records_path, body)


def path(watched, distribution_id="") -> str:
    return f"/v2/data_sets/{watched.data_set_id}/distributions" + (f"/{distribution_id}" if distribution_id else "")


def count(watched, *group, **more) -> dict:
    return watched.client.post(path(watched), {**WINDOW, "group": list(group), **more})["entity"]


@pytest.fixture
def logged(watched):
    """Four records of the window, one in front of it and one behind."""
    log(watched, "cat", 0.95, hour=1, time=10, user="ann")
    log(watched, "cat", 0.65, hour=2, time=20)
    log(watched, "dog", 1.0, hour=30, time=40, user="ann")
    log(watched, "dog", 0.55, hour=47)
    log(watched, "dog", 0.55, hour=48)
    body = [{"request": REQUEST, "response": {"fields": ["prediction", "probability"], "values": [["cat", [0.9, 0.1]]]},
             "scoring_timestamp": "2025-12-31T23:59:59Z", "scoring_id": uuid.uuid4().hex}]
    watched.client.post(watched.records_path, body)
    return watched


def test_predictions_are_counted_by_their_labels(logged):
    entity = count(logged, "prediction")
    assert entity["distribution"] == {"fields": ["prediction", "count"], "values": [["cat", 2], ["dog", 2]]}
    assert entity["processed_records"] == 4 and not entity["limited_data"]
    assert entity["status"] == {"state": "finished"} and entity["group"] == ["prediction"]


def test_numbers_and_times_are_counted_in_bins_whose_last_one_holds_its_end(logged):
    rows = count(logged, "prediction_probability", max_bins=2)["distribution"]["values"]
    assert rows == [[[0.5, 1.0], 4]]
    rows = count(logged, "prediction_probability", max_bins=10)["distribution"]["values"]
    assert [[round(low, 6), round(high, 6), n] for (low, high), n in rows] == [[0.5, 0.6, 1], [0.6, 0.7, 1], [0.9, 1, 2]]
    assert count(logged, "scoring_timestamp", max_bins=2)["distribution"]["values"] == [
        [["2026-01-01T00:00:00.000000Z", "2026-01-02T00:00:00.000000Z"], 2],
        [["2026-01-02T00:00:00.000000Z", "2026-01-03T00:00:00.000000Z"], 2]]
    assert count(logged, "response_time", max_bins=3)["distribution"]["values"] == [
        [None, 1], [[10, 20], 1], [[20, 30], 1], [[30, 40], 1]]


def test_columns_are_counted_together_and_numbers_summed_up(logged):
    times = [f"response_time:{what}" for what in ("sum", "min", "max", "avg", "stddev")]
    table = count(logged, "user_id", "prediction", agg=["count", *times, "prediction_probability:avg"])["distribution"]
    assert table["fields"] == ["user_id", "prediction", "count", *times, "prediction_probability:avg"]
    assert [row[:8] for row in table["values"]] == [
        [None, "cat", 1, 20, 20, 20, 20, None], [None, "dog", 1, None, None, None, None, None],
        ["ann", "cat", 1, 10, 10, 10, 10, None], ["ann", "dog", 1, 40, 40, 40, 40, None]]
    [row] = count(logged, "deployment_id", agg=["response_time:stddev", "prediction_probability:avg"])["distribution"]["values"]
    assert row[1:] == pytest.approx([statistics.stdev([10, 20, 40]), 0.7875])


def test_a_filter_and_a_limit_choose_the_records(logged):
    entity = count(logged, "prediction", filter="prediction:eq:dog,response_time:exists")
    assert entity["distribution"]["values"] == [["dog", 1]] and entity["processed_records"] == 1
    entity = count(logged, "prediction", limit=3)
    assert entity["limited_data"] and entity["processed_records"] == 3
    assert entity["distribution"]["values"] == [["cat", 2], ["dog", 1]], "the first by their time"
    assert not count(logged, "prediction", limit=4)["limited_data"]
    assert count(logged, "prediction", filter="user_id:eq:nobody")["distribution"]["values"] == []


@pytest.mark.parametrize("change, field", [
    ({"group": ["scoring_id"]}, "group[0]"), ({"group": ["prediction", "transaction_id"]}, "group[1]"),
    ({"group": ["probability"]}, "group[0]"), ({"group": ["scoring_input"]}, "group[0]"), ({"group": ["age"]}, "group[0]"),
    ({"group": ["prediction", "prediction"]}, "group[1]"), ({"group": []}, "group"), ({"group": [1]}, "group"),
    ({"group": ["prediction", "user_id", "deployment_id", "asset_revision"]}, "group"),
    ({"agg": ["prediction:avg"]}, "agg[0]"), ({"agg": ["count", "response_time:median"]}, "agg[1]"), ({"agg": []}, "agg"),
    ({"start": "yesterday"}, "start"), ({"end": "2026-01-01T00:00:00Z"}, "end"), ({"dataset": "feedback"}, "dataset"),
    ({"limit": 50001}, "limit"), ({"limit": 0}, "limit"), ({"max_bins": 0}, "max_bins"), ({"max_bins": 101}, "max_bins"),
    ({"filter": "age:gt:3"}, "filter"), ({"colour": "red"}, "colour")])
def test_what_cannot_be_distributed_is_refused_by_name(watched, change, field):
    error = watched.client.refused("POST", path(watched), 400, json={**WINDOW, "group": ["prediction"], **change})
    assert error["message"].startswith(field)


def test_what_was_counted_can_be_read_until_it_is_deleted(logged):
    client = logged.client
    made = client.post(path(logged), {**WINDOW, "group": ["prediction"]})
    found = path(logged, made["metadata"]["id"])
    assert made["metadata"]["url"] == found
    log(logged, "cat", 0.9, hour=3)
    assert client.get(found) == made, "as it was counted"
    client.delete(path(logged))
    assert client.refused("GET", found, 404)
    client.refused("POST", f"/v2/data_sets/{uuid.uuid4()}/distributions", 404, json={**WINDOW, "group": ["prediction"]})


def test_the_latest_hundred_are_kept(logged):
    made = [logged.client.post(path(logged), {**WINDOW, "group": ["prediction"]})["metadata"]["id"] for _ in range(102)]
    for distribution_id, status in zip(made, [404, 404] + [200] * 100):
        logged.client.request("GET", path(logged, distribution_id), status)
