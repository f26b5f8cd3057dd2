# SPDX-License-Identifier: Apache-2.0
"""Annotations of records: one by one and several at once."""
import pytest
from support.images import blocks


@pytest.fixture
def logged(watched):
    """Two records."""
    watched.log(blocks(), scoring_id="t1")
    watched.log(blocks(first=1), scoring_id="t2")
    return watched


def record_ids(watched):
    return [r["metadata"]["id"] for r in watched.client.get(watched.records_path)["records"]]


def annotations(watched):
    return [r["entity"]["annotations"] for r in watched.client.get(watched.records_path)["records"]]


def test_records_can_be_annotated(logged):
    [record] = logged.client.get(logged.records_path, limit=1)["records"]
    path = f"/records/{record['metadata']['id']}/annotations"
    logged.client.patch(logged.records_path, [{"op": "add", "path": f"{path}/checked", "value": "by ann"}])
    logged.client.patch(logged.records_path, [{"op": "add", "path": f"{path}/label", "value": 1}])
    [record] = logged.client.get(logged.records_path, limit=1)["records"]
    assert record["entity"]["annotations"] == {"checked": "by ann", "label": 1}
    logged.client.patch(logged.records_path, [{"op": "remove", "path": f"{path}/label"}])
    [record] = logged.client.get(logged.records_path, limit=1)["records"]
    assert record["entity"]["annotations"] == {"checked": "by ann"}


@pytest.mark.parametrize("operations, status", [
    ([{"op": "add", "path": "/records/none/annotations/x", "value": 1}], 404),
    ([{"op": "add", "path": "/records/none/values/x", "value": 1}], 400),
    ([{"op": "add", "path": "x", "value": 1}], 400),
    ([], 400), ({}, 400), ([3], 400),
])
def test_a_wrong_annotation_is_refused(logged, operations, status):
    logged.client.refused("PATCH", logged.records_path, status, json=operations)


def test_annotations_are_copied_and_moved_within_a_record(logged):
    first, second = record_ids(logged)
    path = f"/records/{first}/annotations"
    logged.client.patch(logged.records_path, [{"op": "add", "path": f"{path}/a", "value": 1},
                                              {"op": "copy", "from": f"{path}/a", "path": f"{path}/b"},
                                              {"op": "move", "from": f"{path}/a", "path": f"{path}/c"}])
    assert annotations(logged) == [{"b": 1, "c": 1}, None]
    error = logged.client.refused("PATCH", logged.records_path, 400, json=[
        {"op": "copy", "from": f"{path}/b", "path": f"/records/{second}/annotations/b"}])
    assert error["parameters"] == ["[0].from"]
    assert annotations(logged) == [{"b": 1, "c": 1}, None]


def test_what_is_known_about_a_call_is_corrected(logged):
    first, second = record_ids(logged)
    logged.client.patch(logged.records_path, [
        {"op": "add", "path": f"/records/{first}/values/user_id", "value": "ann"},
        {"op": "replace", "path": f"/records/{second}/values/response_time", "value": 12.5}])
    changed = logged.client.patch(f"{logged.records_path}/{second}", [
        {"op": "replace", "path": "/values/asset_revision", "value": "r2"}])
    assert changed["entity"]["values"]["response_time"] == 12.5
    assert [(v["user_id"], v["response_time"], v["asset_revision"]) for v in logged.values()] == [
        ("ann", None, None), (None, 12.5, "r2")]
    assert annotations(logged) == [None, None]
    assert [v["user_id"] for v in logged.values(filter="user_id:eq:ann")] == ["ann"]
    logged.client.patch(logged.records_path, [{"op": "remove", "path": f"/records/{first}/values/user_id"},
                                              {"op": "replace", "path": f"/records/{second}/values/response_time", "value": None}])
    assert [(v["user_id"], v["response_time"]) for v in logged.values()] == [(None, None)] * 2


@pytest.mark.parametrize("name, value", [("response_time", "fast"), ("response_time", -1), ("response_time", True),
                                         ("user_id", 7), ("user_id", "x" * 257), ("asset_revision", {"a": 1})])
def test_a_value_of_the_wrong_kind_is_refused(logged, name, value):
    before = logged.values()
    error = logged.client.refused("PATCH", logged.records_path, 400, json=[
        {"op": "add", "path": f"/records/{record_ids(logged)[0]}/values/{name}", "value": value}])
    assert name in error["message"] and error["parameters"] == ["[0]"]
    assert logged.values() == before


@pytest.mark.parametrize("path", ["annotationsX", "annotationsX/a", "annotations2", "values/prediction", "values", "values/scoring_id"])
def test_nothing_else_is_changed(logged, path):
    first, _ = record_ids(logged)
    for target, pointer in ((logged.records_path, f"/records/{first}/{path}"), (f"{logged.records_path}/{first}", f"/{path}")):
        error = logged.client.refused("PATCH", target, 400, json=[{"op": "add", "path": pointer, "value": 1}])
        assert error["parameters"] == ["[0].path"] and "annotations" in error["message"]
    assert annotations(logged) == [None, None]


def test_one_record_is_annotated_at_its_own_address(logged):
    first, second = record_ids(logged)
    changed = logged.client.patch(f"{logged.records_path}/{second}", [
        {"op": "add", "path": "/annotations/label", "value": "dog"},
        {"op": "copy", "from": "/annotations/label", "path": f"/records/{second}/annotations/again"}])
    assert changed == logged.client.get(f"{logged.records_path}/{second}")
    assert changed["entity"]["annotations"] == {"label": "dog", "again": "dog"}
    assert annotations(logged) == [None, {"label": "dog", "again": "dog"}]
    referenced = logged.client.request("PATCH", f"{logged.records_path}/{second}", params={"binary_format": "reference"},
                                       json=[{"op": "remove", "path": "/annotations/again"}]).json()
    assert referenced["entity"]["values"]["scoring_input"]["reference"].endswith(f"{second}/scoring_input")
    assert annotations(logged) == [None, {"label": "dog"}]


def test_another_record_is_not_annotated_at_that_address(logged):
    first, second = record_ids(logged)
    operation = {"op": "add", "path": f"/records/{first}/annotations/label", "value": 1}
    error = logged.client.refused("PATCH", f"{logged.records_path}/{second}", 400, json=[operation])
    assert error["parameters"] == ["[0].path"]
    logged.client.refused("PATCH", f"{logged.records_path}/none", 404, json=[{**operation, "path": "/annotations/x"}])
    for body in ([], {}, [3]):
        logged.client.refused("PATCH", f"{logged.records_path}/{first}", 400, json=body)
    assert annotations(logged) == [None, None]


def test_annotations_are_left_out_on_request(logged):
    first, _ = record_ids(logged)
    logged.client.patch(f"{logged.records_path}/{first}", [{"op": "add", "path": "/annotations/a", "value": 1}])
    page = logged.client.get(logged.records_path, exclude_annotations="true")["records"]
    assert [r["entity"]["annotations"] for r in page] == [None, None]
