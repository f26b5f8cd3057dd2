# SPDX-License-Identifier: Apache-2.0
"""Filters and orders by what a model predicted: a class index is a number, a label is text."""
import pytest
from support.images import blocks


def log(watched, predictions):
    """Records with these predictions, as a model might write them."""
    rows = [[blocks(), [0.4, 0.6], prediction, f"t{i}"] for i, prediction in enumerate(predictions)]
    watched.client.post(watched.records_path, [{"fields": ["scoring_input", "probability", "prediction", "scoring_id"],
                                                "values": rows}])


def found(watched, **params):
    return [values["prediction"] for values in watched.values(includes="prediction,scoring_id", **params)]


PREDICTIONS = [2, 10, 4.0, "1", "cat", "catfish", 0]


@pytest.mark.parametrize("filter_, expected", [
    ("prediction:eq:10", [10]), ("prediction:eq:4", [4.0]), ("prediction:eq:1", ["1"]), ("prediction:eq:cat", ["cat"]),
    ("prediction:gt:2", [10, 4.0]), ("prediction:lte:2", [2, 0]), ("prediction:like:cat%", ["cat", "catfish"]),
    ("prediction:in(1;cat;10)", [10, "1", "cat"]), ("prediction:gte:catf", ["catfish"]), ("prediction:null", []),
])
def test_predictions_are_compared_as_what_they_are(watched, filter_, expected):
    log(watched, PREDICTIONS)
    assert found(watched, filter=filter_) == expected
    assert watched.count(filter=filter_) == len(expected)


def test_predictions_are_ordered_numbers_first(watched):
    log(watched, PREDICTIONS)
    assert found(watched, order="prediction:asc") == [0, 2, 4.0, 10, "1", "cat", "catfish"]
    assert found(watched, order="prediction:desc") == ["catfish", "cat", "1", 10, 4.0, 2, 0]


def test_records_are_filtered_by_their_deployment(watched):
    log(watched, [1])
    assert watched.count(filter=f"deployment_id:eq:{watched.deployment_id}") == 1
    assert watched.count(filter="deployment_id:eq:another") == 0


def test_labels_are_found_however_their_json_was_written(watched):
    """Python's json writes every letter beyond ASCII as an escape."""
    labels = ["caf\u00e9", "a \"quoted\" one", "back\\slash"]
    log(watched, labels)
    for label in labels:
        assert found(watched, filter=f"prediction:eq:{label}") == [label]
        assert found(watched, filter=f"prediction:in({label};other)") == [label]
    assert found(watched, filter="prediction:like:CAF_") == labels[:1]
    assert found(watched, filter="prediction:like:%quoted%") == labels[1:2]


COLUMNS_OF_LISTS = ["scoring_id", "transaction_id", "prediction", "prediction_probability", "scoring_timestamp",
                    "response_time", "asset_revision", "user_id", "deployment_id"]


@pytest.mark.parametrize("column", COLUMNS_OF_LISTS)
def test_lists_are_written_with_parentheses_or_without(watched, column):
    fields = ["scoring_input", "probability", "prediction", "transaction_id", "scoring_timestamp", "response_time",
              "asset_revision", "user_id"]
    rows = [[blocks(), [1 - p, p], 1, f"t{i}", f"2026-01-01T00:00:0{i}Z", i, f"r{i}", f"u{i}"]
            for i, p in enumerate((0.5, 0.625, 0.75))]
    watched.client.post(watched.records_path, [{"fields": fields, "values": rows}])
    values = [record[column] for record in watched.values(includes=column)]
    wanted = [str(value) for value in values[:2]]
    n = sum(str(value) in wanted for value in values)
    for form in ("in:({})", "in({})", "in:{}"):
        assert watched.count(filter=f"{column}:{form.format(';'.join(wanted))}") == n, form
        assert watched.count(filter=f"{column}:{form.format(wanted[0])},{column}:nonnull") >= 1, form


def test_parentheses_of_labels_stay(watched):
    log(watched, ["cat (big)", "(a)", "(b)", "dog"])
    assert found(watched, filter="prediction:in:(cat (big);dog)") == ["cat (big)", "dog"]
    assert found(watched, filter="prediction:in:cat (big);dog") == ["cat (big)", "dog"]
    assert found(watched, filter="prediction:in:(a);(b)") == ["(a)", "(b)"]
    assert found(watched, filter="prediction:in:((a);(b))") == ["(a)", "(b)"]
