# SPDX-License-Identifier: Apache-2.0
"""Rules for automatic explanations that are no good."""
import pytest
from support.images import blocks


@pytest.mark.parametrize("automatic, field", [
    (3, ""), ([], ""), ({}, "rules"), ({"rules": []}, "rules"), ({"rules": {}}, "rules"), ({"rules": [3]}, "rules[0]"),
    ({"rules": [{"share": 1}]}, "rules[0].name"), ({"rules": [{"name": "", "share": 1}]}, "rules[0].name"),
    ({"rules": [{"name": "x" * 65, "share": 1}]}, "rules[0].name"), ({"rules": [{"name": "a"}]}, "rules[0]"),
    ({"rules": [{"name": "a", "share": 1}, {"name": "a", "share": 1}]}, "rules[1].name"),
    ({"rules": [{"name": "a", "share": 1.1}]}, "rules[0].share"),
    ({"rules": [{"name": "a", "share": "all"}]}, "rules[0].share"),
    ({"rules": [{"name": "a", "probability_below": -0.1}]}, "rules[0].probability_below"),
    ({"rules": [{"name": "a", "probability_below": 60}]}, "rules[0].probability_below"),
    ({"rules": [{"name": "a", "labels": []}]}, "rules[0].labels"),
    ({"rules": [{"name": "a", "labels": "lynx"}]}, "rules[0].labels"),
    ({"rules": [{"name": "a", "labels": ["lynx", None]}]}, "rules[0].labels[1]"),
    ({"rules": [{"name": "a", "labels": ["x"] * 1001}]}, "rules[0].labels"),
    ({"rules": [{"name": "a", "first_per_hour": 0}]}, "rules[0].first_per_hour"),
    ({"rules": [{"name": "a", "first_per_hour": 1.5}]}, "rules[0].first_per_hour"),
    ({"rules": [{"name": "a", "share": 1, "priority": 0}]}, "rules[0].priority"),
    ({"rules": [{"name": "a", "share": 1, "priority": 10}]}, "rules[0].priority"),
    ({"rules": [{"name": "a", "share": 1, "model_calls_per_day": 0}]}, "rules[0].model_calls_per_day"),
    ({"rules": [{"name": "a", "share": 1, "probabilty_below": 0.5}]}, "rules[0].probabilty_below"),
    ({"rules": [{"name": "a", "share": 1}], "model_calls_per_day": 0}, "model_calls_per_day"),
    ({"rules": [{"name": "a", "share": 1}], "enabled": "yes"}, "enabled"),
    ({"rules": [{"name": "a", "share": 1}], "budget": 5}, "budget"),
    ({"rules": [{"name": f"r{i}", "share": 1} for i in range(17)]}, "rules"),
])
def test_bad_rules_are_400_and_name_the_member(watched, automatic, field):
    path = f"/v2/monitor_instances/{watched.monitor_id}"
    error = watched.client.refused("PATCH", path, 400, json=[
        {"op": "add", "path": "/parameters/automatic", "value": automatic}])
    assert error["parameters"] == [f"parameters.automatic.{field}".rstrip(".")] and error["message"]
    assert "automatic" not in watched.client.get(path)["entity"]["parameters"]


def test_rules_are_of_the_monitor_not_of_a_question(watched):
    [scoring_id] = watched.log(blocks())
    error = watched.client.refused("POST", "/v2/explanation_tasks", 400, json={
        "scoring_ids": [scoring_id], "parameters": {"automatic": {"rules": [{"name": "a", "share": 1}]}}})
    assert error["parameters"] == ["parameters.automatic"]
