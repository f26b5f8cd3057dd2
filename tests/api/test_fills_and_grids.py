# SPDX-License-Identifier: Apache-2.0
"""What hidden zones show, and zones that were asked for."""
import json

import numpy
import pytest
from support.client import Watched, wait_for
from support.images import blocks, labels


@pytest.fixture
def steered(api, model):
    """A subscription of the model in the test, which sees what it is sent."""
    return Watched(api, model)


@pytest.mark.parametrize("fill", ["mean", "black", "blur", "noise", "#20c0ff"])
def test_hidden_zones_show_the_fill_that_was_asked_for(steered, fill):
    seen = []
    answer = steered.model.answer

    def watch(path, headers, body):
        seen.extend(json.loads(body)["input_data"][0]["values"])
        return answer(path, headers, body)

    bands = numpy.array(blocks())
    texture = 0.05 * (numpy.indices(bands.shape[:2]).sum(axis=0) % 2)[..., None]  # or their means would look the same
    image = numpy.abs(bands - texture).round(3).tolist()
    [scoring_id] = steered.log(image)
    steered.model.answer = watch
    [task_id] = steered.explain(scoring_id, parameters={"image": {"fill": fill, "design": "exact"}})
    assert wait_for(steered.client, task_id)["entity"]["status"]["state"] == "finished"
    sampling = steered.client.get(f"/v2/explanation_tasks/{task_id}/attributions")["entity"]["sampling"]
    assert sampling["fill"] == fill
    image, seen = numpy.array(image), numpy.array(seen, float)
    low, high = (0, 1) if image.max() <= 1 else (0, 255)
    assert seen.min() >= low and seen.max() <= high
    hidden = [picture for picture in seen if (picture != image).any(axis=2).all()]
    expected = {"black": (0, 0, 0), "#20c0ff": (0x20, 0xc0, 0xff)}.get(fill)
    if expected:
        wanted = numpy.array(expected) / 255 * high
        assert any(abs(picture - wanted).max() <= 0.5 * (high > 1) + 1e-9 for picture in hidden)
    else:
        assert len({picture.tobytes() for picture in seen}) == sampling["calls"]


def test_a_grid_is_cut_as_it_was_asked_for(watched):
    task_id, _ = watched.explained(blocks(), segmentation={"algorithm": "grid", "rows": 2, "columns": 3})
    entity = watched.client.get(f"/v2/explanation_tasks/{task_id}/attributions")["entity"]
    assert entity["segmentation"]["algorithm"] == "grid" and not entity["segmentation"]["fell_back"]
    zones = labels(entity["segmentation"], entity["image"]["height"], entity["image"]["width"])
    assert [[int(zones[r, c]) for c in (0, 12, -1)] for r in (0, -1)] == [[0, 1, 2], [3, 4, 5]]
    assert entity["parameters"]["image"]["segmentation"]["columns"] == 3


def test_hidden_zones_show_another_logged_image(steered):
    seen = []
    answer = steered.model.answer
    image, background = blocks(), blocks(first=3)

    def watch(path, headers, body):
        seen.extend(json.loads(body)["input_data"][0]["values"])
        return answer(path, headers, body)

    [behind], [scoring_id] = steered.log(background), steered.log(image)
    steered.model.answer = watch
    [task_id] = steered.explain(scoring_id, parameters={"image": {"fill": "image", "background": behind,
                                                                  "design": "exact"}})
    assert wait_for(steered.client, task_id)["entity"]["status"]["state"] == "finished"
    parameters = steered.client.get(f"/v2/explanation_tasks/{task_id}/attributions")["entity"]["parameters"]["image"]
    assert parameters["fill"] == "image" and parameters["background"] == behind
    seen = numpy.array(seen)
    shown = (seen == numpy.array(image)).all(axis=3)
    hidden = (seen == numpy.array(background)).all(axis=3)
    assert (shown | hidden).all()
    assert hidden.all(axis=(1, 2)).any() and shown.all(axis=(1, 2)).any()


def test_a_background_that_does_not_fit_is_refused(watched):
    [scoring_id], [small] = watched.log(blocks()), watched.log(blocks(height=12, width=24))
    for background, says in ((small, "12 x 24 x 3; the explained one has 24 x 24 x 3"), ("nobody-1", "nothing was logged")):
        status = 404 if background == "nobody-1" else 400
        error = watched.client.refused("POST", "/v2/explanation_tasks", status, json={
            "scoring_ids": [scoring_id], "parameters": {"image": {"fill": "image", "background": background}}})
        assert error["parameters"] == ["parameters.image.background"] and says in error["message"]


def test_a_fill_that_changes_nothing_gives_way_and_says_so(steered):
    flat = numpy.full((12, 12, 3), 200)
    flat[:, 6:] = 40
    watched = steered
    task_id, _ = watched.explained(flat.tolist(), fill="mean", segmentation={"algorithm": "grid", "rows": 1, "columns": 2})
    entity = watched.client.get(f"/v2/explanation_tasks/{task_id}/attributions")["entity"]
    assert entity["sampling"]["fill"] == "#808080" and "changes nothing" in entity["warnings"][0]
    assert entity["classes"][0]["weights"] != [0, 0]
    task_id, _ = watched.explained(flat.tolist(), fill="black", segmentation={"algorithm": "grid", "rows": 1, "columns": 2})
    entity = watched.client.get(f"/v2/explanation_tasks/{task_id}/attributions")["entity"]
    assert entity["sampling"]["fill"] == "black" and entity["warnings"] == []


def test_a_fill_in_the_colour_of_the_image_is_refused(steered):
    [scoring_id] = steered.log(numpy.full((12, 12, 3), 32).tolist())
    [task_id] = steered.explain(scoring_id, parameters={"image": {"fill": "#202020"}})
    task = wait_for(steered.client, task_id)
    assert task["entity"]["status"]["state"] == "error"
    assert "changes nothing" in str(task["entity"]["errors"])
