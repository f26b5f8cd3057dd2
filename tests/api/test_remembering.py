# SPDX-License-Identifier: Apache-2.0
"""What is kept in memory never outlives what it was made of."""
import pytest
from support.client import Client, Watched
from support.images import blocks


@pytest.fixture
def read(watched):
    """A finished explanation that was read already: its path, and the record's scoring id."""
    [scoring_id] = watched.log(blocks())
    [task_id] = watched.explain(scoring_id)
    watched.client.request("GET", f"/v2/explanation_tasks/{task_id}", headers={"Prefer": "wait=60"})
    path = f"/v2/explanation_tasks/{task_id}"
    for _ in range(2):
        assert watched.client.get(path)["entity"]["status"]["state"] == "finished"
    return path, scoring_id


def is_gone(client, path):
    for headers in ({}, {"If-None-Match": "*"}):
        client.request("GET", path, 404, headers=headers)


def test_a_deleted_explanation_is_gone_at_once(watched, read):
    watched.client.delete(read[0])
    is_gone(watched.client, read[0])


def test_an_explanation_goes_with_its_purged_record(watched, read):
    purge = watched.client.post(f"/v2/data_sets/{watched.data_set_id}/purges", {"scoring_ids": [read[1]]})
    while watched.client.get(purge["metadata"]["url"])["entity"]["state"] == "active":
        pass
    is_gone(watched.client, read[0])


def test_an_explanation_goes_with_its_subscription(watched, read):
    watched.client.delete(f"/v2/subscriptions/{watched.subscription_id}", force="true")
    is_gone(watched.client, read[0])


def test_an_explanation_is_not_another_data_marts(watched, read):
    is_gone(Client(watched.client.url), read[0])
    is_gone(watched.client, read[0] + "?subscription_id=another")
    watched.client.get(read[0], subscription_id=watched.subscription_id)


def test_records_are_checked_by_the_settings_of_this_moment(watched):
    path = f"/v2/subscriptions/{watched.subscription_id}"
    labels = "/asset_properties/explaind"
    watched.log(blocks())
    watched.client.patch(path, [{"op": "add", "path": labels, "value": {"class_labels": ["a", "b", "c"]}}])
    watched.client.post(watched.records_path, [watched.transaction(blocks())], 400)
    watched.client.patch(path, [{"op": "remove", "path": labels}])
    watched.log(blocks())


def n_explanations(watched) -> int:
    return len(watched.client.get("/v2/explanation_tasks", subscription_id=watched.subscription_id)["explanation_values"])


def test_records_are_picked_by_the_rules_of_this_moment(watched):
    watched.log(blocks())
    assert n_explanations(watched) == 0
    watched.client.patch(f"/v2/monitor_instances/{watched.monitor_id}",
                         [{"op": "add", "path": "/parameters/automatic",
                           "value": {"rules": [{"name": "all", "share": 1}]}}])
    watched.log(blocks())
    assert n_explanations(watched) == 1


def test_records_of_a_deleted_data_set_are_404(watched):
    body = [watched.transaction(blocks())]
    watched.client.post(watched.records_path, body)
    watched.client.delete(f"/v2/subscriptions/{watched.subscription_id}", force="true")
    watched.client.post(watched.records_path, body, 404)


def test_nothing_is_kept_where_there_is_no_room(start_daemon, stub_model):
    watched = Watched(Client(start_daemon(limits__cache_bytes=0).url), stub_model)
    task_id, task = watched.explained(blocks())
    assert watched.client.get(f"/v2/explanation_tasks/{task_id}") == task
