# SPDX-License-Identifier: Apache-2.0
"""Several images in one request to a model: same numbers, found out once, given up when they do not work."""
import json
import threading
import time

import pytest
from support.client import Client, Watched, wait_for
from support.images import blocks
from support.model import wml_answer
from support.processes import StubModel

INSTANCE = "11111111-2222-3333-4444-555555555555"
EIGHT_ZONES = blocks(n=8, height=32, width=64)     # all 256 masks
# a request takes long, an image in it hardly: what makes larger requests worth it
SLOW_REQUESTS = ("--delay-ms", "120")
PLAIN = {"WML v3": "/v3/wml_instances/i/deployments/d1/online", "custom engine": "/v1/deployments/d1/online"}


@pytest.fixture
def start_model(tmp_path):
    started = []

    def start(*options) -> StubModel:
        started.append(StubModel(tmp_path, "linear", *options))
        return started[-1]

    yield start
    for model in started:
        model.stop()


def explained(watched, scoring_id) -> tuple[dict, dict]:
    """The entities of the finished task and of its numbers."""
    [task_id] = watched.explain(scoring_id)
    task = wait_for(watched.client, task_id)
    assert task["entity"]["status"]["state"] == "finished", task
    return task["entity"], watched.client.get(f"/v2/explanation_tasks/{task_id}/attributions")["entity"]


def model_part(watched, scoring_id) -> dict:
    return explained(watched, scoring_id)[1]["model"]


@pytest.fixture(scope="module")
def one_by_one():
    """What the first daemon said, for the others to be compared with."""
    return {}


@pytest.mark.parametrize("batch", [1, 2, 8])
@pytest.mark.parametrize("in_flight", [1, 2, 8])
def test_the_answer_does_not_depend_on_batch_and_requests_in_flight(start_daemon, start_model, one_by_one, batch,
                                                                    in_flight):
    daemon = start_daemon(explain__batch=batch, explain__in_flight=in_flight)
    watched = Watched(Client(daemon.url, INSTANCE), start_model(*(SLOW_REQUESTS if batch > 2 else ())))
    [scoring_id] = watched.log(EIGHT_ZONES, scoring_id="eight")
    for _ in range(2):      # while the number is found out, and when it is known
        task, numbers = explained(watched, scoring_id)
        assert numbers["sampling"]["calls"] == 256
        del numbers["timing_ms"], numbers["model"]
        assert one_by_one.setdefault("answer", (task, numbers)) == (task, numbers)
    part = model_part(watched, scoring_id)
    assert part["batch"] == batch and 1 <= part["in_flight"] <= in_flight


def test_a_model_whose_images_take_their_time_gets_few_in_a_request_and_many_requests(start_daemon, start_model):
    model = start_model("--image-ms", "60", "--workers", "16")  # much more than a busy machine takes
    watched = Watched(Client(start_daemon(explain__in_flight=32).url, INSTANCE), model)
    [scoring_id] = watched.log(EIGHT_ZONES)
    first, second = model_part(watched, scoring_id), model_part(watched, scoring_id)
    assert first["batch"] == second["batch"] <= 4
    assert second["in_flight"] >= 8, "what the first explanation found out is where the second one begins"


def test_a_model_that_says_it_has_too_much_to_do_gets_fewer_requests(api, model):
    busy = threading.Semaphore(2)
    answer = model.answer

    def overloaded(path, headers, body):
        if not busy.acquire(blocking=False):
            return 429, b"{}"
        try:
            time.sleep(0.005)
            return answer(path, headers, body)
        finally:
            busy.release()

    model.answer = overloaded
    watched = Watched(api, model)
    [scoring_id] = watched.log(EIGHT_ZONES)
    assert model_part(watched, scoring_id)["in_flight"] <= 2


@pytest.mark.parametrize("name", PLAIN)
def test_plain_requests_carry_several_images_too(api, start_model, name):
    model = start_model(*SLOW_REQUESTS, "--labels", "dog,cat,emu")
    watched = Watched(api, model, path=PLAIN[name], problem_type="multiclass")
    [scoring_id] = watched.log(EIGHT_ZONES)
    numbers = explained(watched, scoring_id)[1]
    assert [c["label"] for c in numbers["classes"]] == [["cat", "dog", "emu"][int(c["value"])] for c in
                                                        numbers["classes"]]
    assert numbers["model"]["batch"] > 1
    stats = api.session.get(f"{model.url}/stats", timeout=10).json()
    assert stats["images_max"] == numbers["model"]["batch"]
    assert numbers["model"]["requests"] < 256


@pytest.mark.parametrize("status", [400, 413, 500])
def test_a_model_that_takes_few_images_gets_few(api, start_model, status):
    watched = Watched(api, start_model(*SLOW_REQUESTS, "--max-images", "4", "--status", str(status)))
    [scoring_id] = watched.log(EIGHT_ZONES)
    first = model_part(watched, scoring_id)
    assert first["batch"] == 4 and first["retries"] >= 1
    assert first["images"] == 256 + 1 + 2, "trials with 2 and 4 images scored the whole picture again"
    second = model_part(watched, scoring_id)
    assert second["retries"] == 0 and second["images"] == 256 + 1 and second["requests"] == 1 + 64


def test_the_number_found_outlives_a_crash_and_belongs_to_the_address(start_daemon, start_model):
    daemon = start_daemon()
    model = start_model(*SLOW_REQUESTS, "--max-images", "4")
    watched = Watched(Client(daemon.url, INSTANCE), model)
    [scoring_id] = watched.log(EIGHT_ZONES)
    assert model_part(watched, scoring_id)["retries"] == 1
    daemon.kill()
    watched.client = client = Client(start_daemon().url, INSTANCE)
    known = model_part(watched, scoring_id)
    assert known["retries"] == 0 and known["batch"] == 4
    client.patch(f"/v2/subscriptions/{watched.subscription_id}",
                 [{"op": "replace", "path": "/deployment/scoring_endpoint/url",
                   "value": f"{model.url}/ml/v4/deployments/d2/predictions"}])
    assert model_part(watched, scoring_id)["retries"] == 1, "another address is found out about anew"


def test_a_model_that_takes_fewer_images_than_before_is_explained_all_the_same(api, model):
    watched = Watched(api, model)
    [scoring_id] = watched.log(EIGHT_ZONES)
    answer = model.answer

    def roomy(path, headers, body):
        time.sleep(0.2)   # what each request costs, beside which the test itself counts for nothing
        return answer(path, headers, body)

    def picky(path, headers, body):
        return (413, b"{}") if body.count(b"[[[") > 2 else answer(path, headers, body)

    model.answer = roomy
    before, numbers = explained(watched, scoring_id)
    assert numbers["model"]["batch"] > 2
    model.answer = picky
    after, numbers = explained(watched, scoring_id)
    assert after == before
    assert numbers["model"]["batch"] <= 2 and numbers["model"]["retries"] >= 1


def test_a_model_that_fails_for_another_reason_keeps_its_number(api, model):
    watched = Watched(api, model)
    [scoring_id] = watched.log(EIGHT_ZONES)
    batch = model_part(watched, scoring_id)["batch"]

    def broken(images):
        """The untouched image is scored, the variations are not."""
        broken.calls += 1
        return (200, json.dumps(wml_answer(images)).encode() if broken.calls == 1 else b"{}")

    broken.calls = 0
    model.broken = broken
    [task_id] = watched.explain(scoring_id)
    assert wait_for(api, task_id)["entity"]["status"]["state"] == "error"
    model.broken = None
    after = model_part(watched, scoring_id)
    assert after["batch"] == batch and after["retries"] == 0


def test_the_longest_request_is_bounded(start_daemon, start_model):
    model = start_model(*SLOW_REQUESTS)
    client = Client(start_daemon(scoring__body_bytes=200_000).url)
    watched = Watched(client, model)
    [scoring_id] = watched.log(EIGHT_ZONES)
    numbers = explained(watched, scoring_id)[1]["model"]
    assert 1 < numbers["batch"] < 64
    assert numbers["bytes_sent"] <= numbers["requests"] * 200_000
