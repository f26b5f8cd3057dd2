# SPDX-License-Identifier: Apache-2.0
"""Answers as services of many makers write them: each is understood from the logged transaction alone, and all of them,
being the same model, give the same explanation."""
import base64
import io
import json

import numpy
import pytest
from PIL import Image
from support.client import wait_for
from support.local_server import Handler, LocalServer

NAMES = ["bird", "cat", "dog"]
SIDE = 24
rows, columns = numpy.mgrid[:SIDE, :SIDE]
PIXELS = numpy.stack([rows * 10, columns * 10, (rows + columns) * 5], axis=-1).astype(numpy.uint8)


def png(pixels):
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    return base64.b64encode(out.getvalue()).decode()


def pixels_of(image):
    if isinstance(image, str):
        return numpy.asarray(Image.open(io.BytesIO(base64.b64decode(image.rpartition(",")[2]))), float)
    return numpy.asarray(image, float)


def scores(image):
    """A picture's three probabilities, exact to four digits so that percentages are the same numbers."""
    pixels, half = pixels_of(image), SIDE // 2
    strength = numpy.array([pixels[:half].mean(), pixels[half:, :half].mean(), pixels[half:, half:].mean()]) / 40
    p = numpy.round(numpy.exp(strength) / numpy.exp(strength).sum(), 4)
    return [*p[:2].tolist(), round(1 - p[0] - p[1], 4)]


def ranked(image):
    return sorted(zip(NAMES, scores(image)), key=lambda pair: -pair[1])


def pairs(image, label, score, scale=1):
    return [{label: name, score: round(p * scale, 4)} for name, p in ranked(image)]


NUMBERS, PICTURE = PIXELS.tolist(), png(PIXELS)
# request; the answer to a request; what the subscription says, where something has to be said
SERVICES = {
    "hugging face": ({"inputs": PICTURE}, lambda q: pairs(q["inputs"], "label", "score")),
    "torchserve": ({"instances": [{"data": PICTURE}]},
                   lambda q: {"predictions": [dict(ranked(row["data"])) for row in q["instances"]]}),
    "vertex": ({"instances": [{"content": PICTURE}], "parameters": {"maxPredictions": 3}},
               lambda q: {"predictions": [{"ids": ["1", "2", "3"], "displayNames": [n for n, _ in ranked(row["content"])],
                                           "confidences": [p for _, p in ranked(row["content"])]}
                                          for row in q["instances"]], "model": "m"}),
    "mlflow": ({"inputs": [NUMBERS]},
               lambda q: {"predictions": [dict(zip(NAMES, scores(row))) for row in q["inputs"]]}),
    "databricks": ({"dataframe_split": {"columns": ["image"], "data": [[PICTURE]]}},
                   lambda q: {"predictions": [dict(ranked(row[0])) for row in q["dataframe_split"]["data"]]}),
    "seldon": ({"data": {"ndarray": [NUMBERS]}},
               lambda q: {"data": {"names": NAMES, "ndarray": [scores(row) for row in q["data"]["ndarray"]]}, "meta": {}}),
    "seldon tensor": ({"data": {"tensor": {"shape": [1, *numpy.shape(NUMBERS)], "values": numpy.ravel(NUMBERS).tolist()}}},
                      lambda q: {"data": {"names": NAMES, "tensor": {
                          "shape": [q["data"]["tensor"]["shape"][0], len(NAMES)],
                          "values": [p for row in numpy.reshape(q["data"]["tensor"]["values"], q["data"]["tensor"]["shape"])
                                     for p in scores(row.tolist())]}}}),
    "clarifai": ({"inputs": [{"data": {"image": {"base64": PICTURE}}}]},
                 lambda q: {"status": {"code": 10000}, "outputs": [
                     {"id": "o", "data": {"concepts": pairs(row["data"]["image"]["base64"], "name", "value")}}
                     for row in q["inputs"]]}),
    "azure custom vision": ({"image": PICTURE}, lambda q: {"id": "x", "predictions": pairs(q["image"], "tagName", "probability")}),
    "rekognition": ({"Image": {"Bytes": PICTURE}},
                    lambda q: {"Labels": pairs(q["Image"]["Bytes"], "Name", "Confidence", 100)}),
    "gradio": ({"data": ["data:image/png;base64," + PICTURE]},
               lambda q: {"data": [{"label": ranked(q["data"][0])[0][0],
                                    "confidences": pairs(q["data"][0], "label", "confidence")}], "duration": 0.1}),
    "a flask example": ({"image": NUMBERS},
                        lambda q: {"prediction": ranked(q["image"])[0][0], "confidence": ranked(q["image"])[0][1],
                                   "probabilities": dict(ranked(q["image"])), "time_ms": 3}),
    "one class beside all": ({"image": NUMBERS},
                             lambda q: {"label": ranked(q["image"])[0][0], "confidence": ranked(q["image"])[0][1],
                                        "all": dict(ranked(q["image"]))}),
    "roboflow": ({"image": {"type": "base64", "value": PICTURE}},
                 lambda q: {"time": 0.02, "image": {"width": SIDE, "height": SIDE}, "predictions": {
                     name: {"confidence": p, "class_id": NAMES.index(name)} for name, p in ranked(q["image"]["value"])},
                     "predicted_classes": [ranked(q["image"]["value"])[0][0]]}),
    "keras": ({"instances": [NUMBERS]},
              lambda q: {"predictions": [[[f"n{NAMES.index(name)}", name, p] for name, p in ranked(row)]
                                         for row in q["instances"]]}),
    "baidu": ({"image": PICTURE}, lambda q: {"log_id": 7, "result_num": 3, "result": [
        pair | {"root": "animal"} for pair in pairs(q["image"], "keyword", "score")]}),
    "a custom engine": ({"values": [NUMBERS]},
                        lambda q: {"fields": ["probabilities", "labels", "prediction"], "values": [
                            [[p for _, p in ranked(row)], [name for name, _ in ranked(row)], ranked(row)[0][0]]
                            for row in q["values"]]}),
    "triton classes": ({"inputs": [{"name": "x", "shape": [1, *numpy.shape(NUMBERS)], "datatype": "UINT8",
                                    "data": numpy.ravel(NUMBERS).tolist()}], "outputs": [
                                        {"name": "p", "parameters": {"classification": 3}}]},
                       lambda q: {"outputs": [{"name": "p", "datatype": "BYTES", "shape": [q["inputs"][0]["shape"][0], 3],
                                               "data": [f"{p:f}:{NAMES.index(name)}:{name}"
                                                        for row in numpy.reshape(q["inputs"][0]["data"], q["inputs"][0]["shape"])
                                                        for name, p in ranked(row.tolist())]}]}),
    "seldon text": ({"strData": PICTURE}, lambda q: {"strData": json.dumps(dict(ranked(q["strData"]))), "meta": {}}),
    "chat": ({"model": "m", "messages": [{"role": "system", "content": "Answer in JSON."}, {"role": "user", "content": [
        {"type": "text", "text": "Which animal?"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64," + PICTURE}}]}]},
             lambda q: {"choices": [{"index": 0, "message": {"role": "assistant", "content": "```json\n" + json.dumps(dict(
                 ranked(q["messages"][1]["content"][1]["image_url"]["url"]))) + "\n```"}}], "usage": {"total_tokens": 17}}),
    "numbers as texts": ({"image": PICTURE}, lambda q: [{"label": name, "score": f"{p:.4f}"} for name, p in ranked(q["image"])]),
    "two columns": ({"inputs": {"age": [[42]], "image": [NUMBERS]}},
                    lambda q: {"outputs": [dict(ranked(image)) for image, _ in zip(q["inputs"]["image"], q["inputs"]["age"],
                                                                                    strict=True)]}),
    "names beside": ({"image": NUMBERS}, lambda q: {"probabilities": [p for _, p in ranked(q["image"])],
                                                    "classes": [name for name, _ in ranked(q["image"])]}),
    "a list beside objects": ({"daten": {"bilder": [NUMBERS]}},
                              lambda q: {"meta": {"v": 3}, "ausgabe": [scores(row) for row in q["daten"]["bilder"]]},
                              {"class_labels": NAMES}),
    "the best two": ({"instances": [NUMBERS]}, lambda q: {"predictions": [
        [{"label": name, "score": p} for name, p in ranked(row)[:2]] for row in q["instances"]]}, {"class_labels": NAMES}),
    "indexes beside": ({"image": NUMBERS}, lambda q: {"indices": [NAMES.index(name) for name, _ in ranked(q["image"])],
                                                      "scores": [p for _, p in ranked(q["image"])]}, {"class_labels": NAMES}),
    "a tensor of names": ({"inputs": [{"name": "x", "shape": [1, *numpy.shape(NUMBERS)], "datatype": "UINT8",
                                       "data": numpy.ravel(NUMBERS).tolist()}]}, lambda q: {"outputs": [
        {"name": name, "datatype": kind, "shape": [q["inputs"][0]["shape"][0], 3], "data": [
            pair[i] for row in numpy.reshape(q["inputs"][0]["data"], q["inputs"][0]["shape"]) for pair in ranked(row.tolist())]}
        for i, (name, kind) in enumerate([("labels", "BYTES"), ("scores", "FP32")])]}),
    "columns of lists": ({"inputs": [NUMBERS]}, lambda q: {"outputs": {
        "classes": [[name for name, _ in ranked(row)] for row in q["inputs"]],
        "scores": [[p for _, p in ranked(row)] for row in q["inputs"]]}}),
    "a column for each class": ({"values": [NUMBERS]}, lambda q: {
        "fields": ["prediction", *(f"P({name})" for name in NAMES)],
        "values": [[ranked(row)[0][0], *scores(row)] for row in q["values"]]}),
    "logprobs": ({"messages": [{"role": "user", "content": [
        {"type": "image_url", "image_url": {"url": "data:image/png;base64," + PICTURE}}]}], "logprobs": True},
                 lambda q: {"choices": [{"message": {"content": "cat"}, "logprobs": {"content": [
                     {"token": "cat", "logprob": -1, "top_logprobs": [
                         {"token": name, "logprob": float(numpy.log(p))}
                         for name, p in ranked(q["messages"][0]["content"][0]["image_url"]["url"])]}]}}]}),
    "four images and no other number": ({"instances": [NUMBERS] * 4}, lambda q: {"predictions": [
        dict(zip(NAMES, scores(row))) for row, _ in zip(q["instances"], range(4), strict=True)]}),
    "four images as said": ({"instances": [NUMBERS] * 4}, lambda q: {"predictions": [
        dict(zip(NAMES, scores(row))) for row, _ in zip(q["instances"], range(4), strict=True)]}, {"fixed_batch": 4}),
    "more than classes": ({"instances": [NUMBERS]},
                          lambda q: {"predictions": [dict(ranked(row)) | {"time_ms": 12} for row in q["instances"]]},
                          {"class_labels": NAMES}),
}


class Services(Handler):
    def do_POST(self):
        _, answer, *_ = SERVICES[self.path.strip("/").replace("-", " ")]
        try:
            body = json.dumps(answer(json.loads(self.body())))
            status = 200
        except (KeyError, IndexError, TypeError, ValueError) as wrong:
            body, status = json.dumps({"error": str(wrong)}), 422
        self.answer(status, body.encode())

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def server():
    server = LocalServer(Services)
    yield server
    server.stop()


def explained(api, server, name):
    """The entity of an explanation; its classes, the most probable first."""
    request, answer, *settings = SERVICES[name]
    url = f"{server.url}/{name.replace(' ', '-')}"
    body = api.subscription_body(api.add_provider(url), url, "d", "multiclass")
    for setting in settings:
        body.setdefault("asset_properties", {})["explaind"] = setting
    subscription_id = api.post("/v2/subscriptions", body)["metadata"]["id"]
    api.enable_explanations(subscription_id)
    path = f"/v2/data_sets/{api.data_set_of(subscription_id)}/records"
    scoring_id = api.post(path, [{"request": request, "response": answer(request)}])["scoring_ids"][0]
    [task_id] = api.post("/v2/explanation_tasks", {
        "scoring_ids": [scoring_id], "subscription_id": subscription_id,
        "parameters": {"image": {"segmentation": {"algorithm": "grid", "max_segments": 6}, "fill": "black", "classes": "all"}}})[
            "metadata"]["explanation_task_ids"]
    task = wait_for(api, task_id)
    assert task["entity"]["status"]["state"] == "finished", task
    return api.get(f"/v2/explanation_tasks/{task_id}/attributions")["entity"]


@pytest.fixture(scope="module")
def known():
    """What was explained already."""
    return {}


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_understood_from_one_transaction(api, server, known, name):
    reference = known.get("mlflow") or known.setdefault("mlflow", explained(api, server, "mlflow")["classes"])
    weights = {c["label"]: c["weights"] for c in reference}
    entity = explained(api, server, name)
    classes = entity["classes"]
    assert any("named only its most probable classes" in warning for warning in entity["warnings"]) == (name == "the best two")
    assert [(c["label"], c["probability"]) for c in classes] == [(n, pytest.approx(p)) for n, p in ranked(PICTURE)]
    assert any(abs(weight) > 0.01 for weight in classes[0]["weights"])
    for c in classes:
        numpy.testing.assert_allclose(c["weights"], weights[c["label"]], atol=1e-9)


UNREADABLE = {
    "a member that is no class": ([{"cat": 0.9, "dog": 0.1, "time_ms": 12}], '"time_ms" is 12'),
    "a number that is none": ([[0.9, None]], "predictions[0][1]: a probability is not a number"),
    "a number that is no probability": ([[0.9, 1.5]], "predictions[0]: 1.5 is no probability"),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_an_answer_that_is_not_understood_is_refused_with_the_place(api, name):
    rows_, says = UNREADABLE[name]
    url = "http://127.0.0.1:1/online"
    body = api.subscription_body(api.add_provider(url), url, "d", "multiclass")
    subscription_id = api.post("/v2/subscriptions", body)["metadata"]["id"]
    error = api.refused("POST", f"/v2/data_sets/{api.data_set_of(subscription_id)}/records", 400,
                        json=[{"request": {"instances": [NUMBERS]}, "response": {"predictions": rows_}}])
    assert says in error["message"], error


def test_a_model_that_names_other_classes_later_gets_advice(api, model):
    """The best two of three, without the names of all of them."""
    names = iter(range(1000))
    model.broken = lambda images: (200, json.dumps({"predictions": [
        [{"label": name, "score": 0.5} for name in (NAMES[:2] if next(names) == 0 else NAMES[1:])] for _ in images]}).encode())
    url = model.url + "/ml/v4/deployments/d/predictions"
    subscription_id = api.post("/v2/subscriptions", api.subscription_body(api.add_provider(url), url))["metadata"]["id"]
    found = api.post(f"/v2/subscriptions/{subscription_id}/probe", {"request": {"values": [NUMBERS]}}, 200)
    assert not found["works"] and "class_labels" in found["problem"]["message"], found
