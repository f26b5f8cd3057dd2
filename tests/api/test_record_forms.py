# SPDX-License-Identifier: Apache-2.0
"""Records in each form that is taken, all of them in the contract, and what is said of those that are nearly one."""
import pytest
from support.images import blocks

IMAGE = blocks(4, 4)


@pytest.mark.parametrize("image", ["scoring_input", "image", "input", "values"])
@pytest.mark.parametrize("probability", ["probability", "probabilities"])
def test_columns_have_other_names_too(watched, image, probability):
    watched.client.post(watched.records_path, [{image: IMAGE, probability: [0.25, 0.75], "prediction_classes": 1}])
    [values] = watched.values(includes="scoring_input,probability,prediction")
    assert values == {"scoring_input": IMAGE, "probability": [0.25, 0.75], "prediction": 1}


@pytest.mark.parametrize("given, kept, prediction", [
    (0.25, [0.75, 0.25], 0), ([0.25], [0.75, 0.25], 0), ({"cat": 0.25, "dog": 0.75}, [0.25, 0.75], "dog")])
def test_probabilities_come_as_one_number_or_by_the_names_of_classes(watched, given, kept, prediction):
    watched.client.post(watched.records_path, [{"scoring_input": IMAGE, "probability": given}])
    assert watched.values(includes="probability,prediction") == [{"probability": kept, "prediction": prediction}]


def test_one_record_needs_no_list(watched):
    watched.client.post(watched.records_path, {"request": {"values": [IMAGE]}, "response": {"predictions": [0.25]}})
    watched.client.post(watched.records_path, {"scoring_input": IMAGE, "probability": [0.75, 0.25]})
    assert watched.values(includes="probability") == [{"probability": [0.75, 0.25]}] * 2


def test_a_row_of_a_table_that_is_short_is_named(watched):
    table = {"fields": ["scoring_input", "probability"], "values": [[IMAGE, [0.5, 0.5]], [IMAGE]]}
    for body, place in ((table, "values[1]"), ([table], "[0].values[1]")):
        error = watched.client.refused("POST", watched.records_path, 400, json=body)
        assert error["parameters"] == [place] and "1 cells" in error["message"]
    assert watched.count() == 0
