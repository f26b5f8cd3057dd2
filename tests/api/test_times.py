# SPDX-License-Identifier: Apache-2.0
"""Times as clients write them, and as they come back."""
import pytest
from support.images import blocks


@pytest.mark.parametrize("text, kept", [
    ("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z"), ("0001-01-01T00:00:00", "0001-01-01T00:00:00.000000Z"),
    ("0001-01-01T05:00:00+05:00", "0001-01-01T00:00:00.000000Z"), ("9999-12-31T23:59:59-05:00", None),
    ("0001-01-01T00:00:00+05:00", None), ("0000-01-01T00:00:00Z", None)])
def test_times_are_those_that_four_digits_of_a_year_can_say(watched, text, kept):
    body = [watched.transaction(blocks(), scoring_timestamp=text)]
    if kept is None:
        error = watched.client.refused("POST", watched.records_path, 400, json=body)
        assert error["parameters"] == ["[0].scoring_timestamp"]
    else:
        watched.client.post(watched.records_path, body)
    assert [row["scoring_timestamp"] for row in watched.values()] == [kept][:kept is not None]
