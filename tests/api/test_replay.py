# SPDX-License-Identifier: Apache-2.0
"""Further questions about a finished explanation, answered from stored scores."""
import numpy
import pytest
from support.client import Watched
from support.images import blocks
from support.model import three_classes


@pytest.fixture
def asked(api, model):
    """A subscription, an explanation of all 64 masks, and how often the model was called for it."""
    model.probabilities = three_classes
    watched = Watched(api, model, problem_type="multiclass")
    task_id, _ = watched.explained(blocks(n=6, height=24, width=48), design="exact", segmentation={"max_segments": 6})
    return watched, task_id, len(model.calls)


def replay(watched, task_id, **body):
    return watched.client.post(f"/v2/explanation_tasks/{task_id}/replay", body, 200)


def attributions(watched, task_id):
    return watched.client.get(f"/v2/explanation_tasks/{task_id}/attributions")["entity"]


def test_the_same_question_has_the_same_answer_without_a_call(asked, model):
    watched, task_id, calls = asked
    before = attributions(watched, task_id)
    answer = replay(watched, task_id, classes=[c["value"] for c in before["classes"]])
    assert answer["metadata"]["explanation_task_id"] == task_id
    entity = answer["entity"]
    assert entity["replayed"] is True and entity["model_calls"] == 0 and len(model.calls) == calls
    assert entity["sampling"] == {"distinct_masks": before["sampling"]["calls"], "exact": True}
    for then, now in zip(before["classes"], entity["classes"], strict=True):
        assert now["value"] == then["value"]
        assert now["weights"] == pytest.approx(then["weights"], abs=1e-6)
        assert now["probability"] == pytest.approx(then["probability"], abs=1e-6)
        assert now["decisions"] == then["decisions"]


def test_a_class_that_was_not_explained_can_be_asked_for(asked):
    watched, task_id, _ = asked
    explained = {c["value"] for c in attributions(watched, task_id)["classes"]}
    [third] = {"0", "1", "2"} - explained
    [found] = replay(watched, task_id, classes=[third])["entity"]["classes"]
    others = replay(watched, task_id, classes=sorted(explained))["entity"]["classes"]
    total = numpy.sum([found["weights"]] + [other["weights"] for other in others], axis=0)
    assert total == pytest.approx(numpy.zeros(6), abs=1e-6), "probabilities add up to one"


def test_a_contrast_is_the_difference_of_two_classes(asked):
    watched, task_id, _ = asked
    first, second = replay(watched, task_id, classes=["0", "1"])["entity"]["classes"]
    [contrast] = replay(watched, task_id, contrast=["0", "1"])["entity"]["classes"]
    assert contrast["value"] == "0" and contrast["against"] == "1"
    assert contrast["weights"] == pytest.approx(numpy.subtract(first["weights"], second["weights"]), abs=1e-6)


def test_occlusion_is_what_is_lost_without_one_zone(asked):
    watched, task_id, _ = asked
    [found] = replay(watched, task_id, estimator="occlusion", classes=["0"])["entity"]["classes"]
    [lime] = replay(watched, task_id, classes=["0"])["entity"]["classes"]
    assert found["predicted"] == [False] * 6
    assert found["weights"] == pytest.approx(lime["weights"], abs=1e-5), "the model is additive"
    error = watched.client.refused("POST", f"/v2/explanation_tasks/{task_id}/replay", 400,
                                   json={"estimator": "occlusion", "contrast": ["0", "1"]})
    assert error["parameters"] == ["contrast"]


def test_occlusion_of_a_sample_says_what_it_predicted(api, model):
    model.probabilities = three_classes
    watched = Watched(api, model, problem_type="multiclass")
    task_id, _ = watched.explained(blocks(n=6, height=24, width=48), budget=128,
                                   segmentation={"algorithm": "grid", "rows": 2, "columns": 6})
    [found] = replay(watched, task_id, estimator="occlusion", classes=["0"])["entity"]["classes"]
    [lime] = replay(watched, task_id, classes=["0"])["entity"]["classes"]
    assert any(found["predicted"])
    assert found["weights"] == pytest.approx(lime["weights"], abs=2e-3)


def test_estimates_of_a_sample_without_intervals_say_so(api, model):
    watched = Watched(api, model)
    task_id, _ = watched.explained(blocks(n=12, height=24, width=48), design="array", budget=256,
                                   segmentation={"algorithm": "grid", "rows": 3, "columns": 4})
    assert [replay(watched, task_id)["entity"]["classes"][0]["warnings"], attributions(watched, task_id)["warnings"]] == [[], []]
    for estimator, words in ("shap", "Estimated from 256 masks:"), ("occlusion", "without intervals"):
        [warning] = replay(watched, task_id, estimator=estimator)["entity"]["classes"][0]["warnings"]
        assert words in warning


def test_without_a_question_the_most_probable_class_is_answered(asked):
    watched, task_id, _ = asked
    [only] = replay(watched, task_id)["entity"]["classes"]
    assert only["value"] == attributions(watched, task_id)["classes"][0]["value"]


def test_shapley_values_add_up(asked):
    watched, task_id, _ = asked
    entity = replay(watched, task_id, estimator="shap")["entity"]
    [only] = entity["classes"]
    assert entity["estimator"] == "shap" and only["intervals"] == [[weight, weight] for weight in only["weights"]]
    assert only["intercept"] + sum(only["weights"]) == pytest.approx(only["probability"], abs=1e-6)


def test_shapley_values_of_a_contrast_are_the_difference(api, model):
    model.probabilities = three_classes
    watched = Watched(api, model, problem_type="multiclass")
    task_id, _ = watched.explained(blocks(n=12, height=24, width=48), design="array", budget=256,
                                   segmentation={"algorithm": "grid", "rows": 3, "columns": 4})
    one, other = (numpy.array(replay(watched, task_id, estimator="shap", classes=[name])["entity"]["classes"][0]["weights"])
                  for name in "01")
    [both] = replay(watched, task_id, estimator="shap", contrast=["0", "1"])["entity"]["classes"]
    assert both["weights"] == pytest.approx(one - other, abs=1e-12)
    assert both["intercept"] + sum(both["weights"]) == pytest.approx(both["probability"], abs=1e-6)
    assert 0.9 < both["fidelity"]["surrogate_q2"] <= 1 and "Estimated from 256 masks:" in both["warnings"][0]


def test_shapley_values_of_a_sample_have_intervals(api, model):
    model.probabilities = three_classes
    watched = Watched(api, model, problem_type="multiclass")
    grid = {"algorithm": "grid", "rows": 3, "columns": 4}
    few, all_masks = (watched.explained(blocks(n=12, height=24, width=48), segmentation=grid, **design)[0]
                      for design in ({"design": "array", "budget": 256}, {"design": "exact"}))
    for question in {"classes": ["0"]}, {"contrast": ["0", "1"]}:
        [said] = replay(watched, few, estimator="shap", **question)["entity"]["classes"]
        [sure] = replay(watched, few, estimator="shap", confidence=0.999, **question)["entity"]["classes"]
        [truth] = replay(watched, all_masks, estimator="shap", **question)["entity"]["classes"]
        for weight, (low, high), (lower, higher), true in zip(said["weights"], said["intervals"], sure["intervals"],
                                                             truth["weights"]):
            assert lower < low <= true <= high < higher and low + high == pytest.approx(2 * weight)
        assert {"positive", "negative"} & set(said["decisions"])


def test_shapley_values_of_many_zones_have_no_intervals(api, model):
    watched = Watched(api, model)
    task_id, _ = watched.explained(blocks(n=18, height=24, width=48), design="array", budget=1024,
                                   segmentation={"algorithm": "grid", "rows": 3, "columns": 6})
    [only] = replay(watched, task_id, estimator="shap")["entity"]["classes"]
    assert "intervals" not in only and "without intervals" in only["warnings"][0]


@pytest.mark.parametrize("estimator", ["lime", "shap", "occlusion"])
def test_answers_of_a_model_that_does_not_repeat_itself_say_so(api, model, estimator):
    noise = numpy.random.default_rng(3)
    calm = model.probabilities

    def noisy(image):
        p = min(max(calm(image)[1] + noise.uniform(-0.02, 0.02), 0), 1)
        return [1 - p, p]

    model.probabilities = noisy
    watched = Watched(api, model)
    task_id, _ = watched.explained(blocks(n=6, height=24, width=48), design="exact", segmentation={"max_segments": 6})
    assert attributions(watched, task_id)["model"]["repeatable"] is False
    [only] = replay(watched, task_id, estimator=estimator)["entity"]["classes"]
    [warning] = only["warnings"]
    assert warning.startswith("The model does not give the same image the same answer:")


def test_a_wide_kernel_is_the_unweighted_fit(asked):
    """The model is linear in the picture: its Shapley values are the weights of any kernel."""
    watched, task_id, _ = asked
    shap = replay(watched, task_id, estimator="shap")["entity"]["classes"][0]["weights"]
    for width in (0.1, 0.25, 5):
        entity = replay(watched, task_id, kernel_width=width)["entity"]
        assert entity["kernel_width"] == width
        assert entity["classes"][0]["weights"] == pytest.approx(shap, abs=1e-5)


@pytest.mark.parametrize("body, field", [
    ({"classes": []}, "classes"), ({"classes": ["x"]}, "classes"), ({"classes": ["3"]}, "classes"),
    ({"contrast": ["0"]}, "contrast"), ({"contrast": ["0", "9"]}, "contrast"),
    ({"classes": ["0"], "contrast": ["0", "1"]}, "contrast"), ({"estimator": "guess"}, "estimator"),
    ({"kernel_width": 0}, "kernel_width"), ({"kernel_width": 6}, "kernel_width"), ({"confidence": 1}, "confidence"),
    ({"class": "0"}, "class"), ({"contrast": ["0", "0"]}, "contrast"), ({"contrast": ["0", "00"]}, "contrast"),
    ({"estimator": "shap", "kernel_width": 0.5}, "kernel_width"),
    ({"estimator": "occlusion", "confidence": 0.9}, "confidence"),
])
def test_a_question_that_makes_no_sense_is_refused_by_name(asked, body, field):
    watched, task_id, _ = asked
    error = watched.client.refused("POST", f"/v2/explanation_tasks/{task_id}/replay", 400, json=body)
    assert error["parameters"] == [field]


def test_an_explanation_that_is_not_there_or_not_finished_has_no_answers(api, model):
    api.refused("POST", "/v2/explanation_tasks/nothing/replay", 404, json={})
    watched = Watched(api, model)
    [scoring_id] = watched.log(blocks())
    model.hold()
    [task_id] = watched.explain(scoring_id)
    api.refused("POST", f"/v2/explanation_tasks/{task_id}/replay", 409, json={})
    model.release()
