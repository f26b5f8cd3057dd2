# SPDX-License-Identifier: Apache-2.0
"""Many clients at once: nothing is lost, doubled or mixed up."""
from concurrent.futures import ThreadPoolExecutor

import pytest
from support.client import Client, Watched, wait_for
from support.images import blocks

CLIENTS = 8


@pytest.fixture
def clients(watched):
    """The same subscription through connections of their own."""
    clients = [Client(watched.client.url, watched.client.instance) for _ in range(CLIENTS)]
    with ThreadPoolExecutor(CLIENTS) as pool:
        yield lambda call: list(pool.map(call, range(CLIENTS), clients))


def post_status(client, path, body) -> int:
    return client.session.post(client.base + path, json=body, timeout=60).status_code


def test_records_logged_side_by_side_are_all_there_once(watched, clients):
    bodies = [[[watched.transaction(blocks(first=c), scoring_id=f"c{c}-r{r}-1")] for r in range(10)]
              for c in range(CLIENTS)]

    def log(number, client):
        return [client.post(watched.records_path, body)["scoring_ids"][0] for body in bodies[number]]

    logged = sorted(scoring_id for ids in clients(log) for scoring_id in ids)
    assert len(set(logged)) == CLIENTS * 10
    assert sorted(values["scoring_id"] for values in watched.values(limit=1000)) == logged


def test_the_same_record_from_all_sides_is_one_row(watched, clients):
    body = [watched.transaction(blocks(), scoring_id="same-1")]
    assert clients(lambda _, client: post_status(client, watched.records_path, body)) == [202] * CLIENTS
    assert watched.count() == 1


def test_different_contents_under_one_id_are_one_row_and_conflicts(watched, clients):
    bodies = [[watched.transaction(blocks(first=i, n=3 + i % 3), scoring_id="contested-1")] for i in range(CLIENTS)]
    statuses = clients(lambda i, client: post_status(client, watched.records_path, bodies[i]))
    stored = watched.values(includes="scoring_input")
    assert len(stored) == 1
    for body, status in zip(bodies, statuses):
        [image] = body[0]["request"]["input_data"][0]["values"]
        assert status == (202 if image == stored[0]["scoring_input"] else 409)


def test_the_same_question_from_all_sides_is_one_task(api, model):
    watched = Watched(api, model)
    [scoring_id] = watched.log(blocks())
    model.hold()
    with ThreadPoolExecutor(CLIENTS) as pool:
        asked = {task_id for ids in pool.map(lambda _: watched.explain(scoring_id), range(CLIENTS)) for task_id in ids}
    model.release()
    assert len(asked) == 1
    assert wait_for(api, asked.pop())["entity"]["status"]["state"] == "finished"


def test_readers_see_whole_answers_while_others_write(watched, clients):
    def work(number, client):
        if number % 2:
            pages = [client.get(watched.records_path, includes="scoring_id,scoring_input") for _ in range(10)]
            return all(len(record["entity"]["values"]) == 2 for page in pages for record in page["records"])
        body = [[watched.transaction(blocks(first=number), scoring_id=f"w{number}-{i + 1}")] for i in range(10)]
        return all(client.post(watched.records_path, b) for b in body)

    assert all(clients(work))
    assert watched.count() == CLIENTS // 2 * 10
