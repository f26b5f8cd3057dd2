# SPDX-License-Identifier: Apache-2.0
"""Payload logging: every form that is taken, repeats, and reading back."""
import json
import re
import uuid

import pytest
from support.client import Client, Watched
from support.images import blocks, grey
from support.model import wml_answer

JSON = {"Content-Type": "application/json"}


@pytest.fixture
def logged(api, stub_model):
    """Four records of one data set, a minute apart, with scoring ids t0-1 to t3-1."""
    watched = Watched(api, stub_model)
    for i in range(4):
        watched.log(blocks(first=i), scoring_id=f"t{i}", scoring_timestamp=f"2024-05-01T10:0{i}:00Z",
                    response_time=10 * i, user_id="ann" if i < 2 else None, asset_revision=f"r{i}")
    return watched


def names(records):
    return [values["scoring_id"] for values in records]


# ---- logging ----

def test_a_request_that_says_it_has_one_record_must_have_one(watched):
    assert len(watched.log(blocks(), multiple_records=False)) == 1
    assert len(watched.log(blocks(), blocks(first=1), multiple_records=True)) == 2
    body = watched.transaction(blocks(), blocks(first=1), multiple_records=False)
    error = watched.client.refused("POST", watched.records_path, 400, json=[body])
    assert error["parameters"] == ["[0].multiple_records"] and "2 images" in error["message"]


def test_a_whole_transaction_is_logged_and_read_back(watched):
    image = blocks()
    body = watched.transaction(image, scoring_id="tx-1", scoring_timestamp="2024-03-21T11:45:41.419630Z",
                               response_time=12.5, asset_revision="7", user_id="ann", multiple_records=True)
    assert watched.client.post(watched.records_path, [body])["scoring_ids"] == ["tx-1"]
    [record] = watched.client.get(watched.records_path)["records"]
    values = record["entity"]["values"]
    [probabilities, prediction, _] = body["response"]["predictions"][0]["values"][0]
    assert values["scoring_id"] == "tx-1" and values["transaction_id"] == "tx"
    assert values["scoring_timestamp"].startswith("2024-03-21T11:45:41.41963")
    assert values["response_time"] == 12.5
    assert values["asset_revision"] == "7" and values["user_id"] == "ann"
    assert values["deployment_id"] == watched.deployment_id
    assert values["probability"] == pytest.approx(probabilities)
    assert values["prediction_probability"] == pytest.approx(max(probabilities))
    assert values["prediction"] == prediction
    assert "scoring_input" not in values


def test_the_answer_says_where_its_state_is(watched):
    response = watched.client.request("POST", watched.records_path, json=[watched.transaction(blocks())])
    location = response.headers["Location"]
    assert not location.endswith("/")
    request_id = location.rsplit("/", 1)[1]
    state = watched.client.get(f"/v2/data_sets/{watched.data_set_id}/requests/{request_id}")
    assert state["state"] == "active" == response.json()["state"]
    watched.client.refused("GET", f"/v2/data_sets/{watched.data_set_id}/requests/none", 404)


def plain(request):
    return {"values": request["input_data"][0]["values"]}


def plain_answer(response):
    return {"fields": response["predictions"][0]["fields"], "values": response["predictions"][0]["values"]}


@pytest.mark.parametrize("shape_request", [lambda r: r, plain], ids=["whole request", "plain request"])
@pytest.mark.parametrize("shape_response", [lambda r: r, plain_answer, lambda r: r["predictions"][0]],
                         ids=["whole response", "plain response", "predictions[0]"])
def test_whole_and_plain_bodies_are_taken_in_any_combination(watched, shape_request, shape_response):
    image = blocks()
    request, response = watched.score(image)
    record = {"request": shape_request(request), "response": shape_response(response), "scoring_id": "x"}
    assert watched.client.post(watched.records_path, [record])["scoring_ids"] == ["x-1"]
    [values] = watched.values(includes="scoring_input,probability")
    assert values["scoring_input"] == image
    assert values["probability"] == pytest.approx(response["predictions"][0]["values"][0][2])


@pytest.mark.parametrize("form", ["one row", "rows", "table", "table in a list"])
def test_rows_are_taken_as_objects_and_as_tables(watched, form):
    image = blocks()
    row = {"scoring_id": "row", "scoring_input": image, "prediction": 1, "probability": [0.25, 0.75]}
    table = {"fields": list(row), "values": [list(row.values())]}
    body = {"one row": row, "rows": [row], "table": table, "table in a list": [table]}[form]
    assert watched.client.post(watched.records_path, body)["scoring_ids"] == ["row-1"]
    [values] = watched.values(includes="scoring_input,probability,prediction")
    assert values == {"prediction": 1, "probability": [0.25, 0.75], "scoring_input": image}


def test_a_named_row_of_fields_is_taken(watched):
    image = blocks()
    record = {"request": {"fields": ["note", "image"], "values": [["a", image]]},
              "response": {"fields": ["prediction", "probability"], "values": [[0, [0.9, 0.1]]]}}
    watched.client.post(watched.records_path, [record])
    assert watched.values(includes="scoring_input") == [{"scoring_input": image}]


def test_a_custom_engines_labels_become_the_prediction(watched):
    record = {"request": {"values": [blocks()]}, "scoring_id": "labelled",
              "response": {"labels": ["dog", "cat"], "fields": ["probabilities", "prediction"],
                           "values": [[[0.8, 0.2], "dog"]]}}
    watched.client.post(watched.records_path, [record])
    [values] = watched.values()
    assert values["prediction"] == "dog" and values["prediction_probability"] == 0.8


def test_a_scoring_id_is_made_when_there_is_none(watched):
    record = watched.transaction(blocks())
    del record["scoring_id"]
    first, second = (watched.client.post(watched.records_path, [record])["scoring_ids"] for _ in range(2))
    assert first != second
    uuid.UUID(first[0].removesuffix("-1"))


@pytest.mark.parametrize("sent, kept, transaction", [
    ("abc", "abc-1", "abc"),
    ("abc-1", "abc-1", "abc"),
    ("abc-27", "abc-27", "abc"),
    ("abc-0", "abc-0-1", "abc-0"),
    ("abc-01", "abc-01-1", "abc-01"),
    ("abc-12345", "abc-12345-1", "abc-12345"),
    ("-7", "-7-1", "-7"),
    ("a b/ü", "a b/ü-1", "a b/ü"),
])
def test_a_scoring_id_ends_in_its_row(watched, sent, kept, transaction):
    assert watched.log(blocks(), scoring_id=sent) == [kept]
    [values] = watched.values()
    assert values["scoring_id"] == kept and values["transaction_id"] == transaction


def test_several_images_in_one_request_become_rows(watched):
    images = [blocks(first=i) for i in range(3)]
    assert watched.log(*images, scoring_id="many-5") == ["many-5-1", "many-5-2", "many-5-3"]
    rows = watched.values(includes="scoring_id,scoring_input,probability", order="scoring_id:asc")
    assert [row["scoring_input"] for row in rows] == images
    assert len({tuple(row["probability"]) for row in rows}) == 3


def test_several_transactions_in_one_request_are_all_stored(watched):
    body = [watched.transaction(blocks(first=i), scoring_id=f"b{i}") for i in range(5)]
    assert watched.client.post(watched.records_path, body)["scoring_ids"] == [f"b{i}-1" for i in range(5)]
    assert watched.count() == 5


def test_one_channel_images_are_taken_with_and_without_a_channel_axis(watched):
    image = grey()
    flat = [[pixel[0] for pixel in row] for row in image]
    for n, picture in enumerate((image, flat)):
        record = {"scoring_id": f"g{n}", "request": {"values": [picture]},
                  "response": plain_answer(wml_answer([image]))}
        watched.client.post(watched.records_path, [record])
    assert watched.count() == 2


def test_a_single_probability_counts_for_two_classes(watched):
    record = {"request": {"values": [blocks()]}, "response": {"fields": ["probability"], "values": [[[0.8]]]}}
    watched.client.post(watched.records_path, [record])
    [values] = watched.values()
    assert values["probability"] == pytest.approx([0.2, 0.8])


def test_the_column_the_subscription_names_is_used(api, stub_model):
    watched = Watched(api, stub_model, asset_properties={"probability_fields": ["mine"]})
    record = {"request": {"values": [blocks()]},
              "response": {"fields": ["probability", "mine"], "values": [[[0.5, 0.5], [0.1, 0.9]]]}}
    watched.client.post(watched.records_path, [record])
    [values] = watched.values()
    assert values["probability"] == [0.1, 0.9]


# ---- repeats ----

def test_the_same_content_is_accepted_again_without_a_second_row(watched):
    body = [watched.transaction(blocks(), blocks(first=1), scoring_id="again",
                                scoring_timestamp="2024-05-01T10:00:00Z")]
    first = watched.client.post(watched.records_path, body)
    body[0]["scoring_timestamp"] = "2024-05-02T10:00:00Z"
    assert watched.client.post(watched.records_path, body)["scoring_ids"] == first["scoring_ids"]
    assert watched.count() == 2
    assert {v["scoring_timestamp"][:10] for v in watched.values()} == {"2024-05-01"}


def test_other_content_under_a_known_scoring_id_is_409_and_nothing_is_stored(watched):
    watched.log(blocks(), scoring_id="known-1")
    body = [watched.transaction(blocks(), scoring_id="new"), watched.transaction(blocks(first=1), scoring_id="known-1")]
    error = watched.client.refused("POST", watched.records_path, 409, json=body)
    assert error["parameters"] == ["[1].scoring_id"] and "known-1" in error["message"]
    assert names(watched.values()) == ["known-1"]


def test_two_contents_under_one_id_in_one_request_are_409(watched):
    body = [watched.transaction(blocks(first=i), scoring_id="same-1") for i in range(2)]
    watched.client.refused("POST", watched.records_path, 409, json=body)
    assert watched.count() == 0


# ---- reading back ----

@pytest.mark.parametrize("params, expected", [
    ({}, [0, 1, 2, 3]),
    ({"limit": 2}, [0, 1]),
    ({"limit": 2, "offset": 1}, [1, 2]),
    ({"offset": 9}, []),
    ({"limit": 0}, []),
    ({"limit": 100000}, [0, 1, 2, 3]),
    ({"order": "scoring_timestamp:desc"}, [3, 2, 1, 0]),
    ({"order": "scoring_id:asc", "limit": 1}, [0]),
    ({"order": "response_time:desc", "limit": 1}, [3]),
    ({"start": "2024-05-01T10:01:00Z"}, [1, 2, 3]),
    ({"end": "2024-05-01T10:01:00Z"}, [0]),
    ({"start": "2024-05-01 10:01:00", "end": "2024-05-01 10:02:30"}, [1, 2]),
    ({"filter": "scoring_id:eq:t2-1"}, [2]),
    ({"filter": "scoring_id:in:t0-1;t3-1"}, [0, 3]),
    ({"filter": "scoring_id:in(t0-1;t3-1)"}, [0, 3]),
    ({"filter": "scoring_id:like:t%"}, [0, 1, 2, 3]),
    ({"filter": "scoring_id:like:%2-_"}, [2]),
    ({"filter": "transaction_id:eq:t1"}, [1]),
    ({"filter": "response_time:gt:10"}, [2, 3]),
    ({"filter": "response_time:gte:10,response_time:lt:30"}, [1, 2]),
    ({"filter": "response_time:lte:0"}, [0]),
    ({"filter": "user_id:null"}, [2, 3]),
    ({"filter": "user_id:nonnull"}, [0, 1]),
    ({"filter": "asset_revision:eq:r2"}, [2]),
    ({"filter": "scoring_timestamp:gte:2024-05-01T10:02:00Z"}, [2, 3]),
    ({"filter": "user_id:eq:ann", "order": "scoring_timestamp:desc", "limit": 1}, [1]),
])
def test_pages_windows_filters_and_orders(logged, params, expected):
    assert names(logged.values(**params)) == [f"t{i}-1" for i in expected]


def test_predictions_can_be_filtered_by(logged):
    by_class = {c: [v["scoring_id"] for v in logged.values() if v["prediction"] == c] for c in (0, 1)}
    for c, expected in by_class.items():
        assert names(logged.values(filter=f"prediction:eq:{c}")) == expected


def test_the_total_counts_what_matches_not_the_page(logged):
    assert logged.count() == 4
    page = logged.client.get(logged.records_path, limit=1, include_total_count="true", filter="user_id:eq:ann")
    assert page["total_count"] == 2 and len(page["records"]) == 1
    assert "total_count" not in logged.client.get(logged.records_path)


def test_a_random_order_is_repeatable_by_its_seed(logged):
    orders = {seed: names(logged.values(order="random", seed=seed)) for seed in range(8)}
    assert all(sorted(order) == ["t0-1", "t1-1", "t2-1", "t3-1"] for order in orders.values())
    assert len({tuple(order) for order in orders.values()}) > 1
    assert names(logged.values(order="random", seed=3)) == orders[3]


def test_includes_and_exclude_choose_the_columns(logged):
    values = logged.values(includes="scoring_id,prediction", limit=1)
    assert set(values[0]) == {"scoring_id", "prediction"}
    without = logged.values(exclude="probability", limit=1)[0]
    assert "probability" not in without and "scoring_id" in without


def test_all_rows_have_the_same_columns_in_the_same_order(logged):
    assert len({tuple(values) for values in logged.values()}) == 1


def test_rows_come_as_lists_when_asked(logged):
    columns = "scoring_id,response_time"
    [table] = logged.client.get(logged.records_path, format="list", includes=columns, limit=2)["records"]
    assert dict(zip(table["fields"], zip(*table["values"]))) == {
        "scoring_id": ("t0-1", "t1-1"), "response_time": (0, 10)}
    assert len(table["annotations"]) == 2
    [empty] = logged.client.get(logged.records_path, format="list", limit=0)["records"]
    assert empty["values"] == []


def test_images_come_on_request_only_and_20_at_most(watched):
    body = [watched.transaction(blocks(12, 12), scoring_id=f"i{i}") for i in range(25)]
    watched.client.post(watched.records_path, body)
    assert len(watched.values(includes="scoring_id,scoring_input", limit=1000)) == 20
    assert len(watched.values(includes="scoring_id", limit=1000)) == 25


def test_one_record_has_its_image_or_a_reference_to_it(watched):
    image = blocks()
    watched.log(image)
    [record] = watched.client.get(watched.records_path)["records"]
    path = f"{watched.records_path}/{record['metadata']['id']}"
    assert record["metadata"]["url"] == path
    whole = watched.client.get(path)["entity"]["values"]
    assert whole.pop("scoring_input") == image
    assert whole == record["entity"]["values"]
    reference = watched.client.get(path, binary_format="reference")["entity"]["values"]["scoring_input"]
    assert watched.client.get(reference["reference"]) == image


def test_a_field_is_the_value_as_it_was_logged(watched):
    text = '[ [[0.10,0.2,3e-1], [1.0,0,0]],\n [[0,0.250,0],[0,0,1]] ]'
    response = '{"fields":["probability"],"values":[[[0.5,0.5]]]}'
    body = '[{"scoring_id":"raw","request":{"values":[%s]},"response":%s}]' % (text, response)
    watched.client.request("POST", watched.records_path, data=body)
    [record] = watched.client.get(watched.records_path)["records"]
    path = f"{watched.records_path}/{record['metadata']['id']}"
    assert watched.client.request("GET", f"{path}/scoring_input").text == text
    assert watched.client.get(f"{path}/scoring_id") == "raw-1"
    assert watched.client.get(f"{path}/probability") == [0.5, 0.5]
    assert watched.client.get(f"{path}/response_time") is None
    watched.client.refused("GET", f"{path}/nothing", 404)
    watched.client.refused("GET", f"{watched.records_path}/none", 404)
    watched.client.refused("GET", f"{watched.records_path}/none/scoring_id", 404)


@pytest.mark.parametrize("params, field", [
    ({"limit": -1}, "limit"), ({"limit": "x"}, "limit"), ({"offset": -1}, "offset"),
    ({"start": "yesterday"}, "start"), ({"end": "2024-13-01"}, "end"),
    ({"format": "csv"}, "format"), ({"include_total_count": "maybe"}, "include_total_count"),
    ({"includes": "scoring_id,nothing"}, "includes"), ({"exclude": "nothing"}, "exclude"),
    ({"order": "nothing:asc"}, "order"), ({"order": "scoring_id:up"}, "order"),
    ({"filter": "scoring_id"}, "filter"), ({"filter": "nothing:eq:1"}, "filter"),
    ({"filter": "scoring_id:is:1"}, "filter"), ({"filter": "response_time:gt:fast"}, "filter"),
    ({"filter": "scoring_id:null:1"}, "filter"), ({"filter": "scoring_id:eq"}, "filter"),
    ({"filter": "scoring_timestamp:gt:noon"}, "filter"), ({"binary_format": "x"}, "binary_format"),
])
def test_a_query_that_makes_no_sense_is_refused_by_name(watched, params, field):
    error = watched.client.refused("GET", watched.records_path, 400, params=params)
    assert error["parameters"] == [field] and error["message"].startswith(field)


def test_records_are_found_across_data_sets(logged):
    [record] = logged.client.get(logged.records_path, filter="scoring_id:eq:t1-1")["records"]
    record_id = record["metadata"]["id"]
    for params in ({"record_id": record_id}, {"transaction_id": "t1"}, {"record_id": f"none,{record_id}"}):
        answer = logged.client.get("/v2/data_set_records", data_set_type="payload_logging", **params)
        [found] = answer["data_set_records"]
        assert found["records"] == record
        assert found["data_set"]["target"]["target_id"] == logged.subscription_id
    assert logged.client.get("/v2/data_set_records", transaction_id="none") == {"data_set_records": []}


def test_a_request_of_several_elements_is_refused_with_what_to_do(watched):
    record = watched.transaction(blocks())
    record["request"]["input_data"].append({"values": [blocks(first=1)]})
    error = watched.client.refused("POST", watched.records_path, 400, json=[record])
    assert error["parameters"] == ["[0].request.input_data"]
    assert "has several elements" in error["message"] and "a record for each" in error["message"]


@pytest.mark.parametrize("value, name, words", [
    ("1e309", "response_time", "1e309 .* -1 to 1000000000000"), ("-1e400", "response_time", "-1 to 1000000000000"),
    ("1e13", "response_time", "1e\\+?13|10000000000000"), ('"a\\u0000"', "user_id", "u0000"), ('"\\ud800"', "scoring_id", "surrogate"),
    ('{"a": 1, "a": 2}', "asset_revision", "JSON"), ("1e309", "user_id", "1e309")])
def test_what_a_member_cannot_be_is_told_by_its_name(watched, value, name, words):
    record = json.dumps([watched.transaction(blocks()) | {name: "VALUE"}]).replace('"VALUE"', value)
    rows = '{"fields": ["scoring_input", "probability", "%s"], "values": [[[[[0], [1]]], [0.5, 0.5], %s]]}' % (name, value)
    for body, path in ((record, f"[0].{name}"), (rows, name)):
        error = watched.client.refused("POST", watched.records_path, 400, data=body, headers=JSON)
        assert error["parameters"] == [path] and re.search(words, error["message"]), error


def test_a_byte_order_mark_is_skipped_in_json_and_csv(watched):
    mark = b"\xef\xbb\xbf"
    record = mark + json.dumps([watched.transaction(blocks(), scoring_id="json")]).encode()
    watched.client.request("POST", watched.records_path, data=record, headers=JSON)
    watched.client.request("POST", watched.records_path, headers={"Content-Type": "text/csv"}, data=mark +
                           b'scoring_id,scoring_input,probability\ncsv,"[[[0],[1]],[[1],[0]]]","[0.5,0.5]"\n')
    assert sorted(names(watched.values())) == ["csv-1", "json-1"]
    patch = mark + b'[{"op": "add", "path": "/asset/name", "value": "marked"}]'
    watched.client.request("PATCH", f"/v2/subscriptions/{watched.subscription_id}", data=patch, headers=JSON)


def test_a_data_set_that_is_not_there_is_404(api):
    for method, body in (("GET", None), ("POST", [{}]), ("PATCH", [{}])):
        error = api.refused(method, "/v2/data_sets/none/records", 404, json=body)
        assert "data_set" in error["message"]


def test_records_survive_a_crash_right_after_the_answer(start_daemon, stub_model):
    instance = str(uuid.uuid4())
    daemon = start_daemon()
    watched = Watched(Client(daemon.url, instance), stub_model)
    scoring_ids = watched.log(blocks(), blocks(first=1))
    daemon.kill()
    watched.client = Client(start_daemon().url, instance)
    assert names(watched.values()) == scoring_ids
    assert json.dumps(watched.values(includes="scoring_input")[0]["scoring_input"]) == json.dumps(blocks())
