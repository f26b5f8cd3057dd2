# SPDX-License-Identifier: Apache-2.0
"""A transaction id that several subscriptions logged."""
import pytest
from support.client import Watched, wait_for
from support.images import blocks


@pytest.fixture
def twice(api, stub_model):
    """Two subscriptions that logged the same transaction id."""
    pair = [Watched(api, stub_model, deployment_id=name) for name in ("d1", "d2")]
    for first, watched in enumerate(pair):
        watched.log(blocks(first=first), scoring_id="shared")
    return pair


def test_it_is_ambiguous_without_the_subscription(api, twice):
    for path in ("/v2/transactions/shared", "/v2/transactions/shared/explanations"):
        assert api.refused("GET", path, 400)["parameters"] == ["subscription_id"]


def test_each_subscription_has_its_own(api, twice):
    tasks = [watched.explain("shared-1")[0] for watched in twice]
    for task_id, watched in zip(tasks, twice):
        wait_for(api, task_id)
        found = api.get("/v2/transactions/shared", subscription_id=watched.subscription_id)
        assert found["subscription_id"] == watched.subscription_id
        assert len(found["records"]) == 1 and found["explanation_task_ids"] == [task_id]
        explained = api.get("/v2/transactions/shared/explanations", subscription_id=watched.subscription_id, limit=1000)
        assert [e["metadata"]["explanation_task_id"] for e in explained["explanations"]] == [task_id]
        assert explained["limit"] == 20 and explained["total_count"] == 1
    api.refused("GET", "/v2/transactions/shared", 404, params={"subscription_id": "none"})


def test_lists_take_several_ids_and_states(api, twice):
    tasks = [watched.explain("shared-1")[0] for watched in twice]
    for task_id in tasks:
        wait_for(api, task_id)
    both = ",".join(watched.subscription_id for watched in twice)
    assert api.get("/v2/explanation_tasks", subscription_id=both)["total_count"] == 2
    assert api.get("/v2/explanation_tasks", subscription_id=both, scoring_id="shared,other-3")["total_count"] == 2
    assert api.get("/v2/explanation_tasks", scoring_id="shared-1", status="finished,error")["total_count"] == 2
    assert api.get("/v2/explanation_tasks", status="in_progress,error")["total_count"] == 0
    assert api.refused("GET", "/v2/explanation_tasks", 400, params={"status": "finished,done"})["parameters"] == ["status"]


def test_records_are_found_across_data_sets(api, twice):
    twice[0].log(blocks(first=3), scoring_id="more")

    def ids(**params):
        return [r["records"]["entity"]["values"]["scoring_id"] for r in
                api.get("/v2/data_set_records", **params)["data_set_records"]]

    assert ids(transaction_id="shared,more,none") == ["shared-1", "shared-1", "more-1"]
    assert ids(transaction_id="shared,more", limit=1, offset=2) == ["more-1"]
    assert ids(transaction_id="shared", data_set_type="feedback") == []
    assert ids(transaction_id="shared", data_set_type="payload_logging") == ["shared-1", "shared-1"]
    assert ids(transaction_id="shared", start="2100-01-01T00:00:00Z") == []
    assert api.refused("GET", "/v2/data_set_records", 400,
                       params={"transaction_id": "shared", "limit": -1})["parameters"] == ["limit"]


def test_a_page_of_explanations_says_how_many_there_are(api, watched):
    [scoring_id] = watched.log(blocks(), scoring_id="t")
    for seed in (1, 2, 3):
        wait_for(api, watched.explain(scoring_id, parameters={"image": {"seed": seed}})[0])
    page = api.get("/v2/transactions/t/explanations", limit=1, offset=1)
    assert page["total_count"] == 3 and len(page["explanations"]) == 1
