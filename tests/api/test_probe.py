# SPDX-License-Identifier: Apache-2.0
"""Probing a model: what was recognised, what it will cost, and what would help."""
import base64
import json
import re
import subprocess
import time

import numpy
import pytest
from PIL import Image
from support.client import Client, Watched, wait_for
from support.images import blocks
from support.local_server import Handler, LocalServer
from support.model import wml_answer
from support.paths import ROOT, program


class Redirecting(Handler):
    def do_POST(self):
        self.body()
        self.answer(307, Location=f"http://127.0.0.1:{self.server.server_port}/new")


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
    assert ended.stdout.endswith("\n]\n")
    assert all(len(number) <= len(repr(float(number))) for number in re.findall(r"\d+\.\d+", ended.stdout))


@pytest.mark.parametrize("words, code", [
    ((), 64), (("http://127.0.0.1:1/",), 64), (("http://127.0.0.1:1/", "--image", "/nowhere.png"), 65),
    (("http://127.0.0.1:1/", "--image", "PICTURE", "--format", "wml-v4"), 69),
    (("http://127.0.0.1:1/", "--image", "PICTURE", "--format", "grpc"), 64),
    (("http://127.0.0.1:1/", "--image", "PICTURE", "--size", "big"), 64),
])
def test_the_exit_status_says_what_is_wrong(picture, words, code):
    ended = run(*[picture if word == "PICTURE" else word for word in words])
    assert ended.returncode == code, ended.stderr


@pytest.mark.parametrize("answer, option", [
    (b'{"predictions": [[3.5, -2]]}', "--activation"),
    (b'{"predictions": [{"animal": [0.5, 0.5], "colour": [0.5, 0.5]}]}', "--probability-path"),
    (b'{"predictions": ["cat"]}', "--class-labels"),
])
def test_the_command_names_the_option_that_helps(model, picture, answer, option):
    model.broken = lambda images: (200, answer)
    ended = run(f"{model.url}/ml/v4/deployments/d/predictions", "--image", picture, "--format", "wml-v4")
    assert ended.returncode == 69 and option in ended.stdout and "asset_properties" not in ended.stdout, ended.stdout


def test_the_command_probes_a_model_that_answers_with_names_only(model, picture, tmp_path):
    model.broken = lambda images: (200, json.dumps({"predictions": ["cat"] * len(images)}).encode())
    words = f"{model.url}/ml/v4/deployments/d/predictions", "--image", picture, "--format", "wml-v4"
    (tmp_path / "names").write_text("cat\ndog\n")
    ended = run(*words, "--class-labels", tmp_path / "names")
    assert ended.returncode == 0 and "2 classes" in ended.stdout, ended.stdout
    assert run(*words, "--class-labels", tmp_path / "nothing").returncode == 64


# ---- formats, at a shell ----

def takes_image(body):
    return body["image"]


def takes_inputs(body):
    assert isinstance(body["inputs"], str)
    return body["inputs"]


def takes_bytes(body):
    [tensor] = body["inputs"]
    assert tensor["datatype"] == "BYTES" and tensor["shape"] == [1]
    return tensor["data"][0]


def takes_lists(*path):
    def take(body):
        for name in path:
            body = body[name]
        [image] = body
        assert numpy.asarray(image).shape == (24, 24, 3)
    return take


class Picky(Handler):
    """Takes one kind of body at each path, one image at a time."""
    JSON = {"/image-b64": takes_image, "/inputs-b64": takes_inputs, "/open-inference-v2-bytes": takes_bytes,
            "/mlflow": takes_lists("inputs"), "/seldon": takes_lists("data", "ndarray"),
            "/tf-serving-columns": takes_lists("inputs", "input-0"),
            "/mlflow-split-png": lambda body: body["dataframe_split"]["data"][0][0]}
    FILES = {"/image/png": b"\x89PNG", "/image/jpeg": b"\xff\xd8\xff", "/application/x-npy": b"\x93NUMPY"}
    FORMS = {"/form-png": b"\r\n\r\n\x89PNG", "/form-jpeg": b"\r\n\r\n\xff\xd8\xff"}

    def check(self, body):
        if self.path in self.FORMS:
            assert self.headers["Content-Type"].startswith("multipart/form-data; boundary=")
            assert b'name="file"' in body and self.FORMS[self.path] in body
        elif self.path in self.FILES:
            assert self.headers["Content-Type"] == self.path[1:] and body.startswith(self.FILES[self.path])
        elif self.path == "/open-inference-v2-raw":
            assert len(body) - int(self.headers["Inference-Header-Content-Length"]) == 24 * 24 * 3 * 4
        else:
            assert len(json.loads(body)) == 1
            picture = self.JSON[self.path](json.loads(body))
            assert picture is None or base64.b64decode(picture, validate=True).startswith(b"\x89PNG")

    def do_POST(self):
        body = self.body()
        try:
            self.check(body)
            status, answer = 200, b'{"probabilities": [0.25, 0.75]}'
        except (AssertionError, KeyError, TypeError, ValueError):
            status, answer = 400, b'{"detail":\n"not for me"}' + 100 * b" "
        self.answer(status, answer)


@pytest.fixture(scope="module")
def picky():
    server = LocalServer(Picky)
    yield server
    server.stop()


def lines_of(ended) -> dict[str, str]:
    return dict(line.split(maxsplit=1) for line in ended.stdout.splitlines()[1:])


@pytest.mark.parametrize("name", [*(path[1:] for path in (*Picky.JSON, *Picky.FILES, *Picky.FORMS)), "open-inference-v2-raw"])
def test_every_format_is_found_and_can_be_explained_with(picky, picture, name):
    ended = run(f"{picky.url}/{name}", "--image", picture)
    lines = lines_of(ended)
    assert ended.returncode == 0 and lines[name].startswith("yes  2 classes"), ended.stdout
    assert '; answer: {"detail": "not for me"}' in lines["wml-v4"] and lines["wml-v4"].endswith(" …")
    explained = subprocess.run([program("explaind"), "explain", picture, "--model", f"{picky.url}/{name}", "--format",
                                name], capture_output=True, text=True, timeout=120)
    assert explained.returncode == 0, explained.stderr


def test_a_model_of_four_images_and_no_other_number_works_when_that_is_said(model, picture):
    def four(images):
        answer = wml_answer(images, model.probabilities) if len(images) == 4 else {"error": "4 images, please"}
        return 200 if len(images) == 4 else 400, json.dumps(answer).encode()

    model.broken = four
    url = f"{model.url}/ml/v4/deployments/d/predictions"
    assert run(url, "--image", picture, "--format", "wml-v4").returncode == 69
    ended = run(url, "--image", picture, "--format", "wml-v4", "--fixed-batch", "4")
    assert ended.returncode == 0 and "4 images a request" in ended.stdout, ended.stdout
    assert run(url, "--image", picture, "--fixed-batch", "1").returncode == 64


def test_help_and_manual_name_all_formats(picky, picture):
    names = lines_of(run(f"{picky.url}/none", "--image", picture))
    assert len(names) > 20
    help_text, manual = run("--help").stdout, (ROOT / "docs" / "models.md").read_text()
    for name in names:
        assert name in help_text.replace(",", " ").split() and f"`{name}`" in manual, name


def test_redirects_are_said_in_the_table(redirecting, picture):
    ended = run(f"{redirecting.url}/old", "--image", picture, "--format", "custom")
    assert "redirects are not followed" in ended.stdout and f"{redirecting.url}/new" in ended.stdout


def test_lines_come_as_they_are_known_and_the_time_is_bounded(model, picture):
    """The model refuses the first format and holds the second."""
    url = f"{model.url}/ml/v4/deployments/d/predictions"
    model.broken = lambda images: model.hold() or (422, b"no")
    command = [program("explaind"), "probe", url, "--image", str(picture), "--timeout", "20"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline().startswith(url)
        assert process.stdout.readline().split()[:2] == ["wml-v4", "no"]
        process.kill()
    model.hold()
    ended = run(url, "--image", picture, "--timeout", "1")
    lines = lines_of(ended)
    assert ended.returncode == 69 and "time of a probe" in lines["wml-v4"]
    assert lines["image/png"].startswith("not tried")
