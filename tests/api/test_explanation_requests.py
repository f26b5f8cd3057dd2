# SPDX-License-Identifier: Apache-2.0
"""Asking for explanations: which requests make tasks, and what is refused."""
import pytest
from support.client import Watched, wait_for
from support.images import blocks, labels


def test_asking_gives_one_task_id_for_each_scoring_id_in_order(watched):
    scoring_ids = watched.log(blocks(), blocks(first=1), blocks(first=2))
    task_ids = watched.explain(*reversed(scoring_ids))
    assert len(set(task_ids)) == 3
    for task_id, scoring_id in zip(task_ids, reversed(scoring_ids)):
        assert wait_for(watched.client, task_id)["entity"]["scoring_id"] == scoring_id


def test_the_smallest_request_is_a_list_of_scoring_ids(watched):
    answer = watched.client.post("/v2/explanation_tasks", {"scoring_ids": watched.log(blocks())})
    assert set(answer["metadata"]) >= {"explanation_task_ids", "created_by", "created_at"}


def test_a_bare_transaction_id_means_its_first_row(watched):
    watched.log(blocks(), blocks(first=1), scoring_id="bare")
    [task_id] = watched.explain("bare")
    assert wait_for(watched.client, task_id)["entity"]["scoring_id"] == "bare-1"


@pytest.mark.parametrize("unknown", ["unknown-1", "known-2", "known-1-1"])
def test_an_unknown_scoring_id_is_404_and_nothing_is_created(watched, unknown):
    watched.log(blocks(), scoring_id="known")
    error = watched.client.refused("POST", "/v2/explanation_tasks", 404, json={"scoring_ids": ["known-1", unknown]})
    assert unknown in error["message"]
    assert watched.client.get("/v2/explanation_tasks")["total_count"] == 0


@pytest.mark.parametrize("enable", [
    lambda w: None,
    lambda w: w.client.enable_explanations(w.subscription_id, {"enabled": False}),
], ids=["no monitor", "a monitor that is off"])
def test_without_explainability_enabled_it_is_400_and_nothing_is_created(api, stub_model, enable):
    watched = Watched(api, stub_model, enabled=False)
    enable(watched)
    body = {"scoring_ids": watched.log(blocks())}
    error = api.refused("POST", "/v2/explanation_tasks", 400, json=body)
    assert "not enabled" in error["message"] and error["code"].startswith("AIQES")
    assert api.get("/v2/explanation_tasks")["total_count"] == 0


def test_an_id_logged_in_two_subscriptions_needs_the_subscription(api, stub_model):
    first, second = (Watched(api, stub_model, deployment_id=f"d{i}") for i in range(2))
    for watched in (first, second):
        watched.log(blocks(), scoring_id="both-1")
    error = api.refused("POST", "/v2/explanation_tasks", 400, json={"scoring_ids": ["both-1"]})
    assert error["parameters"] == ["subscription_id"]
    [task_id] = second.explain("both-1")
    assert wait_for(api, task_id)["entity"]["asset"]["deployment"]["id"] == "d1"
    api.refused("GET", f"/v2/explanation_tasks/{task_id}", 404, params={"subscription_id": first.subscription_id})
    api.get(f"/v2/explanation_tasks/{task_id}", subscription_id=second.subscription_id)


@pytest.mark.parametrize("image, field", [
    ({"budget": 10}, "budget"), ({"budget": "many"}, "budget"), ({"confidence": 1}, "confidence"),
    ({"classes": "some"}, "classes"), ({"classes": []}, "classes"), ({"classes": ["x"]}, "classes[0]"),
    ({"classes": ["1", "1"]}, "classes[1]"), ({"seed": -1}, "seed"), ({"seed": 1.5}, "seed"),
    ({"deadline_ms": 1}, "deadline_ms"), ({"fill": "red"}, "fill"), ({"fill": "#12345"}, "fill"),
    ({"fill": "#1234567"}, "fill"), ({"segmentation": {"algorithm": "grid", "rows": 16}}, "segmentation.rows"),
    ({"segmentation": {"max_segments": 64}}, "segmentation.max_segments"), ({"budget": 0}, "budget"), ({"fill": "image"}, "background"), ({"background": ""}, "background"),
    ({"segmentation": {"max_segments": 17}, "design": "exact"}, "segmentation.max_segments"),
    ({"segmentation": {"algorithm": "grid", "rows": 5}, "design": "exact"}, "segmentation.rows"),
    ({"segmentation": {"algorithm": "grid", "rows": 1, "columns": 1}}, "segmentation.rows"),
    ({"segmentation": {"algorithm": "grid", "rows": 0}}, "segmentation.rows"), ({"design": "best"}, "design"),
    ({"segmentation": {"ratio": 2}}, "segmentation.ratio"), ({"unknown": 1}, "unknown"),
])
def test_a_wrong_parameter_is_named(watched, image, field):
    error = watched.client.refused("POST", "/v2/explanation_tasks", 400,
                                   json={"scoring_ids": watched.log(blocks()), "parameters": {"image": image}})
    assert error["parameters"] == [f"parameters.image.{field}"]


@pytest.mark.parametrize("parameters, field", [
    ({"desing": "exact"}, "desing"), ({"lime": {"perturbation_count": 100}}, "lime.perturbation_count"),
])
def test_a_misspelt_parameter_is_not_taken_for_the_default(watched, parameters, field):
    error = watched.client.refused("POST", "/v2/explanation_tasks", 400,
                                   json={"scoring_ids": watched.log(blocks()), "parameters": parameters})
    assert error["parameters"] == [f"parameters.{field}"]


OWN = [[column // 12 for column in range(24)] for _ in range(24)]


@pytest.mark.parametrize("image, field, told", [
    ({"segmentation": {"algorithm": "grid", "labels": OWN}}, "segmentation.labels", '"grid"'),
    ({"fill": "mean", "background": "x"}, "background", 'fill is "mean"'),
    ({"background": "x"}, "background", 'fill is "black"'),
    ({"fill": "#102030", "background": "x"}, "background", 'fill is "#102030"'),
    ({"segmentation": {"algorithm": "grid", "rows": 7, "columns": 9}, "budget": 64}, "budget", "for 63 superpixels; at least 130"),
    ({"segmentation": {"algorithm": "grid"}, "design": "exact", "budget": 1000}, "budget", "for 16 superpixels; at least 65536"),
    ({"segmentation": {"labels": [[24 * row + column for column in range(24)] for row in range(24)]}, "budget": 64},
     "budget", "for 63 superpixels; at least 130"),
])
def test_what_contradicts_itself_is_refused_when_it_is_asked(watched, image, field, told):
    error = watched.client.refused("POST", "/v2/explanation_tasks", 400,
                                   json={"scoring_ids": watched.log(blocks()), "parameters": {"image": image}})
    assert error["parameters"] == [f"parameters.image.{field}"] and told in error["message"], error


def test_a_budget_is_held_against_the_cells_the_image_has(watched):
    """Of 7 x 9 cells a small picture has fewer, which the budget is enough for."""
    task_id, _ = watched.explained(blocks(height=4, width=5), budget=64,
                                   segmentation={"algorithm": "grid", "rows": 7, "columns": 9})
    assert watched.client.get(f"/v2/explanation_tasks/{task_id}/attributions")["entity"]["segmentation"]["count"] == 20


def test_what_the_monitor_instance_says_of_another_fill_or_cut_is_put_aside(api, stub_model):
    chosen = {"fill": "image", "background": "behind", "segmentation": {"algorithm": "slic"}}
    watched = Watched(api, stub_model, parameters={"image": chosen})
    [scoring_id] = watched.log(blocks())
    [task_id] = watched.explain(scoring_id, parameters={"image": {"fill": "black", "segmentation": {"labels": OWN}}})
    wait_for(api, task_id)
    used = api.get(f"/v2/explanation_tasks/{task_id}/attributions")["entity"]["parameters"]
    assert used["image"]["fill"] == "black" and used["image"]["background"] is None
    assert used["image"]["segmentation"]["algorithm"] == "labels"
    [again] = watched.explain(scoring_id, parameters=used)
    assert wait_for(api, again)["entity"]["status"]["state"] == "finished", "what was used can be asked for"


def test_null_takes_back_what_the_monitor_instance_says(api, stub_model):
    chosen = {"budget": 128, "seed": 7, "segmentation": {"kernel_size": 2, "max_segments": 12}}
    watched = Watched(api, stub_model, parameters={"image": chosen, "lime": {"perturbations_count": 300}})
    [scoring_id] = watched.log(blocks())
    nulls = {"budget": None, "seed": None, "segmentation": {"kernel_size": None, "max_segments": None}}
    [task_id] = watched.explain(scoring_id, parameters={"image": nulls, "lime": {"perturbations_count": None}})
    wait_for(api, task_id)
    used = api.get(f"/v2/explanation_tasks/{task_id}/attributions")["entity"]["parameters"]
    assert used["lime"]["perturbations_count"] is None and used["image"]["budget"] is None
    assert used["image"]["seed"] is None
    assert used["image"]["segmentation"]["kernel_size"] is None and used["image"]["segmentation"]["max_segments"] is None


def test_an_error_of_the_engine_names_the_parameter(watched):
    [task_id] = watched.explain(*watched.log(blocks()), parameters={"image": {"classes": ["7"]}})
    error = wait_for(watched.client, task_id)["entity"]["errors"][0]["error"]
    assert error["message"].startswith("parameters.image.classes: ")
