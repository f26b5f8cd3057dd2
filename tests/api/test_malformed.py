# SPDX-License-Identifier: Apache-2.0
"""
Bodies that are wrong in one way each: 400, the path of the offending member, and a reason a person can act on. Nothing
of them is stored.
"""
import copy

import pytest

IMAGE = "[[[0.1,0.2,0.3],[0.4,0.5,0.6]],[[0.7,0.8,0.9],[1,0,0.5]]]"
ANSWER = '{"fields":["probability"],"values":[[[0.25,0.75]]]}'
DEEP = "[" * 40 + "]" * 40


def record(request=None, response=ANSWER, more="") -> str:
    request = '{"values":[%s]}' % IMAGE if request is None else request
    return '[{"request":%s,"response":%s%s}]' % (request, response, more)


def answer(cell) -> str:
    return '{"fields":["probability"],"values":[[%s]]}' % cell


# name: (body, path of the member, part of the reason)
RECORDS = {
    "no body": ("", None, "needed"),
    "half a body": ('[{"request":', None, "byte"),
    "two values": ("[] []", None, "byte"),
    "a comma too many": ('[{"scoring_id":"a",}]', None, "byte"),
    "a single quote": ("[{'request':1}]", None, "byte"),
    "a control character in a string": ('[{"scoring_id":"a\nb"}]', None, "byte"),
    "bytes that are not UTF-8": (b'[{"scoring_id":"\xff"}]', None, "UTF-8"),
    "deep nesting": ('[{"request":{"values":%s}}]' % DEEP, None, "deep"),
    "a number": ("3", None, "array"),
    "a string": ('"x"', None, "array"),
    "null": ("null", None, "array"),
    "an empty array": ("[]", None, "no record"),
    "an element that is a number": ("[3]", "[0]", "object"),
    "a later element that is null": (record()[:-1] + ",null]", "[1]", "object"),
    "a member twice": ('[{"request":{},"request":{},"response":{}}]', "[0]", "request"),
    "no request": ('[{"response":%s}]' % ANSWER, "[0].request", "missing"),
    "no response": ('[{"request":{}}]', "[0].response", "missing"),
    "a request that is a string": (record('"x"'), "[0].request", "object"),
    "a request that is an array": (record("[]"), "[0].request", "no image"),
    "a response that is null": (record(response="null"), "[0].response", "object"),
    "a request without an image": (record("{}"), "[0].request", "values"),
    "input_data that is an object": (record('{"input_data":{"values":[]}}'), "[0].request.input_data", "array"),
    "input_data that is empty": (record('{"input_data":[]}'), "[0].request.input_data", "empty"),
    "input_data with two elements": (record('{"input_data":[{"values":[%s]},{"values":[%s]}]}' % (IMAGE, IMAGE)),
                                     "[0].request.input_data", "several"),
    "values that is a string": (record('{"values":"x"}'), "[0].request", "image"),
    "values that is empty": (record('{"values":[]}'), "[0].request.values", "image"),
    "an image of numbers in a row": (record('{"values":[[1,2,3]]}'), "[0].request.values", "image"),
    "an image of strings": (record('{"values":[[["a","b"],["c","d"]]]}'), "[0].request.values", "image"),
    "a ragged image": (record('{"values":[[[[1,2,3]],[[1,2,3],[4,5,6]]]]}'), "[0].request.values", "length"),
    "pixels of different length": (record('{"values":[[[[1,2,3],[1,2]],[[1,2,3],[4,5,6]]]]}'), "[0].request.values",
                                   "length"),
    "an image of two channels": (record('{"values":[[[[1,2],[3,4]],[[5,6],[7,8]]]]}'), "[0].request.values", "channel"),
    "NaN in an image": (record('{"values":[[[NaN,1],[1,0]]]}'), None, "byte"),
    "a number beyond all range": (record('{"values":[[[1e999,1],[1,0]]]}'), "[0].request.values", "large"),
    "a number whose sums are": (record('{"values":[[[1.7e308,1],[1,0]]]}'), "[0].request.values", "1e300"),
    "a response without probabilities": (record(response='{"fields":["x"],"values":[["y"]]}'), "[0].response",
                                         "probabilit"),
    "a response that is empty": (record(response="{}"), "[0].response", "probabilit"),
    "fewer answers than images": (record('{"values":[%s,%s]}' % (IMAGE, IMAGE)), "[0].response", "rows"),
    "more answers than images": (record(response='{"fields":["probability"],"values":[[[0.5,0.5]],[[0.5,0.5]]]}'),
                                 "[0].response", "rows"),
    "a probability above 1": (record(response=answer("[0.5,1.5]")), "[0].response", "probability"),
    "a negative probability": (record(response=answer("[-0.5,0.5]")), "[0].response", "probability"),
    "a probability that is a string": (record(response=answer('["half","half"]')), "[0].response", "probabilit"),
    "a probability that is a whole number in a string": (record(response=answer('["1","0"]')), "[0].response", "probabilit"),
    "no probability at all": (record(response=answer("[]")), "[0].response", "probabilit"),
    "a scoring_id that is a number": (record(more=',"scoring_id":7'), "[0].scoring_id", "string"),
    "a scoring_id that is empty": (record(more=',"scoring_id":""'), "[0].scoring_id", "bytes"),
    "a scoring_id that is too long": (record(more=',"scoring_id":"%s"' % ("x" * 300)), "[0].scoring_id", "200"),
    "a scoring_timestamp that is none": (record(more=',"scoring_timestamp":"noon"'), "[0].scoring_timestamp", "time"),
    "a response_time that is a string": (record(more=',"response_time":"fast"'), "[0].response_time", "number"),
    "a table whose fields are no names": ('[{"fields":[1],"values":[[1]]}]', "[0].fields", "name"),
    "a table row of another length": ('[{"fields":["a","b"],"values":[[1]]}]', "[0].values", "cells"),
    "a row without an image": ('[{"probability":[0.5,0.5]}]', "[0].scoring_input", "missing"),
    "a row without a probability": ('[{"scoring_input":%s}]' % IMAGE, "[0].probability", "missing"),
}


@pytest.fixture
def records_path(api):
    return f"/v2/data_sets/{api.data_set_of(api.add_subscription(api.add_provider()))}/records"


@pytest.mark.parametrize("name", RECORDS)
def test_a_malformed_record_is_refused_with_path_and_reason(api, records_path, name):
    body, path, reason = RECORDS[name]
    error = api.refused("POST", records_path, 400, data=body, headers={"Content-Type": "application/json"})
    if path is None:
        assert "parameters" not in error or error["parameters"]
    else:
        found = error["parameters"][0]
        assert found == path or found.startswith((path + ".", path + "[")), error
        assert error["message"].startswith(found)
    assert reason in error["message"], error
    assert api.get(records_path, limit=0, include_total_count="true")["total_count"] == 0


def test_a_malformed_record_behind_good_ones_spoils_the_request(api, records_path):
    body = record(more=',"scoring_id":"good"')[:-1] + "," + record(response="{}")[1:]
    error = api.refused("POST", records_path, 400, data=body)
    assert error["parameters"][0].startswith("[1].response")
    assert api.get(records_path)["records"] == []


PROVIDER = {"name": "p", "service_type": "custom_machine_learning", "credentials": {}}
INSTANCE = {"data_mart_id": None, "monitor_definition_id": "explainability",
            "target": {"target_type": "subscription", "target_id": "x"}}
DATA_SET = {"data_mart_id": None, "name": "n", "type": "feedback",
            "target": {"target_type": "subscription", "target_id": "x"}}

# (path, a good body, where it is changed, what to, the path in the error, part of the reason); None removes
RESOURCES = [
    ("/v2/service_providers", PROVIDER, "name", None, "name", "missing"),
    ("/v2/service_providers", PROVIDER, "name", "", "name", "empty"),
    ("/v2/service_providers", PROVIDER, "name", 3, "name", "string"),
    ("/v2/service_providers", PROVIDER, "name", "x" * 300, "name", "256"),
    ("/v2/service_providers", PROVIDER, "service_type", "mine", "service_type", "custom_machine_learning"),
    ("/v2/service_providers", PROVIDER, "credentials", None, "credentials", "missing"),
    ("/v2/service_providers", PROVIDER, "credentials", "x", "credentials", "object"),
    ("/v2/service_providers", PROVIDER, "credentials", {"url": "ftp://x"}, "credentials.url", "http"),
    ("/v2/service_providers", PROVIDER, "request_headers", [], "request_headers", "object"),
    ("/v2/subscriptions", "subscription", "data_mart_id", "other", "data_mart_id", "data mart"),
    ("/v2/subscriptions", "subscription", "service_provider_id", "none", "service_provider_id", "none"),
    ("/v2/subscriptions", "subscription", "asset", None, "asset.asset_id", "missing"),
    ("/v2/subscriptions", "subscription", "asset", 3, "asset", "object"),
    ("/v2/subscriptions", "subscription", "asset.asset_type", "thing", "asset.asset_type", "model, function"),
    ("/v2/subscriptions", "subscription", "asset.input_data_type", "structured", "asset.input_data_type", "image"),
    ("/v2/subscriptions", "subscription", "asset.problem_type", "regression", "asset.problem_type", "binary"),
    ("/v2/subscriptions", "subscription", "deployment.deployment_id", None, "deployment.deployment_id", "missing"),
    ("/v2/subscriptions", "subscription", "deployment.deployment_type", "x", "deployment.deployment_type", "online"),
    ("/v2/subscriptions", "subscription", "deployment.scoring_endpoint.url", "x", "deployment.scoring_endpoint.url",
     "http"),
    ("/v2/subscriptions", "subscription", "asset_properties.probability_fields", "p",
     "asset_properties.probability_fields", "array"),
    ("/v2/data_sets", DATA_SET, "type", "odd", "type", "payload_logging"),
    ("/v2/data_sets", DATA_SET, "target.target_id", None, "target.target_id", "missing"),
    ("/v2/data_sets", DATA_SET, "schema_update_mode", {}, "schema_update_mode", "string"),
    ("/v2/monitor_instances", INSTANCE, "target", None, "target.target_type", "missing"),
    ("/v2/monitor_instances", INSTANCE, "parameters", [], "parameters", "object"),
    ("/v2/monitor_instances", INSTANCE, "parameters", {"enabled": "yes"}, "parameters.enabled", "true or false"),
    ("/v2/monitor_instances", INSTANCE, "parameters", {"lime": {"perturbations_count": 10}},
     "parameters.lime.perturbations_count", "64"),
    ("/v2/monitor_instances", INSTANCE, "parameters", {"image": {"segmentation": {"kernel_size": 99}}},
     "parameters.image.segmentation.kernel_size", "0.5 to 10"),
    ("/v2/monitor_instances", INSTANCE, "parameters", {"image": {"colour": 1}}, "parameters.image.colour", "not known"),
    ("/v2/explanation_tasks", {"scoring_ids": ["a-1"]}, "scoring_ids", None, "scoring_ids", "missing"),
    ("/v2/explanation_tasks", {"scoring_ids": ["a-1"]}, "scoring_ids", [], "scoring_ids", "elements"),
    ("/v2/explanation_tasks", {"scoring_ids": ["a-1"]}, "scoring_ids", "a-1", "scoring_ids", "array"),
    ("/v2/explanation_tasks", {"scoring_ids": ["a-1"]}, "scoring_ids", [3], "scoring_ids[0]", "string"),
    ("/v2/explanation_tasks", {"scoring_ids": ["a-1"]}, "scoring_ids", ["x"] * 101, "scoring_ids", "100"),
    ("/v2/explanation_tasks", {"scoring_ids": ["a-1"]}, "subscription_id", 7, "subscription_id", "string"),
    ("/v2/explanation_tasks", {"scoring_ids": ["a-1"]}, "explanation_types", ["shap"], "explanation_types",
     "lime"),
    ("/v2/explanation_tasks", {"scoring_ids": ["a-1"]}, "parameters", 3, "parameters", "object"),
]


@pytest.mark.parametrize("path, good, at, value, field, reason", RESOURCES,
                         ids=[f"{r[0].rsplit('/', 1)[1]} {r[2]} {str(r[3])[:30]}" for r in RESOURCES])
def test_a_malformed_resource_is_refused_with_path_and_reason(api, path, good, at, value, field, reason):
    if good == "subscription":
        good = api.subscription_body(api.add_provider(), "http://127.0.0.1:9/")
    body = copy.deepcopy(good)
    if "data_mart_id" in body:
        body["data_mart_id"] = api.instance
    *parents, last = at.split(".")
    holder = body
    for parent in parents:
        holder = holder[parent]
    if value is None:
        holder.pop(last, None)
    else:
        holder[last] = value
    error = api.refused("POST", path, 400, json=body)
    found = error["parameters"][0]
    assert found == field or found.startswith(field + "["), error
    assert reason in error["message"], error


@pytest.mark.parametrize("body", ["", "{", "[", "3", "null", '"x"', "[]", '{"a":1,"a":2}', "NaN", DEEP,
                                  "[" + "1," * 250_000 + "1]"], ids=lambda text: text[:12] or "empty")
@pytest.mark.parametrize("path", ["/v2/service_providers", "/v2/subscriptions", "/v2/data_sets",
                                  "/v2/monitor_instances", "/v2/explanation_tasks", "/v2/data_marts"])
def test_what_is_no_json_object_is_refused_everywhere(api, path, body):
    limit = api.get("/v2/limits")["limits"]["tasks_body_bytes" if "tasks" in path else "body_bytes"]
    error = api.refused("POST", path, 413 if len(body) > limit else 400, data=body)
    assert error["message"]


@pytest.mark.parametrize("operations, reason", [
    ({}, "array"),
    ([3], "op"),
    ([{"op": "add"}], "path"),
    ([{"op": "add", "path": "/name"}], "value"),
    ([{"op": "add", "path": "name", "value": 1}], "start with"),
    ([{"op": "become", "path": "/name", "value": 1}], "not one of"),
    ([{"op": "replace", "path": "/nothing", "value": 1}], "not possible"),
    ([{"op": "remove", "path": "/nothing"}], "not possible"),
    ([{"op": "add", "path": "/a/b/c", "value": 1}], "not possible"),
    ([{"op": "move", "path": "/name"}], "from"),
    ([{"op": "add", "path": "/x", "value": 1}] * 1001, "1000"),
], ids=lambda value: str(value)[:40])
def test_a_malformed_patch_is_refused_and_changes_nothing(api, operations, reason):
    provider_id = api.add_provider()
    before = api.get(f"/v2/service_providers/{provider_id}")
    error = api.refused("PATCH", f"/v2/service_providers/{provider_id}", 400, json=operations)
    assert reason in error["message"], error
    assert api.get(f"/v2/service_providers/{provider_id}") == before


@pytest.mark.parametrize("name", ["a" + "ä" * 100, "\U0001f600" * 60, "a\n\x7f"], ids=["two bytes", "four bytes", "controls"])
def test_a_long_value_that_is_quoted_in_an_error_stays_readable(api, records_path, name):
    """It is cut, and not inside of a character that then is none."""
    error = api.refused("GET", records_path, 400, params={"order": name})
    assert error["parameters"] == ["order"] and name[:5] in error["message"]
    api.refused("GET", f"/v2/subscriptions/{name[:40]}", 404)


@pytest.mark.parametrize("text", ['{"name": "a\\u0000b"}', '{"na\\u0000me": "a"}'])
def test_a_zero_in_a_text_is_refused_in_words_of_the_api(api, text):
    error = api.refused("POST", "/v2/service_providers", 400, data=text)
    assert "\\u0000 is not taken in a text, at byte" in error["message"] and "JSON_" not in error["message"]
