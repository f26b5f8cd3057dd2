# SPDX-License-Identifier: Apache-2.0
"""Explaining images that were not logged: they are logged together with their tasks."""
import uuid

import pytest
from support.client import BLACK, Client, Watched, wait_for
from support.images import blocks, gradient
from support.model import binary


def ask(watched, rows, expect=202, **more):
    body = {"input_rows": rows, "subscription_id": watched.subscription_id, **more}
    return watched.client.post("/v2/explanation_tasks", body, expect)


def asked(watched, rows, **more) -> list[str]:
    return ask(watched, rows, **more)["metadata"]["explanation_task_ids"]


def request(*images) -> dict:
    return {"input_data": [{"values": list(images)}]}


def refused(watched, rows, status=400, **more) -> dict:
    """The error; nothing was logged and nothing asked."""
    before = watched.count(), watched.client.get("/v2/explanation_tasks")["total_count"]
    error = ask(watched, rows, status, **more)["errors"][0]
    assert (watched.count(), watched.client.get("/v2/explanation_tasks")["total_count"]) == before
    return error


def test_an_image_that_was_not_logged_is_logged_and_explained(watched):
    sent, response = watched.score(blocks())
    [task_id] = asked(watched, [{"request": sent, "response": response}])
    task = wait_for(watched.client, task_id)
    assert task["entity"]["status"]["state"] == "finished"
    [row] = watched.values(includes="scoring_input")
    assert row["scoring_input"] == blocks()
    [row] = watched.values()
    assert row["scoring_id"] == task["entity"]["scoring_id"]
    assert row["probability"] == response["predictions"][0]["values"][0][0]


def test_it_is_explained_as_if_it_had_been_logged_before(watched):
    transaction = watched.transaction(blocks())
    [logged] = watched.explain(*watched.client.post(watched.records_path, [transaction])["scoring_ids"])
    [unlogged] = asked(watched, [{"request": transaction["request"], "response": transaction["response"]}])
    numbers = [watched.client.get(f"/v2/explanation_tasks/{wait_for(watched.client, task_id)['metadata']['explanation_task_id']}"
                                  "/attributions")["entity"] for task_id in (logged, unlogged)]
    assert numbers[0]["classes"] == numbers[1]["classes"]
    assert numbers[0]["segmentation"] == numbers[1]["segmentation"]


def test_without_a_response_the_models_first_answer_is_logged(api, model):
    watched = Watched(api, model)
    model.hold()
    [task_id] = asked(watched, [{"request": request(blocks())}])
    assert model.asked.wait(30)
    [row] = watched.values()
    assert (row["probability"], row["prediction"], row["prediction_probability"]) == ([], None, None)
    assert watched.count(filter="prediction:null") == 1 and watched.count(filter="prediction:nonnull") == 0
    assert watched.count(filter="prediction:eq:0") == watched.count(filter="prediction:lt:1") == 0
    model.release()
    assert wait_for(api, task_id)["entity"]["status"]["state"] == "finished"
    [row] = watched.values()
    expected = binary(blocks())
    assert row["probability"] == pytest.approx(expected)
    assert row["prediction_probability"] == pytest.approx(max(expected))
    assert row["prediction"] == expected.index(max(expected))
    numbers = api.get(f"/v2/explanation_tasks/{task_id}/attributions")["entity"]
    assert not any("differ" in warning for warning in numbers.get("warnings", []))


def test_what_the_model_said_when_it_was_logged_stays(api, model):
    watched = Watched(api, model)
    row = {"request": request(blocks()), "response": {"fields": ["probability"], "values": [[[0.25, 0.75]]]}}
    [task_id] = asked(watched, [row])
    wait_for(api, task_id)
    assert watched.values()[0]["probability"] == [0.25, 0.75]


@pytest.mark.parametrize("row", [
    {"request": {"fields": ["image"], "values": [blocks()]}},
    {"scoring_input": blocks()},
    {"scoring_input": blocks(), "probability": [0.5, 0.5], "prediction": 1},
    {"fields": ["scoring_input"], "values": [[blocks()]]},
    {"fields": ["scoring_input", "probability"], "values": [[blocks(), [0.5, 0.5]]]},
], ids=["plain request", "row", "row with probability", "table", "table with probability"])
def test_every_form_of_a_record_is_taken(api, model, row):
    watched = Watched(api, model)
    [task_id] = asked(watched, [row])
    task = wait_for(api, task_id)
    assert task["entity"]["status"]["state"] == "finished", task
    assert watched.values(includes="scoring_input")[0]["scoring_input"] == blocks()


def test_scoring_ids_come_first_then_every_image_of_every_row(watched):
    logged = watched.log(blocks())
    transaction_id = uuid.uuid4().hex
    rows = [{"request": request(blocks(first=1), blocks(first=2)), "scoring_id": transaction_id},
            {"request": request(blocks(first=3))}]
    task_ids = asked(watched, rows, scoring_ids=logged)
    scoring_ids = [wait_for(watched.client, task_id)["entity"]["scoring_id"] for task_id in task_ids]
    assert scoring_ids[:3] == [*logged, f"{transaction_id}-1", f"{transaction_id}-2"]
    assert len(set(scoring_ids)) == len(task_ids) == 4
    found = watched.client.get(f"/v2/transactions/{transaction_id}")
    assert found["explanation_task_ids"] == task_ids[1:3]


def test_a_row_that_is_sent_again_is_one_record_and_one_task_in_progress(api, model):
    watched = Watched(api, model)
    model.hold()
    row = {"request": request(blocks()), "scoring_id": "sent-twice"}
    first, second = asked(watched, [row]), asked(watched, [row])
    assert first == second and watched.count() == 1
    error = refused(watched, [{**row, "request": request(blocks(first=1))}], 409)
    assert error["message"].startswith("input_rows[0].scoring_id")
    model.release()
    wait_for(api, first[0])


def test_a_large_image_fits(watched):
    [task_id] = asked(watched, [{"request": request(gradient(224, 224))}])
    watched.client.delete(f"/v2/explanation_tasks/{task_id}")


@pytest.mark.parametrize("rows, field", [
    ([{"response": {}}], "input_rows[0].request"),
    ([{"request": []}], "input_rows[0].request"),
    ([{"request": request(blocks()), "response": 7}], "input_rows[0].response"),
    ([{"request": request(blocks())}, {"request": request([])}], "input_rows[1].request"),
    ([{"request": request(blocks()), "response": {"predictions": []}}], "input_rows[0].response"),
    ([{"probability": [0.5, 0.5]}], "input_rows[0].scoring_input"),
    ([{"request": request(blocks()), "scoring_timestamp": "soon"}], "input_rows[0].scoring_timestamp"),
    ([7], "input_rows[0]"),
    ({}, "input_rows"),
    ("image", "input_rows"),
    ([], "scoring_ids"),
    (None, "scoring_ids"),
])
def test_a_row_that_cannot_be_used_is_refused_with_its_name(watched, rows, field):
    error = refused(watched, rows)
    assert error["parameters"][0].startswith(field), error


def test_an_image_over_the_limit_is_413_with_the_limit(start_daemon, stub_model):
    watched = Watched(Client(start_daemon(limits__payload_bytes=2048).url), stub_model)
    error = refused(watched, [{"request": request(blocks())}], 413)
    assert "2048" in error["message"] and error["message"].startswith("input_rows[0].request")


def test_the_images_of_a_question_count_together(watched):
    rows = [{"fields": ["scoring_input"], "values": [[blocks(4, 4)]] * 101}]
    assert "100" in refused(watched, rows)["message"]


def test_the_subscription_must_be_named_and_exist(watched, api):
    error = refused(watched, [{"request": request(blocks())}], subscription_id=None)
    assert error["parameters"] == ["subscription_id"]
    refused(watched, [{"request": request(blocks())}], 404, subscription_id="none")
    both = f"{watched.subscription_id},{watched.subscription_id}"
    refused(watched, [{"request": request(blocks())}], 404, subscription_id=both)


def test_nothing_is_logged_when_explanations_are_not_enabled(api, stub_model):
    watched = Watched(api, stub_model, enabled=False)
    assert refused(watched, [{"request": request(blocks())}])["code"] == "AIQES0001E"


def test_nothing_is_logged_when_the_queue_is_full(start_daemon, model):
    client = Client(start_daemon(limits__tasks_queued=1).url)
    watched = Watched(client, model, parameters=BLACK)
    model.hold()
    asked(watched, [{"request": request(blocks())}])
    refused(watched, [{"request": request(blocks(first=1))}], 429)
    model.release()


@pytest.mark.parametrize("body", [b'{"input_rows": [', b'{"input_rows": [], "input_rows": []}', b'["input_rows"]',
                                  b'{"input_rows": [], "x": 1, "x": 2}', b'{"input_rows": [nope]}'])
def test_a_malformed_body_is_400(watched, body):
    watched.client.refused("POST", "/v2/explanation_tasks", 400, data=body)


def test_asking_may_wait_for_it_too(watched):
    response = watched.client.request("POST", "/v2/explanation_tasks", json={
        "input_rows": [{"request": request(blocks())}], "subscription_id": watched.subscription_id},
        headers={"Prefer": "wait=60"})
    [task_id] = response.json()["metadata"]["explanation_task_ids"]
    assert watched.client.get(f"/v2/explanation_tasks/{task_id}")["entity"]["status"]["state"] == "finished"
