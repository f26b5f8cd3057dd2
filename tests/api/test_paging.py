# SPDX-License-Identifier: Apache-2.0
"""Lists are followed from page to page: by `next`, which names the place behind the last row, or by `offset`."""
import pytest
from support.images import blocks


@pytest.fixture
def logged(watched):
    """Seven records, three of them of the same minute."""
    for i in range(7):
        watched.log(blocks(first=i % 3), scoring_id=f"t {i}&%", scoring_timestamp=f"2024-05-01T10:0{max(i - 2, 0)}:00Z",
                    user_id="ann & bob" if i != 4 else None)
    return watched


def followed(client, path, rows_of, **params):
    """All rows, page by page, and the pages' `next`."""
    page, rows, links = client.get(path, **params), [], []
    while True:
        rows += rows_of(page)
        if "next" not in page:
            return rows, links
        links.append(page["next"])
        assert len(links) < 20
        page = client.get(page["next"]["href"])


def scoring_ids(page):
    return [record["entity"]["values"]["scoring_id"] for record in page["records"]]


@pytest.mark.parametrize("params", [
    {}, {"filter": "user_id:eq:ann & bob"}, {"start": "2024-05-01T10:00:00Z"}, {"end": "2024-05-01T10:03:00Z"},
    {"order": "scoring_timestamp:asc"}, {"order": "scoring_timestamp:desc", "end": "2024-05-01T10:03:00Z"},
    {"order": "scoring_id:desc"}, {"order": "scoring_id:asc", "filter": "scoring_id:gt:t 2"},
    {"order": "prediction_probability:asc"}, {"order": "random", "seed": 3}, {"includes": "scoring_id"}])
@pytest.mark.parametrize("limit", [1, 2, 7])
def test_next_leads_through_every_record_once(logged, params, limit):
    whole = scoring_ids(logged.client.get(logged.records_path, limit=1000, **params))
    rows, links = followed(logged.client, logged.records_path, scoring_ids, limit=limit, **params)
    assert rows == whole and len(set(rows)) == len(rows) > 0
    keyed = not params.get("order", "scoring_id").startswith(("random", "prediction"))
    assert all(("after" in link) == keyed for link in links)
    assert not keyed or all("offset" not in link["href"] for link in links)


def test_a_place_stays_when_records_before_it_go_and_others_come(logged):
    first = logged.client.get(logged.records_path, limit=3)
    logged.log(blocks(), scoring_id="new")
    rest = logged.client.get(logged.records_path, after=first["next"]["after"], include_total_count="true")
    assert scoring_ids(rest) == [f"t {i}&%-1" for i in range(3, 7)] + ["new-1"]
    assert rest["total_count"] == 8 and "next" not in rest


def test_the_table_form_has_next_too(logged):
    page = logged.client.get(logged.records_path, format="list", limit=2)
    assert "format=list" in page["next"]["href"]
    assert len(logged.client.get(page["next"]["href"])["records"][0]["values"]) == 2


def test_explanation_tasks_are_followed(api, watched):
    ids = [watched.explain(*watched.log(blocks(first=i)))[0] for i in range(5)]
    for params in ({}, {"subscription_id": watched.subscription_id}, {"status": "in_progress,finished"}):
        rows, links = followed(api, "/v2/explanation_tasks", lambda page: [row[0] for row in page["explanation_values"]],
                               limit=2, **params)
        assert rows == ids and len(links) == 2
    page = api.get("/v2/explanation_tasks", limit=2, after=links[0]["after"])
    assert page["total_count"] == 5, "of the whole list"


@pytest.mark.parametrize("params, told", [
    ({"after": "x"}, "take it from `next`"), ({"after": "-1"}, "take it from `next`"),
    ({"after": "12", "order": "scoring_timestamp:asc"}, "take it from `next`"),
    ({"after": "1.x", "start": "2024-05-01T10:00:00Z"}, "take it from `next`"),
    ({"after": "12", "order": "random"}, "use offset"), ({"after": "12", "order": "user_id:asc"}, "use offset")])
def test_a_place_that_is_none_is_refused(watched, params, told):
    error = watched.client.refused("GET", watched.records_path, 400, params=params)
    assert error["parameters"] == ["after"] and told in error["message"]
    watched.client.refused("GET", "/v2/explanation_tasks", 400, params={"after": "x"})


def test_a_filter_by_transaction_reads_that_transaction_alone(watched):
    watched.log(blocks(), blocks(first=1), scoring_id="t")
    watched.log(blocks(), scoring_id="t-x")
    assert scoring_ids(watched.client.get(watched.records_path, filter="transaction_id:eq:t")) == ["t-1", "t-2"]
    assert watched.count(filter="transaction_id:eq:t") == 2
