# SPDX-License-Identifier: Apache-2.0
"""Scoring through the daemon: the model's answer byte for byte, the transaction logged afterwards and never in the way."""
import base64
import concurrent.futures
import io
import json
import threading
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy
import pytest
from PIL import Image
from support.client import Client, Watched, wait_for
from support.images import as_png, blocks


@pytest.fixture
def peculiar():
    """A model whose answers no JSON library would write like this; it notes what it was asked."""
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_):
            pass

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            server.asked.append((self.path, dict(self.headers), body))
            status, media_type, answer = server.answer
            self.send_response(status)
            if media_type:
                self.send_header("Content-Type", media_type)
            for name, value in server.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.asked, server.headers, server.url = [], {}, f"http://127.0.0.1:{server.server_port}"
    server.answer = (200, "application/json", b'{ "predictions" : [ [0.250, 7.5e-1] ] }\n')
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def predictions(watched) -> str:
    return f"/v2/subscriptions/{watched.subscription_id}/predictions"


def logged(watched, n=1) -> list:
    """The values of the records, once there are `n`."""
    for _ in range(500):
        if watched.count() >= n:
            return watched.values(limit=1000)
        time.sleep(0.01)
    pytest.fail(f"{watched.count()} records, {n} were expected")


def test_an_answer_comes_back_byte_for_byte_and_is_logged(api, peculiar):
    watched = Watched(api, peculiar, path="/v1/models/m:predict")
    body = b'{"instances" : [' + json.dumps(blocks()).encode() + b"] }"
    transaction_id = uuid.uuid4().hex
    answer = api.request("POST", predictions(watched), 200, data=body, headers={
        "Content-Type": "application/json", "X-Global-Transaction-Id": transaction_id})
    assert answer.content == peculiar.answer[2] and answer.headers["Content-Type"] == "application/json"
    assert answer.headers["X-Global-Transaction-Id"] == transaction_id
    path, headers, asked = peculiar.asked[-1]
    assert path == "/v1/models/m:predict" and asked == body
    assert headers["X-Global-Transaction-Id"] == transaction_id
    [record] = logged(watched)
    assert record["scoring_id"] == f"{transaction_id}-1" and record["probability"] == [0.25, 0.75]
    assert record["response_time"] > 0


def test_what_went_through_is_explained_by_its_transaction_id(watched):
    request, _ = watched.score(blocks())
    answer = watched.client.request("POST", predictions(watched), 200, json=request)
    transaction_id = answer.headers["X-Global-Transaction-Id"]
    logged(watched)
    [task_id] = watched.explain(transaction_id)
    assert wait_for(watched.client, task_id)["entity"]["status"]["state"] == "finished"


@pytest.mark.parametrize("status, media_type, body", [
    (404, "text/html; charset=utf-8", b"<h1>nothing here</h1>"), (422, "application/json", b'{"error":"shape"}'),
    (500, None, b"\x00\xff"), (503, "application/json", b""), (201, "application/x-npy", bytes(range(256)))])
def test_whatever_the_model_answers_is_passed_on(api, peculiar, status, media_type, body):
    watched = Watched(api, peculiar, path="/score")
    peculiar.answer = (status, media_type, body)
    answer = api.request("POST", predictions(watched), status, data=b"anything at all", headers={"Content-Type": "image/png"})
    assert answer.content == body and answer.headers["Content-Type"] == (media_type or "application/octet-stream")
    assert peculiar.asked[-1][1]["Content-Type"] == "image/png" and len(peculiar.asked) == 1


def test_what_cannot_be_logged_is_scored_all_the_same_and_counted(api, peculiar, daemon):
    watched = Watched(api, peculiar, path="/score")
    before = unlogged(daemon)
    for body in (b"not json", b'{"values": []}', b"{}", b""):
        assert api.request("POST", predictions(watched), 200, data=body).content == peculiar.answer[2]
    deadline = time.monotonic() + 10
    while unlogged(daemon) < before + 4 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert unlogged(daemon) == before + 4 and watched.count() == 0


def unlogged(daemon) -> int:
    page = Client(daemon.url).request("GET", f"{daemon.url}/metrics").text
    [line] = [line for line in page.splitlines() if line.startswith('explaind_gateway_transactions_total{logged="no"}')]
    return int(line.split()[-1])


HEAD = "Inference-Header-Content-Length"


def as_npy(image) -> bytes:
    file = io.BytesIO()
    numpy.save(file, numpy.asarray([image], dtype=numpy.float32))
    return file.getvalue()


def as_raw_tensor(image) -> tuple[bytes, bytes]:
    pixels = numpy.asarray([image], dtype=numpy.uint8)
    head = {"inputs": [{"name": "i", "shape": pixels.shape, "datatype": "UINT8",
                        "parameters": {"binary_data_size": pixels.nbytes}}], "parameters": {"binary_data_output": True}}
    return json.dumps(head).encode(), pixels.tobytes()


RAW_PROBABILITIES = (b'{"outputs":[{"name":"p","shape":[1,2],"datatype":"FP32","parameters":{"binary_data_size":8}}]}',
                     numpy.array([0.25, 0.75], dtype="<f4").tobytes())


@pytest.mark.parametrize("what", ["raw tensor", "npy", "png"])
def test_bodies_that_are_no_json_pass_as_they_are_and_are_logged_as_what_they_say(api, peculiar, what):
    watched = Watched(api, peculiar, path="/v2/models/m/infer")
    image = [[[3 * (8 * y + x) + c for c in range(3)] for x in range(8)] for y in range(8)]
    head, raw = as_raw_tensor(image) if what == "raw tensor" else (b"", {"npy": as_npy, "png": as_png}.get(what, bytes)(image))
    media_type = {"npy": "application/x-npy", "png": "image/png"}.get(what, "application/octet-stream")
    headers = {"Content-Type": media_type} | ({HEAD: str(len(head))} if head else {})
    if head:
        peculiar.answer = (200, "application/octet-stream", b"".join(RAW_PROBABILITIES))
        peculiar.headers = {HEAD: str(len(RAW_PROBABILITIES[0]))}
    answer = api.request("POST", predictions(watched), 200, data=head + raw, headers=headers)
    assert answer.content == peculiar.answer[2] and peculiar.asked[-1][2] == head + raw
    [record] = logged(watched)
    assert record["probability"] == [0.25, 0.75] and record["prediction"] == 1
    [row] = watched.values(includes="scoring_input")
    shown = row["scoring_input"]
    if what == "png":
        assert numpy.asarray(Image.open(io.BytesIO(base64.b64decode(shown.split(",")[-1])))).tolist() == image
    else:
        assert numpy.asarray(shown).reshape(8, 8, 3).tolist() == image


def test_raw_tensors_that_do_not_add_up_are_scored_all_the_same(api, peculiar, daemon):
    watched = Watched(api, peculiar, path="/v2/models/m/infer")
    before = unlogged(daemon)
    head, raw = as_raw_tensor(blocks())
    answer = api.request("POST", predictions(watched), 200, data=head + raw[:-1], headers={HEAD: str(len(head))})
    assert answer.content == peculiar.answer[2]
    deadline = time.monotonic() + 10
    while unlogged(daemon) == before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert unlogged(daemon) == before + 1 and watched.count() == 0


def test_a_failed_prediction_and_our_own_variations_are_not_logged(api, peculiar):
    watched = Watched(api, peculiar, path="/v1/models/m:predict")
    request = {"instances": [blocks()]}
    peculiar.answer = (500, "application/json", b'{"error":"no"}')
    api.request("POST", predictions(watched), 500, json=request)
    peculiar.answer = (200, "application/json", b'{"predictions":[[0.5,0.5]]}')
    api.request("POST", predictions(watched), 200, json=request, headers={"X-Explaind-Task": "t"})
    api.request("POST", predictions(watched), 200, json=request, headers={"X-Global-Transaction-Id": "the-one"})
    assert [r["transaction_id"] for r in logged(watched)] == ["the-one"]


def test_models_that_cannot_be_asked_give_clear_errors(api):
    provider_id = api.add_provider("http://127.0.0.1:1")
    closed = api.add_subscription(provider_id, "http://127.0.0.1:1/online", deployment_id="closed")
    error = api.refused("POST", f"/v2/subscriptions/{closed}/predictions", 502, json={})
    assert "cannot be reached" in error["message"]
    api.refused("POST", f"/v2/subscriptions/{uuid.uuid4()}/predictions", 404, json={})


def test_headers_of_the_connection_and_too_much_of_anything(api, peculiar):
    watched = Watched(api, peculiar, path="/score?api%2Dversion=1#fragment")
    headers = {"Connection": "close, X-Hop", "X-Hop": "secret", "Referer": "http://inside/?q=1", "Via": "1.1 p", "If-None-Match": "x",
               "X-HTTP-Method-Override": "DELETE", **{f"X-H{i}": str(i) for i in range(80)}}
    api.request("POST", predictions(watched) + "?api-version=2", 200, json={"values": [blocks()]}, headers=headers)
    path, asked, _ = peculiar.asked[-1]
    assert path == "/score?api-version=2"
    assert {name for name in headers if name in asked} == {f"X-H{i}" for i in range(80)}


def test_what_is_signed_gets_no_headers_but_its_own_and_a_sorted_query(api, peculiar):
    watched = Watched(api, peculiar, path="/score")
    api.patch(f"/v2/service_providers/{watched.provider_id}", [{"op": "add", "path": "/credentials", "value": {
        "url": peculiar.url, "access_key_id": "A", "secret_access_key": "S", "region": "r"}}])
    headers = {"Accept-Language": "*", "X-Amz-Date": "20200101T000000Z", "X-Room": "12",
               "X-Amzn-SageMaker-Target-Model": "m.tar.gz"}
    api.request("POST", predictions(watched) + "?b=2&a=1", 200, json={"values": [blocks()]}, headers=headers)
    path, asked, _ = peculiar.asked[-1]
    assert path == "/score?a=1&b=2" and asked["Authorization"].startswith("AWS4-HMAC-SHA256 ")
    assert "X-Room" not in asked and "Accept-Language" not in asked and asked["X-Amz-Date"] != "20200101T000000Z"
    assert asked["X-Amzn-SageMaker-Target-Model"] == "m.tar.gz"


def test_changed_settings_hold_from_the_next_prediction_on(api, peculiar):
    watched = Watched(api, peculiar, path="/first")

    def asked_next(status=200):
        api.request("POST", predictions(watched), status, json={"values": [blocks()]})
        path, headers, _ = peculiar.asked[-1]
        return path, headers.get("Authorization"), headers.get("X-Room")

    assert asked_next() == asked_next() == ("/first", None, None)
    provider = f"/v2/service_providers/{watched.provider_id}"
    api.patch(provider, [{"op": "add", "path": "/credentials/token", "value": "secret-1"}])
    assert asked_next() == ("/first", "Bearer secret-1", None)
    api.patch(provider, [{"op": "add", "path": "/request_headers", "value": {"X-Room": "12"}},
                         {"op": "replace", "path": "/credentials/token", "value": "secret-2"}])
    assert asked_next() == ("/first", "Bearer secret-2", "12")
    subscription = f"/v2/subscriptions/{watched.subscription_id}"
    api.patch(subscription, [{"op": "replace", "path": "/deployment/scoring_endpoint/url", "value": f"{peculiar.url}/second"}])
    assert asked_next() == ("/second", "Bearer secret-2", "12")
    api.delete(subscription, force="true")
    api.refused("POST", predictions(watched), 404, json={})


def test_the_query_and_headers_that_are_not_about_the_daemon_pass_on(api, peculiar):
    watched = Watched(api, peculiar, path="/score?version=1&mode=a%20b")
    headers = {"X-Room": "12", "X-Amzn-SageMaker-Target-Model": "m.tar.gz", "tracestate": "a=b", "Authorization": "Bearer x",
               "Cookie": "a=b", "X-Forwarded-For": "10.0.0.1", "X-Explaind-Note": "n", "Ce-Id": "1", "Connection": "close"}
    api.request("POST", predictions(watched) + "?version=2&q=%C3%A4+%26c&empty=", 200, json={"values": [blocks()]}, headers=headers)
    path, asked, _ = peculiar.asked[-1]
    assert path == "/score?mode=a%20b&version=2&q=%C3%A4%20%26c&empty="
    passed = {name.lower(): value for name, value in asked.items()}
    assert {name: passed.get(name.lower()) for name in headers} == {
        "X-Room": "12", "X-Amzn-SageMaker-Target-Model": "m.tar.gz", "tracestate": "a=b", "Authorization": None, "Cookie": None,
        "X-Forwarded-For": None, "X-Explaind-Note": None, "Ce-Id": None, "Connection": None}
    api.patch(f"/v2/service_providers/{watched.provider_id}", [{"op": "add", "path": "/request_headers", "value": {"x-room": "7"}}])
    api.request("POST", predictions(watched), 200, json={"values": [blocks()]}, headers=headers)
    assert peculiar.asked[-1][0] == "/score?version=1&mode=a%20b" and peculiar.asked[-1][1]["x-room"] == "7"


def test_a_slow_model_gives_504_and_holds_up_nobody(start_daemon):
    daemon = start_daemon(**{"scoring.call_timeout_ms": 2000, "gateway.threads": 1})
    api = Client(daemon.url)
    asked, release = threading.Event(), threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_):
            pass

        def do_POST(self):
            asked.set()
            release.wait(20)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads, server.url = True, f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    watched = Watched(api, server, path="/score")
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(Client(daemon.url, api.instance).request, "POST", predictions(watched), 504, json={})
        assert asked.wait(20)
        api.get("/v2/subscriptions")
        assert not waiting.done(), "it was answered while the model was waited for"
        assert waiting.result(20).status_code == 504
    release.set()
    server.shutdown()
    server.server_close()


def test_many_at_once_are_all_logged(watched):
    request, _ = watched.score(blocks(8, 8))
    ids = [uuid.uuid4().hex for _ in range(200)]

    def one(transaction_id):
        client = Client(watched.client.url, watched.client.instance)
        return client.request("POST", predictions(watched), 200, json=request,
                              headers={"X-Global-Transaction-Id": transaction_id}).content

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        assert len(set(pool.map(one, ids))) == 1
    assert {r["transaction_id"] for r in logged(watched, 200)} == set(ids)


def test_what_waits_is_logged_before_the_daemon_ends(start_daemon, stub_model):
    daemon = start_daemon()
    api = Client(daemon.url)
    watched = Watched(api, stub_model)
    request, _ = watched.score(blocks())
    for _ in range(50):
        api.request("POST", predictions(watched), 200, json=request)
    daemon.stop()
    again = Client(start_daemon().url, api.instance)
    found = again.get(watched.records_path, limit=0, include_total_count="true")
    assert found["total_count"] == 50


def test_the_path_of_v1(api, watched):
    request, expected = watched.score(blocks())
    path = (f"/v1/data_marts/{api.instance}/service_bindings/{watched.provider_id}/subscriptions/{watched.subscription_id}"
            "/deployments/{}/online")
    answer = api.request("POST", path.format(watched.deployment_id), 200, json=request)
    assert answer.json() == expected
    assert len(logged(watched)) == 1
    api.request("POST", path.format("other"), 404, json=request)
