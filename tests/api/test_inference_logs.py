# SPDX-License-Identifier: Apache-2.0
"""Inference logs as CloudEvents: a request and a response in any order, perhaps twice, become one record."""
import base64
import collections
import concurrent.futures
import gzip
import io
import json
import os
import random
import time
import uuid

import numpy
import pytest
from cloudevents.conversion import to_binary, to_structured
from cloudevents.http import CloudEvent
from PIL import Image
from support.client import Client, Watched, wait_for
from support.images import as_form, as_png, blocks
from support.paths import build_dir

REQUEST, RESPONSE = "org.kubeflow.serving.inference.request", "org.kubeflow.serving.inference.response"
BATCH, ONE = "application/cloudevents-batch+json", "application/cloudevents+json"


def path(watched) -> str:
    return f"/v2/subscriptions/{watched.subscription_id}/inference_logs"


def post(watched, body, headers, expect=200):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return watched.client.request("POST", path(watched), expect, data=data, headers=headers).json()


def kserve(watched, event_id, kind, body, expect=200, **more):
    """As the logger of KServe's agent posts it."""
    return post(watched, body, {
        "Content-Type": "application/json", "Ce-Specversion": "1.0", "Ce-Id": event_id, "Ce-Type": kind,
        "Ce-Source": "http://localhost:9081/", "Ce-Time": "2026-03-21T11:45:41.500Z", "Ce-Inferenceservicename": "digits",
        "Ce-Namespace": "default", "Ce-Component": "predictor", "Ce-Endpoint": "", **more}, expect)


def event(event_id, kind, data, **more) -> dict:
    return {"specversion": "1.0", "id": event_id, "type": kind, "source": "test", "data": data, **more}


def halves(watched, event_id, *images) -> list[dict]:
    request, response = watched.score(*images)
    return [event(event_id, REQUEST, request), event(event_id, RESPONSE, response)]


def errors(watched, **params) -> list[dict]:
    return watched.client.get(f"/v2/data_sets/{watched.data_set_id}/errors", **params)["errors"]


def counts(waiting=0, logged=0, refused=0, dropped=0) -> dict:
    return {"waiting": waiting, "logged": logged, "refused": refused, "dropped": dropped}


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_kserve_s_events_become_a_record_in_either_order_and_are_explained(watched, order):
    request, response = watched.score(blocks())
    event_id, sent = str(uuid.uuid4()), [(REQUEST, request), (RESPONSE, response)]
    assert kserve(watched, event_id, *sent[order[0]]) == counts(waiting=1)
    assert watched.count() == 0
    assert kserve(watched, event_id, *sent[order[1]]) == counts(logged=1)
    [record] = watched.values()
    assert record["scoring_id"] == f"{event_id}-1" and record["scoring_timestamp"].startswith("2026-03-21T11:45:41.5")
    [task_id] = watched.explain(event_id)
    assert wait_for(watched.client, task_id)["entity"]["status"]["state"] == "finished"


@pytest.mark.parametrize("form", [to_binary, to_structured])
def test_events_of_the_official_sdk_are_taken(watched, form):
    request, response = watched.score(blocks())
    event_id = uuid.uuid4().hex
    for kind, data, time in ((REQUEST, request, "2026-01-02T03:04:05.250Z"), (RESPONSE, response, "2026-01-02T03:04:05.750Z")):
        headers, body = form(CloudEvent({"type": kind, "source": "sdk", "id": event_id, "time": time}, data))
        answer = post(watched, body, headers)
    assert answer == counts(logged=1)
    [record] = watched.values()
    assert record["response_time"] == 500


def test_a_batch_takes_what_belongs_together_and_apart(watched):
    together, waiting = halves(watched, "together", blocks()), halves(watched, "waiting", blocks())
    several = halves(watched, "several", blocks(), blocks(first=1))
    assert post(watched, [several[1], waiting[0], *together, several[0]], {"Content-Type": BATCH}) == counts(waiting=3, logged=2)
    assert post(watched, [waiting[1]], {"Content-Type": BATCH + "; charset=utf-8"}) == counts(logged=1)
    assert sorted(r["scoring_id"] for r in watched.values()) == ["several-1", "several-2", "together-1", "waiting-1"]
    assert post(watched, [], {"Content-Type": BATCH}) == counts()


def test_base64_data_is_the_same_as_plain(watched):
    events = halves(watched, "b64", blocks())
    for one in events:
        one["data_base64"] = base64.b64encode(json.dumps(one.pop("data")).encode()).decode()
    assert post(watched, events, {"Content-Type": BATCH}) == counts(waiting=1, logged=1)


@pytest.mark.parametrize("form", ["binary", "base64"])
def test_files_and_raw_tensors_are_logged_as_the_json_that_says_the_same(watched, form):
    image = blocks()
    _, response = watched.score(image)
    pixels = numpy.asarray([image], dtype=numpy.uint8)
    head = json.dumps({"inputs": [{"name": "i", "shape": pixels.shape, "datatype": "UINT8",
                                   "parameters": {"binary_data_size": pixels.nbytes}}]}).encode()
    bodies = {"png": (as_png(image), {"Content-Type": "image/png"}),
              "tensor": (head + pixels.tobytes(), {"Content-Type": "application/octet-stream",
                                                   "Inference-Header-Content-Length": str(len(head))})}
    for event_id, (body, headers) in bodies.items():
        if form == "binary":
            kserve(watched, event_id, REQUEST, body, **headers)
        elif event_id == "png":
            one = event(event_id, REQUEST, None, data_base64=base64.b64encode(body).decode(), datacontenttype="image/png")
            del one["data"]
            post(watched, one, {"Content-Type": ONE})
        else:
            continue
        assert kserve(watched, event_id, RESPONSE, response) == counts(logged=1)
        assert kserve(watched, event_id, RESPONSE, response) == counts(dropped=1)
    rows = watched.values(includes="scoring_input")
    assert len(rows) == (2 if form == "binary" else 1) and errors(watched) == []
    [png] = [row["scoring_input"] for row in rows if isinstance(row["scoring_input"], str)]
    assert Image.open(io.BytesIO(base64.b64decode(png.split(",")[-1]))).size == (len(image[0]), len(image))


def test_uploads_are_logged_with_their_form_or_listed_with_what_is_wrong(watched):
    image = blocks()
    _, response = watched.score(image)
    form = {"Content-Type": "multipart/form-data; boundary=b"}
    bodies = {"good": as_form(as_png(image), b"5"), "two": as_form(as_png(image), as_png(image)), "none": as_form(b"5")}
    for event_id, body in bodies.items():
        kserve(watched, event_id, REQUEST, body, **form)
        expected = counts(logged=1) if event_id == "good" else counts(refused=1)
        assert kserve(watched, event_id, RESPONSE, response) == expected
    assert [record["scoring_id"] for record in watched.values()] == ["good-1"]
    reasons = {error["event_id"]: error["reason"] for error in errors(watched)}
    assert "several files" in reasons["two"] and "no PNG" in reasons["none"], reasons


def test_gzip_is_taken_and_bounded(watched, api):
    limit = api.get("/v2/limits")["limits"]["records_body_bytes"]
    request, response = watched.score(blocks())
    zipped = {"Content-Encoding": "gzip"}
    kserve(watched, "zipped", REQUEST, gzip.compress(json.dumps(request).encode()), **zipped)
    assert kserve(watched, "zipped", RESPONSE, gzip.compress(json.dumps(response).encode()), **zipped) == counts(logged=1)
    record = [{"request": request, "response": response, "scoring_id": "zipped-record"}]
    api.request("POST", watched.records_path, 202, data=gzip.compress(json.dumps(record).encode()), headers={
        "Content-Type": "application/json", **zipped})
    assert watched.count() == 2

    whole = gzip.compress(json.dumps(request).encode())
    for broken in (whole[:-9], b"\x1f\x8b\x08", b"plain", whole + b"x", b""):
        assert "gzip" in kserve(watched, "broken", REQUEST, broken, 400, **zipped)["errors"][0]["message"]
    bomb = gzip.compress(b" " * (limit + 1))
    assert str(limit) in kserve(watched, "bomb", REQUEST, bomb, 413, **zipped)["errors"][0]["message"]
    kserve(watched, "br", REQUEST, whole, 415, **{"Content-Encoding": "br"})
    assert watched.count() == 2 and errors(watched) == []


def test_of_what_is_listed_the_latest_ten_thousand_are_kept(watched):
    for first in range(0, 10500, 500):
        pairs = [event(f"bad-{n}", kind, {}) for n in range(first, first + 500) for kind in (REQUEST, RESPONSE)]
        assert post(watched, pairs, {"Content-Type": BATCH}) == counts(waiting=500, refused=500)
    assert [e["event_id"] for e in errors(watched, limit=2)] == ["bad-10499", "bad-10498"]
    assert [e["event_id"] for e in errors(watched, limit=2, offset=9999)] == ["bad-500"]


def test_what_comes_twice_is_logged_once(watched):
    events = halves(watched, "twice", blocks())
    assert post(watched, [events[0], events[0], events[1], events[1], events[0]], {"Content-Type": BATCH}) == \
        counts(waiting=2, logged=1, dropped=2)
    assert post(watched, events, {"Content-Type": BATCH}) == counts(dropped=2)
    assert watched.count() == 1


def test_another_transaction_under_a_used_id_is_listed_and_not_refused(watched):
    events, others = halves(watched, "used", blocks()), halves(watched, "used", blocks(first=1))
    other_answer = event("used", RESPONSE, {"predictions": [{"fields": ["probability"], "values": [[[0.125, 0.875]]]}]})
    assert post(watched, events, {"Content-Type": BATCH}) == counts(waiting=1, logged=1)
    assert post(watched, [other_answer], {"Content-Type": BATCH}) == counts(refused=1)
    [listed] = errors(watched)
    assert listed["event_id"] == "used" and "used was used before: this response" in listed["reason"]
    assert post(watched, [others[0], events[1]], {"Content-Type": BATCH}) == counts(refused=1, dropped=1)
    assert "this request" in errors(watched)[0]["reason"] and len(errors(watched)) == 2
    assert watched.count() == 1 and watched.values()[0]["scoring_id"] == "used-1"


def test_another_half_does_not_take_the_place_of_one_that_waits(watched):
    events, others = halves(watched, "w", blocks()), halves(watched, "w", blocks(first=1))
    assert kserve(watched, "w", REQUEST, events[0]["data"]) == counts(waiting=1)
    assert kserve(watched, "w", REQUEST, others[0]["data"]) == counts(refused=1)
    assert kserve(watched, "w", REQUEST, events[0]["data"]) == counts(waiting=1)
    [listed] = errors(watched)
    assert listed["event_id"] == "w" and "waits" in listed["reason"]
    assert kserve(watched, "w", RESPONSE, events[1]["data"]) == counts(logged=1)
    assert len(errors(watched)) == 1
    assert json.dumps(watched.values(includes="scoring_input")[0]["scoring_input"]) == json.dumps(blocks())


def test_what_comes_twice_with_other_blanks_came_twice(watched):
    request, response = watched.score(blocks())
    response["note"] = 'a "quoted" \\ word'
    for kind, data in ((REQUEST, request), (RESPONSE, response)):
        kserve(watched, "blanks", kind, json.dumps(data).encode())
    for kind, data in ((REQUEST, request), (RESPONSE, response)):
        for text in (json.dumps(data, indent=1), json.dumps(data, separators=(",", ":"))):
            assert kserve(watched, "blanks", kind, text.encode()) == counts(dropped=1)
    response["note"] = 'a "quoted" \\  word'
    assert kserve(watched, "blanks", RESPONSE, json.dumps(response).encode()) == counts(refused=1)


def test_our_own_variations_are_left_out(watched):
    request, response = watched.score(blocks())
    assert post(watched, halves(watched, "explaind:task:7", blocks()), {"Content-Type": BATCH}) == counts(dropped=2)
    assert kserve(watched, "own", REQUEST, request, **{"X-Explaind-Task": "t"}) == counts(dropped=1)
    assert kserve(watched, "own", RESPONSE, response) == counts(waiting=1)
    assert watched.count() == 0


def test_what_cannot_be_a_record_is_listed_with_the_reason(watched):
    request, response = watched.score(blocks())
    bad = {"no-image": ({"values": []}, response, "request"), "no-answer": (request, {"error": "down"}, "response"),
           "two-answers": (request, {"predictions": [{"fields": ["probability"], "values": [[[.1, .9]], [[.1, .9]]]}]}, "response"),
           "a-text": ("hello", response, "request"), "a-null": (request, None, "response")}
    for name, (asked, answered, _) in bad.items():
        answer = post(watched, [event(name, REQUEST, asked), event(name, RESPONSE, answered)], {"Content-Type": BATCH})
        assert answer == counts(waiting=1, refused=1), name
    kserve(watched, "not-json", REQUEST, b"\x00\xff", **{"Content-Type": "application/octet-stream"})
    assert kserve(watched, "not-json", RESPONSE, response) == counts(refused=1)
    listed = {e["event_id"]: e["reason"] for e in errors(watched)}
    assert list(listed) == ["not-json", *reversed(bad)]
    for name, (_, _, where) in bad.items():
        assert listed[name].startswith(where), (name, listed[name])
    assert [e["event_id"] for e in errors(watched, limit=2, offset=1)] == ["a-null", "a-text"]
    assert watched.count() == 0


def test_a_scoring_input_over_the_limit_is_refused_like_any_record(watched, api):
    limit = api.get("/v2/limits")["limits"]["payload_bytes"]
    request, response = watched.score(blocks())
    request["input_data"][0]["values"][0] = [[[255] * 3] * 400] * 400
    kserve(watched, "large", REQUEST, request)
    assert kserve(watched, "large", RESPONSE, response) == counts(refused=1)
    [error] = errors(watched)
    assert str(limit) in error["reason"]


@pytest.mark.parametrize("headers, field", [
    ({"ce-specversion": "0.3"}, "ce-specversion"), ({"ce-specversion": None}, "ce-specversion"), ({"ce-id": None}, "ce-id"),
    ({"ce-id": "a b"}, "ce-id"), ({"ce-id": b"\xff1"}, "ce-id"), ({"ce-id": b"\xed\xa0\x80"}, "ce-id"), ({"ce-id": "x" * 191}, "ce-id"), ({"ce-type": "org.other"}, "ce-type"),
    ({"ce-type": None}, "ce-type"), ({"ce-time": "yesterday"}, "ce-time")])
def test_a_header_that_is_wrong_is_named(watched, headers, field):
    sent = {"ce-specversion": "1.0", "ce-id": "1", "ce-type": REQUEST, "ce-source": "s", "Content-Type": "application/json", **headers}
    [error] = post(watched, {}, {k: v for k, v in sent.items() if v is not None}, 400)["errors"]
    assert error["parameters"] == [field]


@pytest.mark.parametrize("second, field", [
    ({"id": 7}, "[1].id"), ({"time": None}, "[1].time"), ({"source": []}, "[1].source"), ({"id": ""}, "[1].id"), ({"type": "x"}, "[1].type"), ({"time": "x"}, "[1].time"),
    ({"specversion": 1}, "[1].specversion"), ({"data": None, "-": "data"}, "[1].data"), ({"data_base64": "*", "-": "data"}, "[1].data_base64"), ({"data_base64": "AAAA"}, "[1].data_base64")])
def test_a_bad_event_refuses_its_batch_and_is_named(watched, second, field):
    bad = {**event("bad", REQUEST, {}), **second}
    bad.pop(bad.pop("-", None), None)
    [error] = post(watched, [event("good", REQUEST, {}), bad], {"Content-Type": BATCH}, 400)["errors"]
    assert error["parameters"] == [field]
    assert post(watched, [event("good", REQUEST, {})], {"Content-Type": BATCH}) == counts(waiting=1)


def test_what_is_no_batch_is_refused(watched):
    for body, media_type in (({}, BATCH), ([1], BATCH), (b"[", BATCH), ([], ONE), (b"", ONE), (b'{"id":"a","id":"b"}', ONE)):
        post(watched, body, {"Content-Type": media_type}, 400)
    many = [event(str(i), REQUEST, {}) for i in range(1001)]
    assert "1000" in post(watched, many, {"Content-Type": BATCH}, 413)["errors"][0]["message"]
    assert post(watched, many[:1000], {"Content-Type": BATCH}) == counts(waiting=1000)
    watched.client.refused("POST", "/v2/subscriptions/none/inference_logs", 404, data=b"{}")


def test_events_of_a_removed_subscription_are_gone(watched):
    kserve(watched, "half", REQUEST, {})
    watched.client.delete(f"/v2/subscriptions/{watched.subscription_id}", 202)
    kserve(watched, "half", RESPONSE, {}, 404)
    watched.client.refused("GET", f"/v2/data_sets/{watched.data_set_id}/errors", 404)


def test_a_half_that_stays_alone_is_listed_when_its_time_is_over(start_daemon, model):
    """However seldom retention looks at everything else."""
    daemon = start_daemon(limits__event_wait_ms=1000, retention__interval_ms=86400000)
    watched = Watched(Client(daemon.url), model)
    for number in range(150):
        kserve(watched, f"request-{number}", REQUEST, {})
    kserve(watched, "response", RESPONSE, {})
    deadline = time.monotonic() + 30
    while len(listed := errors(watched, limit=1000)) < 151 and time.monotonic() < deadline:
        time.sleep(0.05)
    reasons = {e["event_id"]: e["reason"] for e in listed}
    assert len(reasons) == len(listed) == 151
    assert "no response" in reasons["request-7"] and "no request" in reasons["response"]
    assert kserve(watched, "request-7", RESPONSE, {}) == counts(waiting=1)


def test_halves_that_come_at_once_are_paired(watched):
    request, response = watched.score(blocks())
    sent = [(str(i), kind) for i in range(60) for kind in (REQUEST, RESPONSE, RESPONSE, REQUEST)]
    random.Random(5).shuffle(sent)
    clients = [Client(watched.client.url, watched.client.instance) for _ in range(8)]

    def send(numbered):
        n, (event_id, kind) = numbered
        body = request if kind == REQUEST else response
        return clients[n % 8].request("POST", path(watched), 200, json=event(event_id, kind, body),
                                      headers={"Content-Type": ONE}).json()

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        total = collections.Counter()
        for answer in pool.map(send, enumerate(sent)):
            total.update(answer)
    assert watched.count() == 60 and total["logged"] == 60 and total["refused"] == 0
    assert sorted({r["transaction_id"] for r in watched.values(limit=1000)}, key=int) == [str(i) for i in range(60)]
    assert sum(total.values()) == 240


def structured(rng, **changes) -> bytes:
    return json.dumps({**event(rng_id(rng), rng.choice([REQUEST, RESPONSE]), {"values": [[[0]]]}), **changes}).encode()


def rng_id(rng) -> str:
    return f"odd-{rng.randrange(10**9)}"


def binary(rng, **changes) -> dict:
    sent = {"ce-specversion": "1.0", "ce-id": rng_id(rng), "ce-type": rng.choice([REQUEST, RESPONSE]), "Content-Type": "application/json"}
    return {name: value for name, value in {**sent, **changes}.items() if value is not None}


def several(rng, *bodies) -> bytes:
    return b"[" + b",".join(bodies) + b"]"


def cut(rng, body) -> bytes:
    return body[:rng.randrange(len(body))]


def no_string(rng):
    return rng.choice([None, 7, -0.5, [], {}, True, ["x"]])


STRUCTURED, BATCHED = {"Content-Type": ONE}, {"Content-Type": BATCH}
ODD = {  # what is odd: (the answer, body and headers)
    "no JSON, in binary form": (200, lambda r: (r.randbytes(r.randrange(1, 300)), binary(r, **{"Content-Type": "application/octet-stream"}))),
    "an empty body, in binary form": (200, lambda r: (b"", binary(r))),
    "our own variation": (200, lambda r: (b"{}", binary(r, **{"ce-id": f"explaind:{rng_id(r)}:1"}))),
    "an attribute nobody knows": (200, lambda r: (structured(r, partition=no_string(r), extra="x"), STRUCTURED)),
    "a request without an image": (200, lambda r: (structured(r, type=REQUEST, data=no_string(r)), STRUCTURED)),
    "a batch of nothing": (200, lambda r: (b" [ ]\n", BATCHED)),
    "the same event many times": (200, lambda r: (several(r, *[structured(r, id="the-same", type=REQUEST)] * r.randrange(2, 50)), BATCHED)),
    "an attribute missing": (400, lambda r: (b"{}", binary(r, **{r.choice(["ce-id", "ce-type", "ce-specversion"]): None}))),
    "another version of CloudEvents": (400, lambda r: (b"{}", binary(r, **{"ce-specversion": r.choice(["0.3", "1", "2.0", "x"])}))),
    "a type that is neither": (400, lambda r: (b"{}", binary(r, **{"ce-type": r.choice(["a.b", "request.x", "org.kubeflow"])}))),
    "an id that is too long": (400, lambda r: (b"{}", binary(r, **{"ce-id": "x" * r.randrange(191, 2000)}))),
    "a blank in an id": (400, lambda r: (structured(r, id=r.choice(["", " ", "a b", "\t", "x\u0000y"])), STRUCTURED)),
    "a time that is none": (400, lambda r: (b"{}", binary(r, **{"ce-time": r.choice(["now", "2026-13-01T00:00:00Z", "1", "9" * 90])}))),
    "an attribute that is no text": (400, lambda r: (structured(r, **{r.choice(["id", "type", "time", "source", "specversion"]): no_string(r)}), STRUCTURED)),
    "half a surrogate pair": (400, lambda r: (structured(r).replace(b'"odd-', b'"\\ud800odd-'), STRUCTURED)),
    "a member twice": (400, lambda r: (structured(r).replace(b"{", b'{"id":"other",', 1), STRUCTURED)),
    "no data": (400, lambda r: (structured(r).replace(b'"data"', b'"date"'), STRUCTURED)),
    "data_base64 that is none": (400, lambda r: (structured(r, data_base64="*" * r.randrange(1, 9)).replace(b'"data"', b'"date"'), STRUCTURED)),
    "a text that ends early": (400, lambda r: (cut(r, structured(r)), STRUCTURED)),
    "bytes that are no UTF-8": (400, lambda r: (structured(r).replace(b"test", b"\xff\xfe"), STRUCTURED)),
    "lists 33 to 2000 deep": (400, lambda r: (structured(r, data="@").replace(b'"@"', b"[" * (n := r.randrange(33, 2000)) + b"]" * n), STRUCTURED)),
    "one bad event in a batch": (400, lambda r: (several(r, structured(r), structured(r, id=""), structured(r)), BATCHED)),
    "a batch that is no list": (400, lambda r: (structured(r), BATCHED)),
    "gzip that is damaged": (400, lambda r: (cut(r, gzip.compress(structured(r))), {**STRUCTURED, "Content-Encoding": "gzip"})),
    "more than 1000 events": (413, lambda r: (several(r, *[structured(r)] * 1001), BATCHED)),
    "another compression": (415, lambda r: (structured(r), {**STRUCTURED, "Content-Encoding": r.choice(["br", "zstd", "deflate"])})),
}


ODD_EVENTS = 193 if os.environ.get("EXPLAIND_FULL") == "1" else 20  # of each kind


def test_odd_events_are_answered_and_harm_nobody(watched):
    """The table of what was sent and what was answered is written to inference_logs.md in the build directory."""
    rng, lines = random.Random(11), ["| odd is | events | answer | waiting | dropped |", "| --- | --- | --- | --- | --- |"]
    for name, (expected, make) in ODD.items():
        total = collections.Counter()
        for _ in range(ODD_EVENTS):
            body, headers = make(rng)
            answer = watched.client.request("POST", path(watched), data=body, headers=headers, expect=expected).json()
            total.update({k: answer[k] for k in ("waiting", "dropped", "logged", "refused")} if expected == 200 else {})
        assert total["logged"] == total["refused"] == 0, name
        lines.append(f"| {name} | {ODD_EVENTS} | {expected} | {total['waiting']} | {total['dropped']} |")
    (build_dir() / "inference_logs.md").write_text("\n".join(lines) + "\n")
    assert watched.count() == 0 and errors(watched) == []
    assert post(watched, halves(watched, "after-all", blocks()), {"Content-Type": BATCH}) == counts(waiting=1, logged=1)
