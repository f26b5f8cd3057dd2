# SPDX-License-Identifier: Apache-2.0
"""The same question gets the same bytes, whatever the number of workers and of requests in flight."""
import json
import os

import numpy
import pytest
from support.client import Client, Watched, wait_for
from support.processes import StubModel

INSTANCE = "7d5c2c6e-6c0f-4d3f-9f6e-2f0a5b1c9d11"
REPETITIONS = 20 if os.environ.get("EXPLAIND_FULL") == "1" else 4  # of each configuration


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


def test_repetitions_with_any_number_of_workers_and_requests_in_flight(start_daemon, interacting_model):
    short, long, scoring_id = set(), set(), None
    for workers in (1, 4):
        for in_flight in (1, 2, 8):
            daemon = start_daemon(explain__workers=workers, explain__in_flight=in_flight)
            client = Client(daemon.url, INSTANCE)
            if scoring_id is None:
                [scoring_id] = Watched(client, interacting_model).log(picture())
            short.update(ask(client, scoring_id) for _ in range(REPETITIONS))
            long.add(ask(client, scoring_id, fill="black", budget=512))
            daemon.stop()
    assert len(short) == 1 and len(long) == 1
    assert min(calls for _, calls in long) > 256, "the ladder was to be climbed"
