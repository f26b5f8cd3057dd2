# SPDX-License-Identifier: Apache-2.0
"""Requests to models that are not JSON: raw tensors of the Open Inference Protocol V2, NumPy files, pictures."""
import base64
import io
import json
import uuid
from email import policy
from email.parser import BytesParser

import numpy
import pytest
import requests
from PIL import Image
from support.client import Watched, explained_prediction, wait_for
from support.data import until
from support.local_server import Handler, LocalServer
from support.model import ModelInTest, binary
from support.paths import MODELS
from support.processes import ModelServer

DIGITS = MODELS / "digits.onnx"
V2 = "/v2/models/m/infer"
HEAD = "Inference-Header-Content-Length"

IMAGE = numpy.zeros((28, 28), dtype=numpy.uint8)
IMAGE[4:8, 6:22] = 230
for _row in range(8, 25):
    IMAGE[_row, 17 - (_row - 8) // 2:21 - (_row - 8) // 2] = 250 - _row
NUMBERS = IMAGE[..., None].tolist()


def tensor(image, datatype="FP32", **more):
    return {"inputs": [{"name": "image", "shape": [1, *image.shape], "datatype": datatype,
                        "data": image.ravel().tolist()} | more]}


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    server = ModelServer(tmp_path_factory.mktemp("bodies"), DIGITS)
    yield server
    server.stop()


def attributions(api, url, request, response=None, explaind=None) -> dict:
    body = api.subscription_body(api.add_provider(url), url, "d", "multiclass")
    body["asset_properties"] = {"explaind": explaind or {}}
    subscription_id = api.post("/v2/subscriptions", body)["metadata"]["id"]
    api.enable_explanations(subscription_id)
    records = f"/v2/data_sets/{api.data_set_of(subscription_id)}/records"
    if response is None:
        response = api.session.post(url, json=request, timeout=60).json()
    [scoring_id] = api.post(records, [{"request": request, "response": response}])["scoring_ids"]
    [task_id] = api.post("/v2/explanation_tasks", {"scoring_ids": [scoring_id]})["metadata"]["explanation_task_ids"]
    task = wait_for(api, task_id)
    assert task["entity"]["status"]["state"] == "finished", task
    return api.get(f"/v2/explanation_tasks/{task_id}/attributions")["entity"]


def weights(entity) -> list:
    return entity["classes"][0]["weights"]


@pytest.fixture(scope="module")
def as_json():
    return {}


@pytest.fixture
def reference(api, served, as_json):
    """The weights of the same image when all bodies are JSON."""
    if not as_json:
        entity = attributions(api, served.url + V2, tensor(IMAGE[..., None]), explaind={"binary": "never"})
        assert entity["model"]["content_type"] == "application/json"
        as_json["weights"] = weights(entity)
    return as_json["weights"]


# ---- raw tensors ----

@pytest.mark.parametrize("datatype", ["FP32", "FP64", "UINT8", "INT32"])
@pytest.mark.parametrize("batch", [1, 64])
def test_raw_tensors_give_the_same_explanation(api, served, reference, datatype, batch):
    entity = attributions(api, served.url + V2, tensor(IMAGE[..., None], datatype),
                          explaind={"binary": "always", "batch": batch})
    assert entity["model"]["content_type"] == "application/octet-stream"
    assert (entity["model"]["batch"] > 1) == (batch > 1)
    numpy.testing.assert_allclose(weights(entity), reference, atol=1e-6)


def test_raw_tensors_are_used_by_themselves_where_they_are_smaller(api, served, reference):
    small = attributions(api, served.url + V2, tensor(IMAGE[..., None], "UINT8"))
    assert small["model"]["content_type"] == "application/octet-stream"
    numpy.testing.assert_allclose(weights(small), reference, atol=1e-6)
    # four bytes a number are more than "0,"
    large = attributions(api, served.url + V2, tensor(IMAGE[..., None], "FP64"))
    assert large["model"]["content_type"] == "application/json"


def test_what_was_logged_plainly_is_sent_raw_to_a_v2_address(api, served, reference):
    unsure = {"fields": ["probability"], "values": [[[0.1] * 10]]}
    entity = attributions(api, served.url + V2, {"values": [NUMBERS]}, unsure, {"datatype": "UINT8"})
    assert entity["model"]["content_type"] == "application/octet-stream"
    numpy.testing.assert_allclose(weights(entity), reference, atol=1e-6)


def test_tensors_with_parameters_of_their_own_stay_json(api, served, reference):
    request = tensor(IMAGE[..., None], "UINT8", parameters={"content_type": "np"})
    entity = attributions(api, served.url + V2, request)
    assert entity["model"]["content_type"] == "application/json"
    numpy.testing.assert_allclose(weights(entity), reference, atol=1e-6)


class V2InTest(ModelInTest):
    """Takes V2 as JSON; what it does with a raw tensor is the test's choice."""

    def __init__(self):
        super().__init__()
        self.raw, self.heads, self.json_bodies = lambda: (400, b"{}"), [], []

    def answer(self, path, headers, body):
        if headers.get(HEAD):
            head = json.loads(body[:int(headers[HEAD])])
            self.heads.append((head, len(body) - int(headers[HEAD]), headers["Content-Type"]))
            return self.raw()
        request = json.loads(body)
        self.json_bodies.append(request)
        [sent] = request["inputs"]
        images = numpy.asarray(sent["data"], dtype=float).reshape(sent["shape"])
        p = [binary(image) for image in images]
        return 200, json.dumps({"outputs": [{"name": "p", "shape": [len(p), 2], "datatype": "FP64",
                                             "data": numpy.ravel(p).tolist()}]}).encode()


@pytest.fixture
def v2():
    model = V2InTest()
    yield model
    model.stop()


RAW_ANSWERS = {
    "refuses": lambda: (400, b'{"error":"not JSON"}'),
    "breaks": lambda: (500, b"oops"),
    "answers with other numbers": lambda: (200, b'{"outputs":[{"name":"p","shape":[1,2],"datatype":"FP32","data":[0,1]}]}'),
    "answers with nonsense": lambda: (200, b"\0\1\2"),
}


@pytest.mark.parametrize("what", RAW_ANSWERS)
def test_a_model_that_takes_no_raw_tensors_is_asked_once_and_gets_json(api, v2, what):
    v2.raw = RAW_ANSWERS[what]
    image = numpy.zeros((8, 8, 1), dtype=int)
    image[:, :4] = 200
    request = tensor(image, "UINT8")
    entity = attributions(api, f"{v2.url}{V2}", request | {"id": "seven", "parameters": {"trace": True}})
    assert entity["model"]["content_type"] == "application/json" and entity["classes"][0]["weights"]
    [(head, length, media)] = v2.heads
    assert media == "application/octet-stream" and length == 64
    assert head["inputs"] == [{"name": "image", "shape": [1, 8, 8, 1], "datatype": "UINT8",
                               "parameters": {"binary_data_size": 64}}]
    assert head["id"] == "seven" and head["parameters"] == {"trace": True}, "what was logged stays"


def test_raw_tensors_that_a_model_refused_are_tried_again_only_with_other_settings(api, v2):
    watched = Watched(api, v2, parameters={"image": {"fill": "black"}})
    endpoint = "/deployment/scoring_endpoint"
    api.patch(f"/v2/subscriptions/{watched.subscription_id}",
              [{"op": "replace", "path": f"{endpoint}/url", "value": f"{v2.url}{V2}"}])
    image = numpy.zeros((8, 8, 1), dtype=int)
    image[:, :4] = 200

    def explain():
        request = tensor(image, "UINT8") | {"id": uuid.uuid4().hex}
        body = [{"request": request, "response": {"outputs": [{"name": "p", "shape": [1, 2], "datatype": "FP64",
                                                               "data": binary(image)}]}}]
        [task_id] = watched.explain(*api.post(watched.records_path, body)["scoring_ids"])
        assert wait_for(api, task_id)["entity"]["status"]["state"] == "finished"
        return len(v2.heads)

    assert [explain() for _ in range(3)] == [1, 1, 1]
    api.patch(f"/v2/subscriptions/{watched.subscription_id}",
              [{"op": "add", "path": f"{endpoint}/explaind", "value": {"in_flight": 2}}])
    assert [explain(), explain()] == [2, 2]


def test_the_answer_is_asked_for_as_raw_bytes(api, v2):
    image = numpy.full((8, 8, 1), 200)
    image[:, 4:] = 100
    attributions(api, f"{v2.url}{V2}", tensor(image, "UINT8"))
    [(head, _, _)] = v2.heads
    assert head["parameters"] == {"binary_data_output": True}


# ---- files ----

@pytest.mark.parametrize("content_type, batch", [("application/x-npy", True), ("image/png", False)])
@pytest.mark.parametrize("logged", ["numbers", "picture"])
def test_models_that_take_files_give_the_same_explanation(api, served, reference, content_type, batch, logged):
    out = io.BytesIO()
    Image.fromarray(IMAGE).save(out, "PNG")
    image = NUMBERS if logged == "numbers" else {"b64": base64.b64encode(out.getvalue()).decode()}
    response = {"predictions": [{"score": [0.1] * 10, "predicted_label": 0}]}
    entity = attributions(api, served.url + "/invocations", {"instances": [image]}, response,
                          {"content_type": content_type})
    assert entity["model"]["content_type"] == content_type
    assert (entity["model"]["batch"] > 1) == batch
    numpy.testing.assert_allclose(weights(entity), reference, atol=1e-6)


def test_models_that_take_jpeg_give_nearly_the_same_explanation(api, served, reference):
    response = {"predictions": [{"score": [0.1] * 10, "predicted_label": 0}]}
    entity = attributions(api, served.url + "/invocations", {"instances": [NUMBERS]}, response,
                          {"content_type": "image/jpeg"})
    assert entity["model"]["content_type"] == "image/jpeg" and entity["model"]["batch"] == 1
    numpy.testing.assert_allclose(weights(entity), reference, atol=0.02)


def as_file(content_type) -> bytes:
    out = io.BytesIO()
    if content_type == "application/x-npy":
        numpy.save(out, IMAGE[None, :, :, None])
    else:
        Image.fromarray(IMAGE).save(out, content_type.split("/")[1], quality=100)
    return out.getvalue()


@pytest.mark.parametrize("content_type", ["application/x-npy", "image/png", "image/jpeg"])
def test_files_that_passed_through_are_sent_as_such_files(api, served, reference, content_type):
    url = served.url + "/invocations"
    subscription_id = api.add_subscription(api.add_provider(url), url)
    api.enable_explanations(subscription_id)
    answer = api.request("POST", f"/v2/subscriptions/{subscription_id}/predictions", 200, data=as_file(content_type),
                         headers={"Content-Type": content_type})
    entity = explained_prediction(api, subscription_id, answer)
    assert entity["model"]["content_type"] == content_type
    if content_type != "image/jpeg":  # whose pixels are nearly the same, and cut differently
        numpy.testing.assert_allclose(weights(entity), reference, atol=1e-6)
    report = api.post(f"/v2/subscriptions/{subscription_id}/probe", {}, 200)
    assert report["works"] and report["model"]["content_type"] == content_type, report


# ---- uploads ----

class Upload(Handler):
    """A form as the standard library reads it: a file `image`, and a field `k` if the address says so."""
    served = None
    forms = []

    def do_POST(self):
        body = self.body()
        head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
        parts = {part.get_param("name", header="content-disposition"): part
                 for part in BytesParser(policy=policy.HTTP).parsebytes(head + body).iter_parts()}
        self.forms.append({name: (part.get_filename(), part.get_content_type()) for name, part in parts.items()})
        image = parts.get("image")
        if image is None or (self.path == "/two" and parts["k"].get_payload(decode=True) != b'5 "\xc3\xa9"'):
            status, answer = 422, b'{"detail":"image, k"}'
        else:
            kind = image.get_content_type().replace("application/x-image", "image/png")
            got = requests.post(self.served, data=image.get_payload(decode=True), timeout=60, headers={"Content-Type": kind})
            status, answer = got.status_code, got.content
        self.answer(status, answer)


@pytest.fixture
def uploads(served):
    Upload.served, Upload.forms = served.url + "/invocations", []
    server = LocalServer(Upload)
    yield server
    server.stop()


@pytest.mark.parametrize("content_type", [None, "image/png", "application/x-image", "application/x-npy"])
def test_models_that_take_uploads_give_the_same_explanation(api, uploads, reference, content_type):
    response = {"predictions": [{"score": [0.1] * 10, "predicted_label": 0}]}
    settings = {"form_field": "image"} | ({"content_type": content_type} if content_type else {})
    entity = attributions(api, uploads.url + "/one", {"instances": [NUMBERS]}, response, settings)
    assert entity["model"]["content_type"] == "multipart/form-data"
    numpy.testing.assert_allclose(weights(entity), reference, atol=1e-6)
    assert Upload.forms[0] == {"image": ("image.npy" if content_type == "application/x-npy" else "image.png",
                                         content_type or "image/png")}


@pytest.mark.parametrize("content_type", ["application/x-npy", "image/png"])
def test_a_form_that_passed_through_is_sent_again_with_its_other_fields(api, uploads, reference, content_type):
    url = uploads.url + "/two"
    subscription_id = api.add_subscription(api.add_provider(url), url)
    api.enable_explanations(subscription_id)
    answer = api.request("POST", f"/v2/subscriptions/{subscription_id}/predictions", 200, data={"k": '5 "é"'},
                         files={"image": ("cät.png", as_file(content_type), content_type)})
    entity = explained_prediction(api, subscription_id, answer)
    assert entity["model"]["content_type"] == "multipart/form-data"
    numpy.testing.assert_allclose(weights(entity), reference, atol=1e-6)
    assert len(Upload.forms) > 3 and all(form == Upload.forms[0] for form in Upload.forms)


def test_forms_that_make_no_sense_are_refused(api, uploads):
    body = api.subscription_body(api.add_provider(uploads.url), uploads.url, "d", "multiclass")
    for settings, message in (({"form_field": "f", "content_type": "application/json"}, "image/png"),
                              ({"form_field": ""}, "a name"), ({"form_field": "a\r\nb"}, "a name")):
        body["asset_properties"] = {"explaind": settings}
        error = api.refused("POST", "/v2/subscriptions", 400, json=body)
        assert "asset_properties.explaind.form_field" in error["message"] and message in error["message"]
    body["asset_properties"] = {}
    subscription_id = api.post("/v2/subscriptions", body)["metadata"]["id"]
    for form in ({"before": "x", "behind": ""}, {"before": "--a\nb\r\n", "behind": ""}, {"before": 5}, "text"):
        request = {"values": [NUMBERS], "explaind": {"content_type": "image/png", "form": form}}
        error = api.refused("POST", f"/v2/subscriptions/{subscription_id}/probe", 400, json={"request": request})
        assert "explaind.form" in error["message"], error
    assert not Upload.forms


def test_a_probe_tells_what_requests_are(api, served):
    url = served.url + "/invocations"
    body = api.subscription_body(api.add_provider(url), url, "d", "multiclass")
    body["asset_properties"] = {"explaind": {"content_type": "image/png"}}
    subscription_id = api.post("/v2/subscriptions", body)["metadata"]["id"]
    report = api.post(f"/v2/subscriptions/{subscription_id}/probe", {"request": {"instances": [NUMBERS]}}, 200)
    assert report["works"] and report["model"]["content_type"] == "image/png", report


def test_numbers_that_are_no_pixels_are_not_made_into_a_picture(api, served):
    url = served.url + "/invocations"
    body = api.subscription_body(api.add_provider(url), url, "d", "multiclass")
    body["asset_properties"] = {"explaind": {"content_type": "image/png"}}
    subscription_id = api.post("/v2/subscriptions", body)["metadata"]["id"]
    floats = (IMAGE[..., None] / 255).tolist()
    error = api.refused("POST", f"/v2/subscriptions/{subscription_id}/probe", 400,
                        json={"request": {"instances": [floats]}})
    assert "0 to 255" in error["message"]


class Particular(Handler):
    """A model that takes a picture of one media type only, which is its path: the brighter above, the surer of class 1."""

    def do_POST(self):
        file = self.body()
        answer, status = {"error": "unsupported media type"}, 415
        if self.headers["Content-Type"] == self.path.removeprefix("/"):
            p = float(numpy.asarray(Image.open(io.BytesIO(file)).convert("L"), float)[:14].mean() / 255)
            answer, status = [1 - p, p], 200
        body = json.dumps(answer).encode()
        self.answer(status, body)

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def particular():
    server = LocalServer(Particular)
    yield server
    server.stop()


@pytest.mark.parametrize("content_type", ["application/x-image", "application/octet-stream"])
@pytest.mark.parametrize("by", ["gateway", "setting"])
def test_pictures_are_sent_under_the_type_that_a_model_insists_on(api, particular, content_type, by):
    url = f"{particular.url}/{content_type}"
    body = api.subscription_body(api.add_provider(url), url, "d", "multiclass")
    if by == "setting":
        body["asset_properties"] = {"explaind": {"content_type": content_type}}
    subscription_id = api.post("/v2/subscriptions", body)["metadata"]["id"]
    if by == "gateway":
        api.request("POST", f"/v2/subscriptions/{subscription_id}/predictions", 200, data=as_file("image/png"),
                    headers={"Content-Type": content_type})
        until(lambda: api.get(f"/v2/data_sets/{api.data_set_of(subscription_id)}/records", limit=1)["records"])
    report = api.post(f"/v2/subscriptions/{subscription_id}/probe",
                      {"request": {"instances": [NUMBERS]}} if by == "setting" else {}, 200)
    assert report["works"] and report["model"]["content_type"] == content_type, report
