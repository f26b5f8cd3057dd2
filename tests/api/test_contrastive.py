# SPDX-License-Identifier: Apache-2.0
"""Contrastive explanations: which zones are enough for the class, and which change it when they are hidden."""
import numpy
import pytest
from support.client import BLACK, Watched, wait_for
from support.images import blocks, labels, pane, read_png


def bright_left(image):
    """Class 1 as long as one of the two left bands is bright: (0.9, ...) and (0.1, 0.8, 0.2)."""
    pixels = numpy.asarray(image, dtype=float)
    bands = [pixels[:, left:left + 8].max() > 0.4 for left in (0, 8)]
    p = 0.9 if any(bands) else 0.2
    return [1 - p, p]


@pytest.fixture
def steered(api, model):
    model.probabilities = bright_left
    return Watched(api, model)


def ask(watched, types, **parameters):
    image = blocks(n=6, height=24, width=48)
    [scoring_id] = watched.log(image)
    [task_id] = watched.explain(scoring_id, explanation_types=types, parameters={"image": parameters})
    task = wait_for(watched.client, task_id)
    assert task["entity"]["status"]["state"] == "finished", task
    return task_id, task["entity"]["explanations"], numpy.array(image)


def attributions(watched, task_id):
    return watched.client.get(f"/v2/explanation_tasks/{task_id}/attributions")["entity"]


def test_both_sets_are_in_the_answer_and_as_pictures(steered):
    task_id, explanations, image = ask(steered, ["lime", "contrastive"])
    assert [e["explanation_type"] for e in explanations] == ["lime", "contrastive"]
    entity = attributions(steered, task_id)
    zones = labels(entity["segmentation"], 24, 48)
    contrastive = entity["contrastive"]
    assert contrastive["value"] == "1" and contrastive["calls"] == 0
    positive, negative = contrastive["positive"], contrastive["negative"]
    assert positive["size"] == 1 and positive["value"] == "1" and positive["probability"] == pytest.approx(0.9)
    assert positive["proof"] == "smallest"
    assert positive["segments"][0] in (zones[0, 0], zones[0, 8])
    assert negative["size"] == 2 and negative["value"] == "0" and negative["probability"] == pytest.approx(0.8)
    assert set(negative["segments"]) == {zones[0, 0], zones[0, 8]}
    shown = {p["pertinent"]: p for p in explanations[1]["predictions"]}
    for name, found in (("positive", positive), ("negative", negative)):
        picture = pane(shown[name])
        inside = numpy.isin(zones, found["segments"])
        assert (picture[~inside] == 0).all()
        assert (picture[inside] == (image[inside] * 255).round()).all()
        assert shown[name]["value"] == found["value"]
        drawn = read_png(steered.client.request("GET", f"/v2/explanation_tasks/{task_id}/image", params={
            "pane": f"pertinent_{name}"}).content)
        assert max(drawn.shape) >= 256


def test_contrastive_alone_leaves_the_panes_out(steered):
    _, explanations, _ = ask(steered, ["contrastive"])
    assert [e["explanation_type"] for e in explanations] == ["contrastive"]


def test_without_asking_there_is_none(steered):
    task_id, explanations, _ = ask(steered, ["lime"])
    assert [e["explanation_type"] for e in explanations] == ["lime"]
    assert attributions(steered, task_id)["contrastive"] is None
    error = steered.client.refused("GET", f"/v2/explanation_tasks/{task_id}/image", 404,
                                   params={"pane": "pertinent_positive"})
    assert "no contrastive explanation was asked for" in error["message"]


def test_a_class_that_never_changes_says_so(api, model):
    model.probabilities = lambda image: [0.3, 0.7]
    watched = Watched(api, model)
    task_id, explanations, _ = ask(watched, ["contrastive"])
    contrastive = attributions(watched, task_id)["contrastive"]
    assert contrastive["positive"]["segments"] == [] and contrastive["negative"] is None
    assert [p["pertinent"] for p in explanations[0]["predictions"]] == ["positive"]
    error = watched.client.refused("GET", f"/v2/explanation_tasks/{task_id}/image", 404,
                                   params={"pane": "pertinent_negative"})
    assert "no set of zones" in error["message"]


def test_a_few_calls_confirm_what_was_not_scored(api, model):
    model.probabilities = bright_left
    watched = Watched(api, model)
    task_id, _, _ = ask(watched, ["contrastive"], segmentation={"algorithm": "grid", "rows": 2, "columns": 6})
    entity = attributions(watched, task_id)
    zones = labels(entity["segmentation"], 24, 48)
    contrastive = entity["contrastive"]
    assert 0 < contrastive["calls"] <= 100
    assert entity["model"]["images"] >= entity["sampling"]["calls"] + contrastive["calls"]
    assert contrastive["positive"]["size"] == 1
    assert set(contrastive["negative"]["segments"]) == set(zones[:, :16].ravel().tolist())
    assert contrastive["negative"]["proof"] == "irreducible"


def test_the_subscription_can_ask_for_it_always(api, model):
    model.probabilities = bright_left
    watched = Watched(api, model, parameters={**BLACK, "contrastive": {"enabled": True}})
    [scoring_id] = watched.log(blocks())
    [task_id] = watched.explain(scoring_id)
    explanations = wait_for(api, task_id)["entity"]["explanations"]
    assert [e["explanation_type"] for e in explanations] == ["lime", "contrastive"]


@pytest.mark.parametrize("body, field", [
    ({"explanation_types": ["shap"]}, "explanation_types"),
    ({"parameters": {"contrastive": {"enabled": 1}}}, "parameters.contrastive.enabled"),
    ({"parameters": {"contrastive": {"on": True}}}, "parameters.contrastive.on"),
    ({"parameters": {"lime": {"enabled": False}}}, "parameters.lime.enabled"),
])
def test_a_wrong_wish_is_named(steered, body, field):
    error = steered.client.refused("POST", "/v2/explanation_tasks", 400,
                                   json={"scoring_ids": steered.log(blocks()), **body})
    assert error["parameters"] == [field]
