# SPDX-License-Identifier: Apache-2.0
"""Probing a model: what was recognised, what it will cost, and what would help."""
import json
import subprocess
import time
from http.server import BaseHTTPRequestHandler

import numpy
import pytest
from PIL import Image
from support.client import Client, Watched, wait_for
from support.images import blocks
from support.local_server import LocalServer
from support.model import wml_answer
from support.paths import program


class Redirecting(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(307)
        self.send_header("Location", f"http://127.0.0.1:{self.server.server_port}/new")
        self.send_header("Content-Length", "0")
        self.end_headers()


@pytest.fixture
def redirecting():
    server = LocalServer(Redirecting)
    yield server
    server.stop()


def probe(watched, body=None, expect=200, **arguments):
    path = f"/v2/subscriptions/{watched.subscription_id}/probe"
    if body is None:
        return watched.client.request("POST", path, expect, **arguments).json()
    return watched.client.post(path, body, expect)


def test_what_was_logged_last_is_asked_about(watched):
    watched.log(blocks())
    [scoring_id] = watched.log(blocks(16))
    found = probe(watched)
    assert found["works"] and found["scoring_id"] == scoring_id and found["source"] == "record"
    assert found["recognised"]["request"] == found["recognised"]["sent_as"] == "wml_v4"
    assert found["recognised"]["image"]["height"] == 16
    model = found["model"]
    assert model["n_classes"] == 2 and model["noise"] == 0 and model["differs_from_log"] < 1e-6
    assert model["batch"] > 1 and model["images"] >= 98 and model["requests"] < model["images"]
    assert [c["index"] for c in model["top"]] in ([0, 1], [1, 0])
    assert found["explanation"]["usual_calls"] == 256
    assert found["exchange"]["http_status"] == 200
    assert found["exchange"]["request"].startswith('{"input_data"') and len(found["exchange"]["request"]) < 600


def test_a_record_or_a_request_can_be_named(watched):
    [scoring_id] = watched.log(blocks())
    watched.log(blocks(16))
    assert probe(watched, {"scoring_id": scoring_id})["scoring_id"] == scoring_id
    request, _ = watched.score(blocks(12))
    found = probe(watched, {"request": request})
    assert found["source"] == "request" and found["scoring_id"] is None
    assert found["recognised"]["image"]["height"] == 12 and found["model"]["differs_from_log"] is None


@pytest.mark.parametrize("answer, advice", [
    ((200, b'{"predictions": [[3.5, -2]]}'), "activation"),
    ((200, b'{"outcome": "cat"}'), "probability_path"),
    ((401, b"{}"), "credentials"),
    ((404, b"{}"), "deployment.scoring_endpoint.url"),
    ((422, b"{}"), "protocol"),
])
def test_a_model_that_is_not_understood_gets_advice(api, model, answer, advice):
    watched = Watched(api, model)
    watched.log(blocks())
    model.broken = lambda images: answer
    found = probe(watched)
    assert not found["works"] and "model" not in found
    assert found["problem"]["message"] and advice in found["problem"]["advice"]
    assert found["exchange"]["http_status"] == answer[0]


def patch(watched, path, value):
    watched.client.patch(f"/v2/subscriptions/{watched.subscription_id}", [{"op": "add", "path": path, "value": value}])


def test_a_slow_model_that_answers_works(api, model):
    """It answers its first call, and the others not in time."""
    watched = Watched(api, model)
    watched.log(blocks())
    patch(watched, "/asset_properties/explaind", {"call_timeout_ms": 1500})
    answered = []
    model.broken = lambda images: answered.append(1) or (time.sleep(4) if len(answered) > 1 else None) or (
        200, json.dumps(wml_answer(images)).encode())
    found = probe(watched)
    assert found["works"] and found["model"]["n_classes"] == 2 and found["model"]["noise"] is None
    assert found["explanation"]["usual_seconds"] > 0
    assert "call_timeout_ms (1500)" in found["warning"]["message"]
    assert "deadline_ms" in found["warning"]["advice"] and "call_timeout_ms" in found["warning"]["advice"]


def test_a_redirect_is_shown_and_not_followed(api, redirecting):
    client, url = api, redirecting.url
    watched = Watched(client, redirecting, path="/old")
    request = {"values": [blocks()]}
    found = probe(watched, {"request": request})
    assert not found["works"] and found["exchange"]["location"] == f"{url}/new"
    assert f"{url}/new" in found["problem"]["advice"] and "not followed" in found["problem"]["advice"]


def test_a_probe_calls_a_model_that_explanations_leave_alone(start_daemon, model):
    """And ends that, when the model works again; failing probes do not count."""
    client = Client(start_daemon(scoring__retries=0, scoring__breaker_failures=1, explain__retries=0,
                                 scoring__breaker_pause_ms=3600000).url)
    watched = Watched(client, model)
    [scoring_id] = watched.log(blocks())

    def explain():
        [task_id] = watched.explain(scoring_id)
        return wait_for(client, task_id)["entity"]

    model.broken = lambda images: (500, b"{}")
    for _ in range(2):
        assert probe(watched)["exchange"]["http_status"] == 500
    assert explain()["errors"][0]["error"]["code"] == "AIQES0013E"
    assert explain()["errors"][0]["error"]["code"] == "AIQES0016E"
    assert probe(watched)["exchange"]["http_status"] == 500
    model.broken = None
    assert explain()["errors"][0]["error"]["code"] == "AIQES0016E"
    assert probe(watched)["works"]
    assert explain()["status"]["state"] == "finished"


def test_wrong_probes_are_refused(watched):
    path = f"/v2/subscriptions/{watched.subscription_id}/probe"
    error = watched.client.refused("POST", path, 400)
    assert "nothing was logged" in error["message"]
    assert watched.client.refused("POST", path, 404, json={"scoring_id": "nothing-1"})["parameters"] == ["scoring_id"]
    assert watched.client.refused("POST", path, 400, json={"request": {}})["parameters"] == ["request"]
    assert watched.client.refused("POST", path, 400, json={"scoring_id": 7})["parameters"] == ["scoring_id"]
    watched.client.refused("POST", path, 400, data="[")
    watched.client.refused("POST", path, 415, data="{}", headers={"Content-Type": "text/plain"})


# ---- at a shell ----

@pytest.fixture(scope="module")
def picture(tmp_path_factory):
    path = tmp_path_factory.mktemp("probe") / "blocks.png"
    Image.fromarray(numpy.asarray(blocks(), dtype=numpy.uint8)).save(path)
    return path


def run(*words):
    return subprocess.run([program("explaind"), "probe", *map(str, words)], capture_output=True, text=True, timeout=120)


def test_the_command_tells_which_formats_work(model, picture):
    ended = run(f"{model.url}/ml/v4/deployments/d/predictions", "--image", picture)
    assert ended.returncode == 0, ended.stderr
    lines = {line.split()[0]: line.split()[1] for line in ended.stdout.splitlines()[1:]}
    assert lines["wml-v4"] == "yes" and lines["kserve-v1"] == "no"


def test_the_command_prints_json(model, picture):
    ended = run(f"{model.url}/ml/v4/deployments/d/predictions", "--image", picture, "--format", "wml-v4", "--json")
    [found] = json.loads(ended.stdout)
    assert found["works"] and found["format"] == "wml-v4" and found["model"]["n_classes"] == 2


@pytest.mark.parametrize("words, code", [
    ((), 64), (("http://127.0.0.1:1/",), 64), (("http://127.0.0.1:1/", "--image", "/nowhere.png"), 65),
    (("http://127.0.0.1:1/", "--image", "PICTURE", "--format", "wml-v4"), 69),
    (("http://127.0.0.1:1/", "--image", "PICTURE", "--format", "grpc"), 64),
    (("http://127.0.0.1:1/", "--image", "PICTURE", "--size", "big"), 64),
])
def test_the_exit_status_says_what_is_wrong(picture, words, code):
    ended = run(*[picture if word == "PICTURE" else word for word in words])
    assert ended.returncode == code, ended.stderr
