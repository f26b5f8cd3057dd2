# SPDX-License-Identifier: Apache-2.0
"""Records from CSV, with the options that clients of the original have."""
import base64
import csv
import io
import json

import numpy
import pytest
from PIL import Image
from support.images import blocks

CSV = {"Content-Type": "text/csv"}
IMAGE = blocks(4, 4)
COLUMNS = ["scoring_id", "scoring_input", "probability"]


def row(name, image=IMAGE, probability=(0.25, 0.75)) -> list:
    return [name, json.dumps(image), json.dumps(list(probability))]


def text(*rows, header=COLUMNS, **style) -> bytes:
    out = io.StringIO()
    csv.writer(out, **style).writerows([header, *rows] if header else rows)
    return out.getvalue().encode()


def send(watched, body, expect=202, content_type="text/csv", **params):
    response = watched.client.request("POST", watched.records_path, expect, data=body, params=params,
                                      headers={"Content-Type": content_type})
    return response.json()


def refused(watched, body, status=400, **params) -> dict:
    """The error; nothing is stored."""
    error = send(watched, body, status, **params)["errors"][0]
    assert watched.count() == 0
    return error


def test_rows_are_logged_as_if_they_had_come_as_json(watched):
    header = [*COLUMNS, "prediction", "scoring_timestamp", "response_time", "user_id", "asset_revision", "weather"]
    more = ["cat", "2026-01-02T03:04:05Z", "12.5", "007", 'say "hi"\nor not', "sunny"]
    answer = send(watched, text(row("a") + more, row("b") + [""] * 6, header=header))
    assert answer["scoring_ids"] == ["a-1", "b-1"] and "rejected" not in answer
    first, second = watched.values(includes="scoring_id,prediction,probability,scoring_timestamp,response_time,user_id,"
                                            "asset_revision,scoring_input")
    assert first == {"scoring_id": "a-1", "prediction": "cat", "probability": [0.25, 0.75], "response_time": 12.5,
                     "scoring_timestamp": "2026-01-02T03:04:05.000000Z", "user_id": "007",
                     "asset_revision": 'say "hi"\nor not', "scoring_input": IMAGE}
    assert second["prediction"] == 1 and second["user_id"] is None and second["response_time"] is None


def test_whole_transactions_fit_in_cells(watched):
    request, response = watched.score(blocks(), blocks(first=1))
    body = text(["both", json.dumps(request), json.dumps(response)], header=["scoring_id", "request", "response"])
    assert send(watched, body)["scoring_ids"] == ["both-1", "both-2"]
    [task_id] = watched.explain("both-2")
    assert task_id


def test_an_image_may_be_a_picture_in_base64(watched):
    picture = io.BytesIO()
    Image.fromarray((numpy.asarray(IMAGE) * 255).astype(numpy.uint8)).save(picture, "PNG")
    encoded = base64.b64encode(picture.getvalue()).decode()
    send(watched, text(["p", encoded, "[0.5, 0.5]"]))
    assert watched.values(includes="scoring_input") == [{"scoring_input": encoded}]


def test_the_header_is_found_or_said(watched):
    plain = [json.dumps(IMAGE), "[0.25, 0.75]", "1"]
    assert send(watched, text(row("named")))["scoring_ids"] == ["named-1"]
    assert send(watched, text(row("said")), header="true")["scoring_ids"] == ["said-1"]
    send(watched, text(plain, header=None))
    send(watched, text(plain, plain, header=None), header="false")
    assert watched.count() == 5
    error = send(watched, text(["a", *plain], header=None), 400, header="true")["errors"][0]
    assert "body holds no record" in error["message"]


def test_rows_are_skipped_and_limited(watched):
    body = text(*[row(f"r{i}") for i in range(6)])
    assert send(watched, body, skip=1, limit=2)["scoring_ids"] == ["r1-1", "r2-1"]
    assert send(watched, body, skip=4, limit=100)["scoring_ids"] == ["r4-1", "r5-1"]
    assert "body holds no record" in send(watched, body, 400, skip=6)["errors"][0]["message"]


@pytest.mark.parametrize("delimiter", [";", "\t", "|", "\\t"])
def test_any_delimiter_will_do(watched, delimiter):
    sent = "\t" if delimiter == "\\t" else delimiter
    assert send(watched, text(row("d"), delimiter=sent), delimiter=delimiter)["scoring_ids"] == ["d-1"]


def test_line_ends_blank_lines_and_a_byte_order_mark_do_not_matter(watched):
    body = b"\xef\xbb\xbf" + text(row("a"), lineterminator="\n").replace(b"\n", b"\n\n") + text(row("b"), header=None)
    assert send(watched, body.rstrip(b"\r\n"))["scoring_ids"] == ["a-1", "b-1"]


def test_charsets(watched):
    body = text(row("caf\u00e9")).decode()
    for charset in ("utf-8", '"UTF-8"'):
        send(watched, body.encode("utf-8"), content_type=f"text/csv; charset={charset}")
    send(watched, body.replace("caf", "th").encode("latin-1"), content_type="text/csv;charset=iso-8859-1")
    assert [v["scoring_id"] for v in watched.values(includes="scoring_id")] == ["caf\u00e9-1", "th\u00e9-1"]
    send(watched, body.encode("utf-16"), 415, content_type="text/csv; charset=utf-16")
    error = send(watched, body.encode("latin-1"), 400)["errors"][0]
    assert error["parameters"] == ["line 2, column 1 (scoring_id)"] and "UTF-8" in error["message"]


GOOD = row("good")
BAD_ROWS = [
    (["bad", "[[[1", "[0.5, 0.5]"], "line 3, column 2 (scoring_input)"),
    (["bad", json.dumps(IMAGE), "[0.5, 0.5"], "line 3, column 3 (probability)"),
    (["bad", json.dumps(IMAGE), '["x"]'], "line 3, column 3 (probability)"),
    (["bad", json.dumps(IMAGE), ""], "line 3, column 3 (probability)"),
    (["bad", "", "[0.5, 0.5]"], "line 3, column 2 (scoring_input)"),
    (["bad", "bm8gcGljdHVyZQ==", "[0.5, 0.5]"], "line 3, column 2 (scoring_input)"),
    (["bad", '[1],"user_id":"x"', "[0.5, 0.5]"], "line 3, column 2 (scoring_input)"),
    (["b" * 201, json.dumps(IMAGE), "[0.5, 0.5]"], "line 3, column 1 (scoring_id)"),
    (["bad", json.dumps(IMAGE)], "line 3"),
    (["bad", json.dumps(IMAGE), "[0.5, 0.5]", "x"], "line 3"),
]


@pytest.mark.parametrize("bad, place", BAD_ROWS)
def test_a_row_that_cannot_be_used_is_named_and_nothing_is_stored(watched, bad, place):
    error = refused(watched, text(GOOD, bad, row("after")))
    assert error["parameters"] == [place] and error["message"].startswith(place + ": ")


@pytest.mark.parametrize("bad, place", BAD_ROWS)
def test_such_a_row_is_left_out_when_asked_for(watched, bad, place):
    answer = send(watched, text(GOOD, bad, row("after")), on_error="continue")
    assert answer["scoring_ids"] == ["good-1", "after-1"] and answer["rejected_count"] == 1
    [problem] = answer["rejected"]
    assert problem["line"] == 3 and problem["place"] == place and problem["code"] and problem["message"]
    assert watched.count() == 2


def test_lines_are_those_of_the_file(watched):
    """A cell may have several."""
    header = [*COLUMNS, "asset_revision"]
    body = text(row("a") + ["one\ntwo\nthree"], row("b", probability=[]) + [""], header=header)
    assert refused(watched, body)["parameters"] == ["line 5, column 3 (probability)"]


@pytest.mark.parametrize("broken, place", [(b'x,"[[[1]]]"y,"[0.5]"', "line 3"), (b'x,"[[[1]]]","[0.5]', "line 3")])
def test_broken_quotes_are_named(watched, broken, place):
    body = text(GOOD) + broken + b"\n"
    error = refused(watched, body)
    assert error["parameters"] == [place] and "quote" in error["message"]
    assert send(watched, body, on_error="continue")["scoring_ids"] == ["good-1"]


def test_a_row_longer_than_asked_for_is_one_that_cannot_be_used(watched):
    long = row("long", blocks(16, 16))
    error = refused(watched, text(GOOD, long), csv_max_line_length=1000.0)
    assert "csv_max_line_length" in error["message"] and error["parameters"] == ["line 3"]
    answer = send(watched, text(long, GOOD), on_error="continue", csv_max_line_length=1000)
    assert answer["scoring_ids"] == ["good-1"]


def test_without_a_row_that_can_be_used_nothing_is_stored(watched):
    error = refused(watched, text(["bad", "[", ""], ["worse", "", ""]), on_error="continue")
    assert error["parameters"] == ["line 2, column 2 (scoring_input)"]
    for body in (b"", b"\r\n\n", text()):
        assert "no record" in refused(watched, body)["message"]


def test_only_some_of_many_bad_rows_are_told(watched):
    answer = send(watched, text(GOOD, *[["bad", "", ""]] * 150), on_error="continue")
    assert answer["rejected_count"] == 150 and len(answer["rejected"]) == 100


def test_more_rows_than_a_request_takes_are_refused(watched):
    tiny = blocks(2, 2)
    body = text(*[row(f"r{i}", tiny) for i in range(1001)])
    assert "1000" in refused(watched, body, 413)["message"]
    assert len(send(watched, body, limit=1000)["scoring_ids"]) == 1000


def test_another_content_for_a_known_id_is_a_conflict_of_the_whole(watched):
    send(watched, text(GOOD))
    body = text(row("new"), row("good", blocks(5, 5)))
    for on_error in ("stop", "continue"):
        error = send(watched, body, 409, on_error=on_error)["errors"][0]
        assert error["parameters"] == ["line 3"] and "good-1" in error["message"]
    assert watched.count() == 1


@pytest.mark.parametrize("option", [{"delimiter": ",,"}, {"delimiter": '"'}, {"delimiter": "\u00e9"}, {"skip": -1},
                                    {"limit": "x"}, {"on_error": "wait"}, {"header": "maybe"},
                                    {"csv_max_line_length": 0}, {"csv_max_line_length": "nan"}])
def test_options_out_of_range_are_refused(watched, option):
    assert refused(watched, text(GOOD), **option)["parameters"] == list(option)


def test_a_column_that_is_there_twice_is_refused(watched):
    error = refused(watched, text(GOOD + ["x"], header=[*COLUMNS, "scoring_id"]))
    assert error["parameters"] == ["line 1, column 4 (scoring_id)"]


def test_a_row_without_a_column_that_is_needed_says_which(watched):
    for missing in ("probability", "scoring_input"):
        header = [name for name in COLUMNS if name != missing]
        cells = dict(zip(COLUMNS, row("a"), strict=True))
        error = refused(watched, text([cells[name] for name in header], header=header))
        assert error["message"].startswith(f"line 2: {missing}: is missing") and error["parameters"] == ["line 2"]
    error = refused(watched, text(["a", "{}"], header=["scoring_id", "request"]))
    assert error["message"] == "line 2: response: is missing"


def test_an_image_over_the_limit_is_told_by_its_column(watched):
    limit = watched.client.get("/v2/limits")["limits"]["payload_bytes"]
    error = refused(watched, text(row("large", [[255] * 600] * 600)), 413)
    assert error["parameters"] == ["line 2, column 2 (scoring_input)"] and str(limit) in error["message"]
