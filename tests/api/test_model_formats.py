# SPDX-License-Identifier: Apache-2.0
"""The same model behind every scoring format: each is recognised from the logged transaction alone, and all of them give
the same explanation."""
import base64
import io
import json

import numpy
import pytest
from PIL import Image
from support.client import wait_for
from support.local_server import Handler, LocalServer
from support.paths import MODELS
from support.processes import ModelServer

DIGITS = MODELS / "digits.onnx"
NAMES = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]

pytestmark = pytest.mark.skipif(not DIGITS.exists(), reason=f"{DIGITS} is missing; scripts/setup brings it")


def digit() -> numpy.ndarray:
    """A bold seven, grey values 0 to 255."""
    image = numpy.zeros((28, 28), dtype=numpy.uint8)
    image[4:8, 6:22] = 230
    for row in range(8, 25):
        column = 20 - (row - 8) // 2
        image[row, column - 3:column + 1] = 250 - row
    return image


def png(image) -> str:
    out = io.BytesIO()
    Image.fromarray(image).save(out, "PNG")
    return base64.b64encode(out.getvalue()).decode()


def tensor(image, **changes):
    return {"name": "image", "shape": [1, 28, 28, 1], "datatype": "FP32", "data": image.ravel().tolist()} | changes


IMAGE = digit()
NUMBERS = IMAGE[..., None].tolist()
UNSURE = {"fields": ["probability"], "values": [[[0.1] * 10]]}
FORMATS = {
    "wml_v4": ("/ml/v4/deployments/example/predictions?version=2020-09-01", {"input_data": [{"values": [NUMBERS]}]}),
    "wml_v3": ("/v3/wml_instances/i/deployments/d/online", {"values": [NUMBERS]}),
    "kserve_v1": ("/v1/models/m:predict", {"instances": [NUMBERS]}),
    "kserve_v1 png": ("/v1/models/m:predict", {"instances": [{"image_bytes": {"b64": png(IMAGE)}}]}),
    "tf_serving png": ("/v1/models/m:predict", {"signature_name": "s", "instances": [{"b64": png(IMAGE)}]}),
    "v2 flat": ("/v2/models/m/infer", {"id": "7", "inputs": [tensor(IMAGE)]}),
    "v2 nested": ("/v2/models/m/infer", {"inputs": [tensor(IMAGE, data=[NUMBERS])]}),
    "v2 version": ("/v2/models/m/versions/1/infer", {"inputs": [tensor(IMAGE, datatype="UINT8")]}),
    "sagemaker": ("/invocations", {"instances": [NUMBERS]}),
    "azure": ("/score", {"input_data": {"data": [NUMBERS]}}),
}


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    directory = tmp_path_factory.mktemp("formats")
    labels = directory / "labels.txt"
    labels.write_text("\n".join(NAMES))
    server = ModelServer(directory, DIGITS, "--labels", labels)
    yield server
    server.stop()


def subscribe(api, url, **properties):
    provider_id = api.add_provider(url)
    body = api.subscription_body(provider_id, url, "d", "multiclass")
    body.setdefault("asset_properties", {}).update(properties)
    subscription_id = api.post("/v2/subscriptions", body)["metadata"]["id"]
    api.enable_explanations(subscription_id)
    return subscription_id


def log(api, subscription_id, request, response):
    path = f"/v2/data_sets/{api.data_set_of(subscription_id)}/records"
    [scoring_id] = api.post(path, [{"request": request, "response": response}])["scoring_ids"]
    return scoring_id


def explain(api, scoring_id):
    answer = api.post("/v2/explanation_tasks", {"scoring_ids": [scoring_id]})
    task_id = answer["metadata"]["explanation_task_ids"][0]
    task = wait_for(api, task_id)
    assert task["entity"]["status"]["state"] == "finished", task
    return api.get(f"/v2/explanation_tasks/{task_id}/attributions")["entity"]


def score(api, url, request):
    response = api.session.post(url, json=request, timeout=60)
    response.raise_for_status()
    return response.json()


def explained(api, served, name, **properties):
    path, request = FORMATS[name]
    subscription_id = subscribe(api, served.url + path, **properties)
    return explain(api, log(api, subscription_id, request, score(api, served.url + path, request)))


@pytest.fixture(scope="module")
def reference():
    return {}


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_gives_the_same_explanation(api, served, reference, name):
    entity = explained(api, served, name)
    [top] = entity["classes"][:1]
    assert (entity["image"]["height"], entity["image"]["width"], entity["image"]["channels"]) == (28, 28, 1)
    assert entity["model"]["batch"] > 1, "several images go into a request"
    assert [warning for warning in entity["warnings"] if "look the same when hidden" not in warning] == []
    assert len(entity["warnings"]) == 1, "the black ground of the digit is its own mean"
    first = reference.setdefault("weights", top["weights"])
    numpy.testing.assert_allclose(top["weights"], first, atol=1e-6)


def test_answers_sorted_by_score_are_told_by_their_labels(api, served, reference):
    request = {"input_data": {"columns": ["image"], "data": [png(IMAGE)]}}
    url = served.url + "/score"
    entity = explain(api, log(api, subscribe(api, url), request, score(api, url, request)))
    first = reference.get("weights") or explained(api, served, "wml_v4")["classes"][0]["weights"]
    numpy.testing.assert_allclose(entity["classes"][0]["weights"], first, atol=1e-6)


@pytest.mark.parametrize("path", ["/v1/models/m:predict", "/v2/models/m/infer", "/ml/v4/deployments/e/predictions"])
def test_values_that_were_logged_plainly_are_sent_as_the_address_says(api, served, path):
    """OpenScale's own form of a record, whatever the model takes."""
    entity = explain(api, log(api, subscribe(api, served.url + path), {"values": [NUMBERS]}, UNSURE))
    assert entity["classes"][0]["weights"]


@pytest.mark.parametrize("protocol, path", [("kserve_v1", "/invocations"), ("open_inference_v2", "/v2/models/m/infer"),
                                            ("custom", "/v3/wml_instances/i/deployments/d/online")])
def test_the_subscription_can_say_the_protocol(api, served, protocol, path):
    subscription_id = subscribe(api, served.url + path, explaind={"protocol": protocol, "batch": 4, "in_flight": 2})
    entity = explain(api, log(api, subscription_id, {"input_data": [{"values": [NUMBERS]}]}, UNSURE))
    assert entity["model"]["batch"] <= 4 and entity["model"]["in_flight"] <= 2


def test_a_jpeg_is_explained_and_drawn(api, served):
    out = io.BytesIO()
    Image.fromarray(IMAGE).save(out, "JPEG", quality=95)
    request = {"instances": [{"b64": base64.b64encode(out.getvalue()).decode()}]}
    url = served.url + "/v1/models/m:predict"
    scoring_id = log(api, subscribe(api, url), request, score(api, url, request))
    task_id = api.post("/v2/explanation_tasks", {"scoring_ids": [scoring_id]})["metadata"]["explanation_task_ids"][0]
    wait_for(api, task_id)
    picture = api.request("GET", f"/v2/explanation_tasks/{task_id}/image", params={"pane": "masked", "scale": 1})
    assert Image.open(io.BytesIO(picture.content)).size == (28, 28)


# ---- pictures as clients write them ----

WRITINGS = {
    "lines": lambda text: "\n".join(text[i:i + 76] for i in range(0, len(text), 76)) + "\n",
    "mime": lambda text: "\r\n".join(text[i:i + 76] for i in range(0, len(text), 76)),
    "url-safe": lambda text: text.replace("+", "-").replace("/", "_"),
    "unpadded": lambda text: text.rstrip("="),
    "url-safe and unpadded": lambda text: text.replace("+", "-").replace("/", "_").rstrip("="),
    "without a type": lambda text: "data:;base64," + text,
    "bytes": lambda text: "data:application/octet-stream;base64," + text,
    "capitals": lambda text: "DATA:IMAGE/PNG;BASE64," + text,
}


def noise():
    """A picture whose base64 has all letters, and needs padding (bytes behind its end do not matter)."""
    pixels = numpy.random.default_rng(5).integers(0, 255, (16, 16, 3), dtype=numpy.uint8)
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    file = out.getvalue()
    return base64.b64encode(file + bytes(1 + (1 - len(file)) % 3)).decode()


class Watcher(Handler):
    """A model that takes pictures in any writing and remembers what came."""
    seen = []

    def do_POST(self):
        image = json.loads(self.body())["image"]
        self.seen.append(image)
        data = image.rpartition(",")[2]
        data = base64.b64decode(data.replace("-", "+").replace("_", "/") + "=" * (-len(data) % 4))
        p = numpy.asarray(Image.open(io.BytesIO(data)), float)[:8].mean() / 255
        body = json.dumps({"probabilities": [p, 1 - p]}).encode()
        self.answer(200, body)

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def watcher():
    server = LocalServer(Watcher)
    yield server
    server.stop()


@pytest.mark.parametrize("name", WRITINGS)
def test_pictures_are_sent_in_the_writing_that_was_logged(api, watcher, name):
    text = WRITINGS[name](noise())
    Watcher.seen.clear()
    subscription_id = subscribe(api, watcher.url + "/score")
    assert explain(api, log(api, subscription_id, {"image": text}, {"probabilities": [0.5, 0.5]}))["classes"][0]["weights"]
    prefix = text.rpartition(",")[0]
    every = [image.rpartition(",") for image in Watcher.seen]
    assert len(every) > 2 and all(before == prefix for before, _, _ in every)
    letters = set("".join(data for _, _, data in every))
    assert letters & set("-_" if name.startswith("url") else "+/") and not letters & set("+/" if name.startswith("url") else "-_")
    assert all(data.endswith("=") or len(data) % 4 == 0 for _, _, data in every) or name.endswith("unpadded")
    assert not name.endswith("unpadded") or "=" not in letters


def test_pixels_in_objects_are_refused_with_the_shapes_that_are_known(api):
    subscription_id = subscribe(api, "http://127.0.0.1:1/online")
    error = api.refused("POST", f"/v2/data_sets/{api.data_set_of(subscription_id)}/records", 400, json=[
        {"request": {"pixels": [[{"r": 1, "g": 2, "b": 3}]]}, "response": {"probabilities": [0.5, 0.5]}}])
    assert "H x W x C, C x H x W or H x W" in error["message"], error


# ---- what the subscription says about the model ----

def brightness(layout="hwc", order="rgb"):
    """A model in this process that takes a flat list: red speaks for class 1, whatever the order of the numbers."""
    def probabilities(flat):
        image = numpy.asarray(flat, dtype=float)
        image = image.reshape(3, 8, 8).transpose(1, 2, 0) if layout == "chw" else image.reshape(8, 8, 3)
        red = image[..., 2 if order == "bgr" else 0] / 255
        return [1 - red[:, :4].mean(), red[:, :4].mean()]
    return probabilities


@pytest.mark.parametrize("layout", ["hwc", "chw"])
@pytest.mark.parametrize("order", ["rgb", "bgr"])
def test_a_flat_list_is_an_image_of_the_shape_that_is_said(api, model, layout, order):
    model.probabilities = brightness(layout, order)
    image = numpy.zeros((8, 8, 3), dtype=int)
    image[:, :4] = [200, 30, 60]
    image[:, 4:] = [20, 180, 90]
    sent = image[..., ::-1] if order == "bgr" else image
    sent = sent.transpose(2, 0, 1) if layout == "chw" else sent
    url = f"{model.url}/ml/v4/deployments/flat/predictions"
    hints = {"shape": [8, 8, 3], "layout": layout, "colour_order": order}
    subscription_id = subscribe(api, url, explaind=hints)
    scoring_id = log(api, subscription_id, {"input_data": [{"values": [sent.ravel().tolist()]}]},
                     {"values": [[[0.5, 0.5]]]})
    task_id = api.post("/v2/explanation_tasks", {"scoring_ids": [scoring_id]})["metadata"]["explanation_task_ids"][0]
    wait_for(api, task_id)
    picture = api.request("GET", f"/v2/explanation_tasks/{task_id}/image",
                          params={"pane": "outline", "scale": 1}).content
    shown = numpy.asarray(Image.open(io.BytesIO(picture)).convert("RGB"), dtype=int)
    assert abs(shown[0, 0] - [200, 30, 60]).max() < 60 and abs(shown[7, 7] - [20, 180, 90]).max() < 60


BAD_SETTINGS = {
    "protocol": ("grpc", "protocol"),
    "layout": ("whc", "layout"),
    "colour_order": ("hsv", "colour_order"),
    "shape": ([8, 8, 2], "shape"),
    "value_range": ([1, 0], "value_range"),
    "mean": ([1, 2], "mean"),
    "std": ([0], "std"),
    "probability_path": ("a..b", "probability_path"),
    "activation": ("relu", "activation"),
    "class_labels": (["a", "a", "a (1)"], "class_labels"),
    "batch": (0, "batch"),
    "in_flight": (65, "in_flight"),
    "call_timeout_ms": ("fast", "call_timeout_ms"),
    "datatype": ("TEXT", "datatype"),
    "binary": ("yes", "binary"),
    "content_type": ("image/tiff", "content_type"),
    "input_name": ('a"b', "input_name"),
    "colour": ("red", "colour"),
}


@pytest.mark.parametrize("name", BAD_SETTINGS)
@pytest.mark.parametrize("place", ["asset_properties", "deployment.scoring_endpoint"])
def test_wrong_settings_are_refused_by_name(api, name, place):
    value, field = BAD_SETTINGS[name]
    provider_id = api.add_provider("http://127.0.0.1:1")
    body = api.subscription_body(provider_id, "http://127.0.0.1:1/online", "d", "multiclass")
    target = body.setdefault("asset_properties", {}) if place == "asset_properties" else \
        body["deployment"]["scoring_endpoint"]
    target["explaind"] = {name: value}
    error = api.refused("POST", "/v2/subscriptions", 400, json=body)
    assert error["parameters"] == [f"{place}.explaind.{field}"], error


def test_images_are_given_back_as_json_whatever_they_were_logged_as(api, served):
    for name, expected in (("v2 flat", IMAGE.ravel().tolist()), ("kserve_v1 png", png(IMAGE)), ("wml_v4", NUMBERS)):
        path, request = FORMATS[name]
        subscription_id = subscribe(api, served.url + path)
        log(api, subscription_id, request, UNSURE)
        records = f"/v2/data_sets/{api.data_set_of(subscription_id)}/records"
        [record] = api.get(records, includes="scoring_input")["records"]
        assert record["entity"]["values"]["scoring_input"] == expected
