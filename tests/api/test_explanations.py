# SPDX-License-Identifier: Apache-2.0
"""An explanation from question to pictures: panes, numbers, parameters, and what is refused."""
import base64

import numpy
import pytest
from support.client import Watched, wait_for
from support.images import as_rgb, blocks, gradient, grey, labels, pane, read_png
from support.model import by_brightness, three_classes


@pytest.fixture
def steered(api, model):
    """A subscription of the model in the test, which is linear in brightness."""
    return Watched(api, model)


def attributions(watched, task_id):
    return watched.client.get(f"/v2/explanation_tasks/{task_id}/attributions")["entity"]


def predictions(task):
    return task["entity"]["explanations"][0]["predictions"]


def picture(watched, task_id, **params):
    response = watched.client.request("GET", f"/v2/explanation_tasks/{task_id}/image", params=params)
    return read_png(response.content)


# ---- a finished binary explanation ----

def test_a_finished_task_has_the_shape_of_the_original(watched):
    _, task = watched.explained(blocks())
    assert task["metadata"]["updated_at"] >= task["metadata"]["created_at"]
    entity = task["entity"]
    assert entity["asset"] == {"id": "asset-d1", "name": "a model", "input_data_type": "unstructured_image",
                               "problem_type": "binary", "deployment": {"id": "d1", "name": "a deployment"}}
    assert entity["input_features"] == [{}] and entity["perturbed"] is False
    first, second = predictions(task)
    assert first["probability"] >= second["probability"]
    assert {first["value"], second["value"]} == {"0", "1"}
    assert first["probability"] + second["probability"] == pytest.approx(1)


def test_the_panes_of_a_binary_model_complement_each_other(watched):
    image = blocks(30, 24, n=4)
    _, task = watched.explained(image)
    first, second = (pane(p) for p in predictions(task))
    original = as_rgb(image)
    assert first.shape == second.shape == (30, 24, 3)
    shown = first.any(axis=2)
    assert (shown != second.any(axis=2)).all(), "each pixel is shown in exactly one pane"
    assert (first[shown] == original[shown]).all() and (second[~shown] == original[~shown]).all()


def test_the_features_of_both_panes_are_all_superpixels(watched):
    task_id, task = watched.explained(blocks(n=5))
    counts = [p["explanation"][0]["total_features"] for p in predictions(task)]
    assert sum(counts) == attributions(watched, task_id)["segmentation"]["count"]
    assert counts == [p["explanation"][0]["used_features"] for p in predictions(task)]


def test_pictures_carry_no_prefix_and_are_plain_base64(watched):
    _, task = watched.explained(blocks())
    text = predictions(task)[0]["explanation"][0]["full_image"]
    assert base64.b64decode(text, validate=True).startswith(b"\x89PNG")


def test_a_one_channel_image_has_panes_in_rgb(watched):
    image = grey()
    _, task = watched.explained(image)
    first, second = (pane(p) for p in predictions(task))
    assert (numpy.maximum(first, second) == as_rgb(image)).all()


def test_an_8_bit_image_is_shown_with_its_own_values(watched):
    image = (numpy.asarray(blocks()) * 255).round().astype(int).tolist()
    _, task = watched.explained(image)
    first, second = (pane(p) for p in predictions(task))
    assert (numpy.maximum(first, second) == numpy.asarray(image)).all()


# ---- numbers ----

def test_the_label_map_covers_the_image_and_fits_the_segments(watched):
    height, width = 26, 31
    task_id, _ = watched.explained(blocks(height, width, n=4))
    entity = attributions(watched, task_id)
    assert entity["image"]["height"] == height and entity["image"]["width"] == width
    assert entity["image"]["channels"] == 3
    segmentation = entity["segmentation"]
    runs = segmentation["labels"]["runs"]
    assert sum(length for _, length in runs) == height * width
    assert all(a[0] != b[0] for a, b in zip(runs, runs[1:])), "neighbouring runs are one run"
    found = labels(segmentation, height, width)
    assert sorted(set(found.ravel().tolist())) == list(range(segmentation["count"]))
    for segment in segmentation["segments"]:
        rows, columns = numpy.nonzero(found == segment["id"])
        assert segment["area"] == rows.size
        top, left, bottom, right = segment["bbox"]
        assert top == rows.min() and left == columns.min()
        assert bottom in (rows.max(), rows.max() + 1) and right in (columns.max(), columns.max() + 1)
        assert segment["centroid"] == pytest.approx([rows.mean(), columns.mean()], abs=0.51)


def test_the_weights_of_a_linear_model_are_found_exactly(steered):
    image = blocks(24, 24, n=4)
    task_id, task = steered.explained(image)
    entity = attributions(steered, task_id)
    assert entity["sampling"]["exact"] is True
    found = labels(entity["segmentation"], 24, 24)
    pixels = numpy.asarray(image)
    empty = by_brightness(numpy.zeros_like(pixels))
    for explained in entity["classes"]:
        sign = 1 if explained["value"] == "1" else -1
        for segment, weight in enumerate(explained["weights"]):
            alone = numpy.where((found == segment)[..., None], pixels, 0)
            assert weight == pytest.approx(sign * (by_brightness(alone) - empty), abs=1e-6)
        assert explained["probability"] == pytest.approx(
            by_brightness(image) if sign > 0 else 1 - by_brightness(image), abs=1e-6)
        assert explained["fidelity"]["r2"] == pytest.approx(1, abs=1e-6)
        assert explained["verdict"]["level"] == "high"


def test_a_pane_shows_the_segments_with_positive_weight(steered):
    image = blocks(24, 24, n=4)
    task_id, task = steered.explained(image)
    entity = attributions(steered, task_id)
    found = labels(entity["segmentation"], 24, 24)
    positive = numpy.asarray(entity["classes"][0]["weights"])[found] > 0
    assert entity["classes"][0]["value"] == predictions(task)[0]["value"]
    assert (pane(predictions(task)[0]).any(axis=2) == positive).all()


def test_every_class_has_a_number_for_every_segment(watched):
    task_id, _ = watched.explained(blocks(n=4))
    entity = attributions(watched, task_id)
    count = entity["segmentation"]["count"]
    for explained in entity["classes"]:
        assert len(explained["weights"]) == len(explained["intervals"]) == len(explained["decisions"]) == count
        for weight, (low, high), decision in zip(explained["weights"], explained["intervals"], explained["decisions"]):
            assert low <= weight <= high
            assert decision != "positive" or weight > 0
            assert decision != "negative" or weight < 0


def test_all_masks_are_scored_once_and_counted(steered):
    for _ in range(2):  # the first one finds out how many images a request may hold
        task_id, _ = steered.explained(blocks(n=4), design="exact")
    entity = attributions(steered, task_id)
    masks = 2 ** entity["segmentation"]["count"]
    assert entity["sampling"]["calls"] == entity["sampling"]["distinct_masks"] == masks
    assert entity["sampling"]["held_out"] == 0, "all masks are known: there is nothing to try"
    assert entity["model"]["images"] == masks + 1, "the whole image is scored again, to see whether the model repeats itself"
    assert entity["model"]["repeatable"] is True
    assert entity["sampling"]["stopped"] == "complete"


def test_the_stub_model_saw_as_many_images_as_the_answer_says(watched):
    session, url = watched.client.session, watched.model.url
    scoring_ids = watched.log(blocks(n=4))
    for _ in range(2):  # trials with more images in a request score the whole picture again
        session.post(f"{url}/reset", timeout=10)
        [task_id] = watched.explain(*scoring_ids)
        wait_for(watched.client, task_id)
        stats = session.get(f"{url}/stats", timeout=10).json()
        entity = attributions(watched, task_id)
        assert stats["images"] == entity["model"]["images"] >= entity["sampling"]["calls"] + 1
        assert stats["requests"] == entity["model"]["requests"]


def test_the_parameters_that_were_used_come_with_the_answer(watched):
    task_id, _ = watched.explained(blocks(), confidence=0.9, seed=7, classes=["0"])
    used = attributions(watched, task_id)["parameters"]["image"]
    assert used["fill"] == "black", "from the monitor instance"
    assert used["confidence"] == 0.9 and used["seed"] == 7 and used["classes"] == ["0"]


def test_a_model_that_does_not_repeat_itself_is_told_of(steered):
    noise = numpy.random.default_rng(3)
    calm = steered.model.probabilities

    def noisy(image):
        p = min(max(calm(image)[1] + noise.uniform(-0.02, 0.02), 0), 1)
        return [1 - p, p]

    steered.model.probabilities = noisy
    task_id, _ = steered.explained(blocks(n=4), design="exact")
    entity = attributions(steered, task_id)
    assert entity["model"]["repeatable"] is False
    assert any("does not give the same image the same answer" in warning for warning in entity["warnings"])
    for explained in entity["classes"]:
        assert 0.004 < explained["fidelity"]["noise"] < 0.025, "0.04 / sqrt(12) is 0.0115"
        assert all(high - low > 0.002 for low, high in explained["intervals"])


def test_a_budget_without_a_call_to_spare_leaves_it_open_whether_the_model_repeats_itself(steered):
    task_id, _ = steered.explained(blocks(n=6, height=24, width=48), budget=64)
    entity = attributions(steered, task_id)
    assert entity["sampling"]["calls"] == 64 and entity["model"]["repeatable"] is None


def test_a_model_that_does_not_care_yields_no_zone(steered):
    steered.model.probabilities = lambda image: [0.3, 0.7]
    task_id, task = steered.explained(blocks())
    entity = attributions(steered, task_id)
    for explained in entity["classes"]:
        assert set(explained["weights"]) == {0} and set(explained["decisions"]) == {"negligible"}
        assert explained["verdict"]["level"] == "low"
    assert all(not pane(p).any() for p in predictions(task))
    assert all(p["explanation"][0]["total_features"] == 0 for p in predictions(task))


def test_a_model_that_changed_since_the_log_is_warned_of(steered):
    scoring_ids = steered.log(blocks())
    steered.model.probabilities = lambda image: [0.9 - by_brightness(image) / 2, 0.1 + by_brightness(image) / 2]
    [task_id] = steered.explain(*scoring_ids)
    wait_for(steered.client, task_id)
    assert any("differ" in warning for warning in attributions(steered, task_id)["warnings"])


def test_the_same_question_gets_the_same_bytes(watched):
    [scoring_id] = watched.log(blocks(n=5))
    tasks = []
    for _ in range(2):
        [task_id] = watched.explain(scoring_id)
        tasks.append((task_id, wait_for(watched.client, task_id)))
    (first_id, first), (second_id, second) = tasks
    assert first_id != second_id, "a finished explanation is not handed out again"
    assert first["entity"] == second["entity"]
    numbers = [attributions(watched, task_id) for task_id in (first_id, second_id)]
    for entity in numbers:
        del entity["timing_ms"], entity["model"]
    assert numbers[0] == numbers[1]


# ---- several classes ----

@pytest.fixture
def multiclass(api, model):
    model.probabilities = three_classes
    return Watched(api, model, problem_type="multiclass")


def test_the_two_most_probable_classes_are_explained(multiclass):
    image = blocks(first=2)
    _, task = multiclass.explained(image)
    order = sorted(range(3), key=lambda c: -three_classes(image)[c])
    assert [p["value"] for p in predictions(task)] == [str(c) for c in order[:2]]


def test_all_classes_are_explained_when_asked(multiclass):
    task_id, task = multiclass.explained(blocks(), classes="all")
    assert sorted(p["value"] for p in predictions(task)) == ["0", "1", "2"]
    explained = attributions(multiclass, task_id)["classes"]
    assert numpy.sum([c["weights"] for c in explained], axis=0) == pytest.approx(0, abs=1e-6)
    assert [c["probability"] for c in explained] == sorted((c["probability"] for c in explained), reverse=True)


def test_chosen_classes_are_explained(multiclass):
    task_id, task = multiclass.explained(blocks(), classes=["2", "0"])
    assert {c["value"] for c in attributions(multiclass, task_id)["classes"]} == {"0", "2"}


def test_a_class_that_the_model_does_not_have_is_an_error(multiclass):
    [task_id] = multiclass.explain(*multiclass.log(blocks()), parameters={"image": {"classes": ["7"]}})
    task = wait_for(multiclass.client, task_id)
    assert task["entity"]["status"]["state"] == "error"
    assert "7" in task["entity"]["errors"][0]["error"]["message"]


# ---- pictures ----

def test_pictures_are_drawn_on_request(watched):
    image = blocks(n=4)
    task_id, task = watched.explained(image)
    first, second = predictions(task)
    assert (picture(watched, task_id, pane="original") == as_rgb(image)).all()
    assert (picture(watched, task_id, pane="positive") == pane(first)).all()
    assert (picture(watched, task_id, pane="negative") == pane(second)).all()
    assert (picture(watched, task_id, pane="positive", **{"class": first["value"]}) == pane(first)).all()
    assert (picture(watched, task_id, pane="positive", **{"class": second["value"]}) == pane(second)).all()


def test_a_sheet_shows_three_pictures_side_by_side(watched):
    image = blocks()
    task_id, _ = watched.explained(image)
    sheet = picture(watched, task_id, pane="sheet")
    assert sheet.shape[1] > 2.5 * sheet.shape[0]
    assert (sheet == picture(watched, task_id)).all(), "a sheet is what one gets without a choice"
    colours = {tuple(c) for c in sheet.reshape(-1, 3).tolist()}
    assert {tuple(c) for c in as_rgb(image).reshape(-1, 3).tolist()} <= colours


def test_pictures_ask_the_model_nothing(steered):
    task_id, _ = steered.explained(blocks())
    before = len(steered.model.calls)
    for name in ("positive", "negative", "original", "sheet", "both", "heatmap", "outline", "masked"):
        picture(steered, task_id, pane=name)
    assert len(steered.model.calls) == before


@pytest.mark.parametrize("params, status", [({"pane": "all"}, 400), ({"class": "x"}, 400), ({"class": "7"}, 404)])
def test_a_picture_that_cannot_be_is_refused(watched, params, status):
    task_id, _ = watched.explained(blocks())
    watched.client.refused("GET", f"/v2/explanation_tasks/{task_id}/image", status, params=params)


# ---- lists ----

def test_tasks_are_listed_as_a_table_with_filters(watched):
    scoring_ids = watched.log(blocks(), blocks(first=1), scoring_id="list")
    task_ids = watched.explain(*scoring_ids)
    for task_id in task_ids:
        wait_for(watched.client, task_id)

    def listed(**params):
        table = watched.client.get("/v2/explanation_tasks", **params)
        rows = [dict(zip(table["explanation_fields"], row)) for row in table["explanation_values"]]
        return table["total_count"], [row["explanation_task_id"] for row in rows], rows

    total, found, rows = listed(subscription_id=watched.subscription_id)
    assert (total, found) == (2, task_ids)
    assert [row["scoring_id"] for row in rows] == scoring_ids
    assert {row["status"] for row in rows} == {"finished"}
    assert listed(scoring_id=scoring_ids[1])[:2] == (1, task_ids[1:])
    assert listed(status="finished")[:2] == (2, task_ids)
    assert listed(status="error")[:2] == (0, [])
    assert listed(subscription_id="none")[:2] == (0, [])
    assert listed(limit=1, offset=1)[:2] == (2, task_ids[1:])
    assert listed(limit=0)[:2] == (2, [])


@pytest.mark.parametrize("params, field", [({"status": "done"}, "status"), ({"limit": -1}, "limit"),
                                           ({"offset": "x"}, "offset")])
def test_a_list_that_makes_no_sense_is_refused(api, params, field):
    assert api.refused("GET", "/v2/explanation_tasks", 400, params=params)["parameters"] == [field]


def test_the_monitor_instance_counts_explanations(watched):
    watched.explained(blocks())
    parameters = watched.client.get(f"/v2/monitor_instances/{watched.monitor_id}")["entity"]["parameters"]
    assert parameters["explanations_count"] == {"failed": 0, "total": 1}


@pytest.mark.parametrize("path", ["", "/attributions", "/image"])
def test_a_task_that_is_not_there_is_404(api, path):
    api.refused("GET", f"/v2/explanation_tasks/none{path}", 404)


def test_a_deleted_task_is_gone(watched):
    task_id, _ = watched.explained(blocks())
    watched.client.delete(f"/v2/explanation_tasks/{task_id}")
    for path in ("", "/attributions", "/image"):
        watched.client.refused("GET", f"/v2/explanation_tasks/{task_id}{path}", 404)
    watched.client.refused("DELETE", f"/v2/explanation_tasks/{task_id}", 404)
    assert watched.client.get("/v2/explanation_tasks")["total_count"] == 0


# ---- transactions ----

def test_a_transaction_has_its_rows_and_their_explanations(watched):
    scoring_ids = watched.log(blocks(), blocks(first=1), scoring_id="tx")
    task_ids = watched.explain(*scoring_ids)
    tasks = [wait_for(watched.client, task_id) for task_id in task_ids]
    for name in ("tx", "tx-2"):
        transaction = watched.client.get(f"/v2/transactions/{name}")
        assert transaction["transaction_id"] == "tx"
        assert transaction["subscription_id"] == watched.subscription_id
        assert [r["entity"]["values"]["scoring_id"] for r in transaction["records"]] == scoring_ids
        assert transaction["explanation_task_ids"] == task_ids
    explanations = watched.client.get("/v2/transactions/tx/explanations")
    assert explanations["explanations"] == tasks
    page = watched.client.get("/v2/transactions/tx/explanations", limit=1, offset=1)
    assert page["explanations"] == tasks[1:]


def test_a_transaction_without_explanations_has_an_empty_list(watched):
    watched.log(blocks(), scoring_id="quiet")
    assert watched.client.get("/v2/transactions/quiet")["explanation_task_ids"] == []
    assert watched.client.get("/v2/transactions/quiet/explanations")["explanations"] == []


def test_an_unknown_transaction_is_404(api, watched):
    for path in ("/v2/transactions/none", "/v2/transactions/none/explanations"):
        assert "none" in api.refused("GET", path, 404)["message"]


def test_the_default_fill_is_the_mean_colour(api, model):
    watched = Watched(api, model, parameters=None)
    task_id, _ = watched.explained(gradient(24, 24), segmentation={"max_segments": 4})
    assert attributions(watched, task_id)["sampling"]["fill"] == "mean"
