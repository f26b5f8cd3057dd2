# SPDX-License-Identifier: Apache-2.0
"""Superpixels by every algorithm, and by the client's own label map."""
import numpy
import pytest
from support.client import Watched, wait_for
from support.images import labels

HIGH, WIDE = 30, 40


def picture(channels=3):
    row, column, channel = numpy.indices((HIGH, WIDE, channels))
    return ((row // 10 * 60 + column // 10 * 35 + channel * 20 + (row * 3 + column * 5) % 4) % 256).tolist()


def own_map():
    """Three zones: the left half, and the right one above and below."""
    found = numpy.zeros((HIGH, WIDE), int)
    found[:, WIDE // 2:] = 1
    found[HIGH // 2:, WIDE // 2:] = 2
    return found


def as_runs(found):
    flat = found.ravel()
    starts = numpy.flatnonzero(numpy.diff(flat, prepend=-1))
    lengths = numpy.diff(numpy.append(starts, flat.size))
    return [[int(flat[start]), int(length)] for start, length in zip(starts, lengths)]


@pytest.fixture
def watched(api, stub_model):
    return Watched(api, stub_model)


def attributions(watched, task_id):
    return watched.client.get(f"/v2/explanation_tasks/{task_id}/attributions")["entity"]


@pytest.mark.parametrize("asked, shown", [
    ({"algorithm": "slic"}, {"compactness": 10, "slic_zero": False, "n_segments": 16}),
    ({"algorithm": "slic", "slic_zero": True, "n_segments": 8, "max_segments": 8}, {"slic_zero": True, "n_segments": 8}),
    ({"algorithm": "felzenszwalb", "scale": 50, "min_size": 30}, {"scale": 50, "sigma": 0.8, "min_size": 30}),
    ({"algorithm": "quickshift", "kernel_size": 2, "connected": True}, {"kernel_size": 2, "connected": True}),
    ({"algorithm": "grid", "rows": 2, "columns": 5}, {"rows": 2, "columns": 5}),
])
@pytest.mark.parametrize("channels", [3, 1])
def test_the_answer_says_what_was_used(api, model, asked, shown, channels):
    watched = Watched(api, model)
    task_id, _ = watched.explained(picture(channels), segmentation=asked)
    entity = attributions(watched, task_id)
    segmentation = entity["segmentation"]
    assert segmentation["algorithm"] == asked["algorithm"] and not segmentation["fell_back"]
    assert segmentation["parameters"].items() >= shown.items()
    assert entity["parameters"]["image"]["segmentation"].items() >= asked.items()
    found = labels(segmentation, HIGH, WIDE)
    assert set(found.ravel().tolist()) == set(range(segmentation["count"]))


@pytest.mark.parametrize("written", [
    lambda found: found.tolist(),
    lambda found: {"encoding": "rle", "order": "row-major", "runs": as_runs(found)},
    lambda found: {"runs": as_runs(found)},
])
def test_a_label_map_of_the_client_is_used_as_it_is(watched, written):
    task_id, _ = watched.explained(picture(), segmentation={"labels": written(own_map())})
    entity = attributions(watched, task_id)
    segmentation = entity["segmentation"]
    assert segmentation["algorithm"] == "labels" and segmentation["count"] == 3
    assert (labels(segmentation, HIGH, WIDE) == own_map()).all()
    assert entity["parameters"]["image"]["segmentation"]["labels"]["runs"] == as_runs(own_map())
    assert entity["sampling"]["calls"] == 8


def test_the_label_map_of_an_answer_can_be_asked_with_again(watched):
    [scoring_id] = watched.log(picture())
    [first] = watched.explain(scoring_id, parameters={"image": {"segmentation": {"algorithm": "slic"}}})
    wait_for(watched.client, first)
    before = attributions(watched, first)
    [second] = watched.explain(scoring_id, parameters={"image": {"segmentation": {
        "labels": before["segmentation"]["labels"]}}})
    wait_for(watched.client, second)
    after = attributions(watched, second)
    assert after["segmentation"]["labels"] == before["segmentation"]["labels"]
    assert after["classes"] == before["classes"]


@pytest.mark.parametrize("most, count", [(8, 8), (None, 63)])
def test_a_label_map_of_more_zones_than_can_be_explained_is_merged(watched, most, count):
    row, column = numpy.indices((HIGH, WIDE))
    cells = row // 5 * 20 + column // 2
    task_id, _ = watched.explained(picture(), budget=256, segmentation={"labels": cells.tolist(), "max_segments": most})
    segmentation = attributions(watched, task_id)["segmentation"]
    assert (segmentation["found"], segmentation["count"]) == (120, count)
    found = labels(segmentation, HIGH, WIDE)
    assert all(len(set(found[cells == cell].tolist())) == 1 for cell in range(120)), "no zone of the client is cut"


def holed():
    found = own_map()
    found[found == 1] = 3
    return found.tolist()


def ragged():
    rows = own_map().tolist()
    rows[4].pop()
    return rows


LABELS = "parameters.image.segmentation.labels"


@pytest.mark.parametrize("written, field, says", [
    (numpy.zeros((HIGH, WIDE), int).tolist(), LABELS, "at least 2"),
    (holed(), LABELS, "label 1 is not used"),
    (own_map()[:-1].tolist(), LABELS, "29 x 40; the image is 30 x 40"),
    (own_map().T.tolist(), LABELS, "40 x 30"),
    (ragged(), LABELS, "row 4 has 39"),
    ({"runs": [[0, 600], [1, 599]]}, LABELS, "1199 pixels"),
    ({"runs": [[0, 600], [1, 0]]}, LABELS + ".runs[1]", "[label, length]"),
    ({"runs": [[0, 600], [4096, 600]]}, LABELS + ".runs[1]", "[label, length]"),
    ({"runs": [[0, 600, 1]]}, LABELS + ".runs[0]", "[label, length]"),
    ({"runs": [[0, 1200], [1, 10**18]]}, LABELS + ".runs[1]", "[label, length]"),
    ({"runs": [], "encoding": "png"}, LABELS, "rle"),
    ({"runs": [[0, 1]], "extra": 1}, LABELS + ".extra", ""),
    ([[0, 1], [0, "x"]], LABELS + "[1][1]", "0 to 4095"),
    ([[0, 1], [0, 1.5]], LABELS + "[1][1]", "0 to 4095"),
    ([[0, 1], [0, -1]], LABELS + "[1][1]", "0 to 4095"),
    ([], LABELS, "rows"), ([[]], LABELS, "row 0"), ("rle", LABELS, "rows"), ([0, 1], LABELS, "rows"),
    (3, LABELS, "rows"), (True, LABELS, "rows"),
])
def test_a_label_map_that_is_none_is_refused_and_nothing_is_queued(watched, written, field, says):
    error = watched.client.refused("POST", "/v2/explanation_tasks", 400, json={
        "scoring_ids": watched.log(picture()), "parameters": {"image": {"segmentation": {"labels": written}}}})
    assert error["parameters"] == [field], error
    assert says in error["message"]
    assert watched.client.get("/v2/explanation_tasks")["total_count"] == 0


def test_labels_without_a_map_and_a_map_for_every_image_are_refused(watched):
    [scoring_id] = watched.log(picture())
    error = watched.client.refused("POST", "/v2/explanation_tasks", 400, json={
        "scoring_ids": [scoring_id], "parameters": {"image": {"segmentation": {"algorithm": "labels"}}}})
    assert error["parameters"] == [LABELS]
    error = watched.client.refused("PATCH", f"/v2/monitor_instances/{watched.monitor_id}", 400, json=[
        {"op": "add", "path": "/parameters/image", "value": {"segmentation": {"labels": own_map().tolist()}}}])
    assert error["parameters"] == [LABELS]


@pytest.mark.parametrize("segmentation, field", [
    ({"algorithm": "watershed"}, "algorithm"), ({"algorithm": "slic", "n_segments": 1}, "n_segments"),
    ({"algorithm": "slic", "compactness": 0}, "compactness"), ({"algorithm": "slic", "slic_zero": 1}, "slic_zero"),
    ({"algorithm": "felzenszwalb", "sigma": -1}, "sigma"), ({"algorithm": "felzenszwalb", "scale": "x"}, "scale"),
    ({"algorithm": "felzenszwalb", "min_size": -1}, "min_size"), ({"connected": "yes"}, "connected"),
])
def test_a_wrong_setting_is_named(watched, segmentation, field):
    error = watched.client.refused("POST", "/v2/explanation_tasks", 400, json={
        "scoring_ids": watched.log(picture()), "parameters": {"image": {"segmentation": segmentation}}})
    assert error["parameters"] == [f"parameters.image.segmentation.{field}"]


@pytest.mark.parametrize("algorithm", ["quickshift", "slic", "felzenszwalb", "grid"])
@pytest.mark.parametrize("shape", [(20, 20), (1, 30), (30, 1), (2, 1)])
@pytest.mark.parametrize("kind", ["flat", "halves"])
def test_odd_images_are_cut_too(watched, algorithm, shape, kind):
    image = numpy.full((*shape, 3), 100)
    if kind == "halves":
        image[: (shape[0] + 1) // 2, : (shape[1] + 1) // 2] = 200
    task_id, _ = watched.explained(image.tolist(), segmentation={"algorithm": algorithm})
    segmentation = attributions(watched, task_id)["segmentation"]
    assert segmentation["count"] >= 2
    assert set(labels(segmentation, *shape).ravel().tolist()) == set(range(segmentation["count"]))
