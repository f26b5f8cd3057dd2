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


@pytest.mark.parametrize("asked, mode, design, masks", [
    (grid(3, 4, design="array"), "array", "nordstrom_robinson_256", 256),
    (grid(3, 4, design="array", budget=600), "array", "nordstrom_robinson_512", 512),
    (grid(4, 5, design="array"), "array", "orthogonal_array_1024", 1024),
    (grid(2, 3, design="auto"), "exact", "all_masks", 64),
    (grid(3, 4, design="adaptive", budget=64), "adaptive", "complement_pairs_", None),
    (grid(5, 6, design="adaptive", budget=300), "adaptive", "complement_pairs_", None),
    (grid(7, 9, design="auto", budget=200), "adaptive", "complement_pairs_", None),
    (grid(4, 5, design="reference", budget=300), "reference", "uniform", None),
])
def test_a_design_says_what_it_is_and_why(checkered, asked, mode, design, masks):
    watched, image = checkered
    task_id, _ = watched.explained(image, **asked)
    entity = watched.client.get(f"/v2/explanation_tasks/{task_id}/attributions")["entity"]
    sampling = entity["sampling"]
    assert sampling["mode"] == mode and sampling["design"].startswith(design) and len(sampling["why"]) > 20
    assert sampling["distinct_masks"] == (masks or sampling["distinct_masks"])
    assert sampling["distinct_masks"] + sampling["held_out"] == sampling["calls"] <= asked.get("budget", 10**6)
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
    error = watched.client.refused("POST", "/v2/explanation_tasks", 400, json={
        "scoring_ids": watched.log(image), "parameters": {"image": grid(4, 5, design="array", budget=1000)}})
    assert error["parameters"] == ["parameters.image.budget"] and "1024" in error["message"]


def test_from_coarse_to_fine_only_what_matters_is_split(api, model):
    """The model looks at one small square of a large picture."""
    row, column, channel = numpy.indices((64, 64, 3))
    image = ((row // 8 * 23 + column // 8 * 31 + channel * 11) % 120 + 100).tolist()

    def square(picture):
        p = 0.2 + 0.6 * float(numpy.asarray(picture, float)[16:24, 40:48].mean() > 60)
        return [1 - p, p]

    model.probabilities = square
    watched = Watched(api, model)
    task_id, _ = watched.explained(image, segmentation={"algorithm": "grid", "rows": 7, "columns": 9, "refine": 40})
    entity = watched.client.get(f"/v2/explanation_tasks/{task_id}/attributions")["entity"]
    assert entity["sampling"]["coarse"]["segments"] == 16 and entity["sampling"]["coarse"]["calls"] > 0
    assert entity["parameters"]["image"]["segmentation"]["refine"] == 40
    areas = sorted(segment["area"] for segment in entity["segmentation"]["segments"])
    assert 16 < len(areas) <= 40 and areas[0] < 100 < areas[-1]
    assert entity["model"]["images"] >= entity["sampling"]["calls"] + entity["sampling"]["coarse"]["calls"]
    heaviest = max(range(len(areas)), key=lambda j: abs(entity["classes"][0]["weights"][j]))
    middle = entity["segmentation"]["segments"][heaviest]["centroid"]
    assert abs(middle[0] - 20) < 8 and abs(middle[1] - 44) < 8


@pytest.mark.parametrize("image", [
    {"segmentation": {"refine": 16}}, {"segmentation": {"refine": 64}}, {"segmentation": {"refine": 30}, "design": "exact"},
    {"segmentation": {"refine": 30}, "budget": 300}, {"segmentation": {"refine": 30, "labels": [[0, 1], [0, 1]]}},
    {"segmentation": {"refine": 20, "algorithm": "grid"}}, {"segmentation": {"refine": 20, "max_segments": 20}},
    {"segmentation": {"refine": 30, "algorithm": "grid", "rows": 4, "columns": 5, "max_segments": 20}},
])
def test_what_cannot_be_refined_is_refused(checkered, image):
    watched, picture = checkered
    error = watched.client.refused("POST", "/v2/explanation_tasks", 400, json={
        "scoring_ids": watched.log(picture), "parameters": {"image": image}})
    assert error["parameters"] == ["parameters.image.segmentation.refine"]


@pytest.mark.parametrize("refine, warned", [
    ({"refine": 20}, "Refining to 20 superpixels was asked for, and the image has 16: nothing was split."),
    ({"refine": 40, "algorithm": "grid", "rows": 4, "columns": 5}, "Refining to 40 superpixels was asked for, and the image has 20."),
    ({"refine": 17, "algorithm": "grid", "rows": 4, "columns": 5}, None),
])
def test_what_the_image_does_not_give_is_warned_of(watched, refine, warned):
    """A picture of one colour is cut into a grid of 16."""
    grey = numpy.full((24, 24, 3), 90)
    grey[6:12, 6:12] += (numpy.arange(6) if "algorithm" in refine else numpy.zeros(6, int))[:, None]
    task_id, _ = watched.explained(grey.tolist(), segmentation=refine)
    warnings = watched.client.get(f"/v2/explanation_tasks/{task_id}/attributions")["entity"]["warnings"]
    assert [w for w in warnings if w.startswith("Refining")] == ([warned] if warned else [])
    assert not any("budget" in w for w in warnings), "none was given"
