# SPDX-License-Identifier: Apache-2.0
"""The same question gets the same bytes, whatever the number of workers and of requests in flight."""
import itertools
import json
import os

import numpy
import pytest
from support.client import Client, Watched, wait_for
from support.processes import StubModel

INSTANCE = "7d5c2c6e-6c0f-4d3f-9f6e-2f0a5b1c9d11"
FULL = os.environ.get("EXPLAIND_FULL") == "1"
REPETITIONS = 4  # with each of the settings
# workers, requests in flight, images in a request
SETTINGS = list(itertools.product((1, 2, 4), (1, 2, 8), (1, 5, 64))) if FULL else [(1, 1, 1), (2, 2, 5), (4, 8, 64)]


@pytest.fixture(scope="module")
def interacting_model(tmp_path_factory):
    """A model in which zones work together only: with the black fill the ladder is climbed."""
    model = StubModel(tmp_path_factory.mktemp("stub"), "parity")
    yield model
    model.stop()


def picture():
    """Soft coloured blobs: about a dozen superpixels."""
    rows, columns = numpy.mgrid[0:36, 0:36]
    waves = [numpy.sin(rows / 5 + k) + numpy.cos(columns / (4 + k)) for k in range(3)]
    return numpy.round((numpy.stack(waves, axis=2) + 2) / 4 * 255).astype(int).tolist()


def answer_bytes(client, task_id):
    """All that a client gets of a finished task, but for ids, times and what the work cost."""
    task = client.request("GET", f"/v2/explanation_tasks/{task_id}").json()
    numbers = client.request("GET", f"/v2/explanation_tasks/{task_id}/attributions").json()
    sheet = client.request("GET", f"/v2/explanation_tasks/{task_id}/image?pane=sheet").content
    entity = numbers["entity"]
    del entity["timing_ms"], entity["model"]
    return json.dumps([task["entity"], entity]).encode() + sheet


def ask(client, scoring_id, **image):
    """The answer's bytes, and how many calls it took."""
    body = {"scoring_ids": [scoring_id], "parameters": {"image": image}}
    [task_id] = client.post("/v2/explanation_tasks", body)["metadata"]["explanation_task_ids"]
    assert wait_for(client, task_id)["entity"]["status"]["state"] == "finished"
    calls = client.get(f"/v2/explanation_tasks/{task_id}/attributions")["entity"]["sampling"]["calls"]
    return answer_bytes(client, task_id), calls


def test_repetitions_with_any_number_of_workers_requests_and_images(start_daemon, interacting_model):
    short, long, scoring_id = set(), set(), None
    for workers, in_flight, batch in SETTINGS:
        daemon = start_daemon(explain__workers=workers, explain__in_flight=in_flight, explain__batch=batch)
        client = Client(daemon.url, INSTANCE)
        if scoring_id is None:
            [scoring_id] = Watched(client, interacting_model).log(picture())
        short.update(ask(client, scoring_id) for _ in range(REPETITIONS))
        long.add(ask(client, scoring_id, fill="black", budget=512))
        daemon.stop()
    assert len(short) == 1 and len(long) == 1
    assert min(calls for _, calls in long) > 256, "the ladder was to be climbed"


@pytest.mark.parametrize("image", [
    {"design": "adaptive"}, {"design": "reference", "budget": 300}, {"design": "array", "budget": 600},
    {"segmentation": {"algorithm": "grid", "rows": 6, "columns": 7}, "budget": 500},
    {"segmentation": {"algorithm": "grid", "rows": 6, "columns": 6, "refine": 30}, "budget": 900},
    {"segmentation": {"algorithm": "slic", "n_segments": 14}}, {"fill": "noise"},
])
def test_every_way_of_asking_is_the_same_with_other_settings(start_daemon, interacting_model, image):
    answers, scoring_id = set(), None
    for workers, in_flight, batch in (SETTINGS[0], SETTINGS[-1]):
        daemon = start_daemon(explain__workers=workers, explain__in_flight=in_flight, explain__batch=batch)
        client = Client(daemon.url, INSTANCE)
        if scoring_id is None:
            [scoring_id] = Watched(client, interacting_model, parameters={"contrastive": {"enabled": True}}).log(picture())
        answers.update(ask(client, scoring_id, **image) for _ in range(2))
        daemon.stop()
    assert len(answers) == 1
