# SPDX-License-Identifier: Apache-2.0
"""How masks are chosen: each design with few and with many zones, and what the answer says about it."""
import numpy
import pytest
from support.client import Watched, wait_for
from support.images import read_png

HIGH, WIDE = 32, 48


@pytest.fixture
def checkered(api, stub_model):
    """A picture whose grid cells differ, and its subscription."""
    row, column, channel = numpy.indices((HIGH, WIDE, 3))
    image = (40 + (row // 4 * 37 + column // 4 * 53 + channel * 31) % 180).tolist()
    return Watched(api, stub_model), image


def grid(rows, columns, **image):
    return {"segmentation": {"algorithm": "grid", "rows": rows, "columns": columns}, **image}


@pytest.mark.parametrize("asked, mode, design, calls", [
    (grid(3, 4, design="array"), "array", "nordstrom_robinson_256", 256),
    (grid(3, 4, design="array", budget=600), "array", "nordstrom_robinson_512", 512),
    (grid(4, 5, design="array"), "array", "orthogonal_array_1024", 1024),
    (grid(2, 3, design="auto"), "exact", "all_masks", 64),
    (grid(3, 4, design="adaptive", budget=64), "adaptive", "complement_pairs_", None),
    (grid(5, 6, design="adaptive", budget=300), "adaptive", "complement_pairs_", None),
    (grid(7, 9, design="auto", budget=200), "adaptive", "complement_pairs_", None),
    (grid(4, 5, design="reference", budget=300), "reference", "uniform", None),
])
def test_a_design_says_what_it_is_and_why(checkered, asked, mode, design, calls):
    watched, image = checkered
    task_id, _ = watched.explained(image, **asked)
    entity = watched.client.get(f"/v2/explanation_tasks/{task_id}/attributions")["entity"]
    sampling = entity["sampling"]
    assert sampling["mode"] == mode and sampling["design"].startswith(design) and len(sampling["why"]) > 20
    assert sampling["calls"] == (calls or sampling["calls"]) <= asked.get("budget", 10**6)
    segmentation = asked["segmentation"]
    for found in entity["classes"]:
        assert len(found["weights"]) == segmentation["rows"] * segmentation["columns"]
        for weight, (low, high) in zip(found["weights"], found["intervals"], strict=True):
            assert low <= weight <= high
    picture = read_png(watched.client.request("GET", f"/v2/explanation_tasks/{task_id}/image",
                                                     params={"pane": "positive", "scale": 1}).content)
    assert picture.shape == (HIGH, WIDE, 3)


def test_an_adaptive_explanation_is_the_same_twice_and_another_with_another_seed(checkered):
    watched, image = checkered
    [scoring_id] = watched.log(image)
    said = []
    for seed in (1, 1, 2):
        [task_id] = watched.explain(scoring_id, parameters={"image": grid(4, 4, design="adaptive", seed=seed)})
        wait_for(watched.client, task_id)
        entity = watched.client.get(f"/v2/explanation_tasks/{task_id}/attributions")["entity"]
        said.append((entity["sampling"], entity["classes"]))
    assert said[0] == said[1] and said[0] != said[2]


def test_a_replay_of_many_zones_needs_no_call(checkered):
    watched, image = checkered
    task_id, _ = watched.explained(image, **grid(4, 6, design="adaptive", budget=256))
    before = watched.client.get(f"/v2/explanation_tasks/{task_id}/attributions")["entity"]["classes"]
    now = watched.client.post(f"/v2/explanation_tasks/{task_id}/replay", {"classes": [before[0]["value"]]}, 200)
    [again] = now["entity"]["classes"]
    assert again["weights"] == pytest.approx(before[0]["weights"], abs=1e-6)
    assert numpy.array(again["intervals"]) == pytest.approx(numpy.array(before[0]["intervals"]), abs=1e-6)


def test_more_zones_than_exact_can_do_fail_the_request_and_name_the_limit(checkered):
    watched, image = checkered
    error = watched.client.refused("POST", "/v2/explanation_tasks", 400, json={
        "scoring_ids": watched.log(image), "parameters": {"image": grid(4, 5, design="exact")}})
    assert "16" in error["message"] and error["parameters"] == ["parameters.image.segmentation.rows"]


def test_an_array_that_the_budget_does_not_reach_is_refused_by_name(checkered):
    watched, image = checkered
    [task_id] = watched.explain(*watched.log(image),
                                parameters={"image": grid(4, 5, design="array", budget=1000)})
    error = wait_for(watched.client, task_id)["entity"]["errors"][0]["error"]
    assert "parameters.image.budget" in error["message"] and "1024" in error["message"]
