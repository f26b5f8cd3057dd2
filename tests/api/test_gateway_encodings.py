# SPDX-License-Identifier: Apache-2.0
"""Compressed requests and answers pass through the gateway as they are, and are logged as what they say."""
import gzip
import http.client
import json
import re
import zlib
from urllib.parse import urlsplit

import pytest
from support.client import Client, Watched
from support.data import until
from support.images import blocks
from support.local_server import Handler, LocalServer

SECONDS = 20
MIB = 1 << 20
DAEMON_SETTINGS = {"limits.records_body_bytes": MIB, "scoring.answer_bytes": MIB, "gateway.log_bytes": 4 * MIB}
REQUEST = json.dumps({"values": [blocks()]}).encode()
ANSWER = b'{"predictions": [[0.25, 0.75]]}'
PACKERS = {"gzip": gzip.compress, "x-gzip": gzip.compress, "GZIP": gzip.compress, "deflate": zlib.compress, "identity": bytes}


@pytest.fixture
def model():
    class Model(Handler):
        def do_POST(self):
            server.asked.append((dict(self.headers), self.body()))
            body, headers = server.says
            self.answer(200, body, **headers)

    server = LocalServer(Model)
    server.asked, server.says = [], (ANSWER, {})
    yield server
    server.stop()


@pytest.fixture
def gateway(module_daemon, model):
    watched = Watched(Client(module_daemon.url), model, path="/v1/models/m:predict")
    watched.daemon = module_daemon
    return watched


def predict(watched, body=REQUEST, status=200, **headers):
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    return watched.client.request("POST", f"/v2/subscriptions/{watched.subscription_id}/predictions", status, data=body,
                                  headers={"Content-Type": "application/json", **headers})


def undecoded(watched) -> tuple[dict, bytes]:
    """The answer of a prediction as it comes, which the usual client would unpack."""
    address = urlsplit(watched.client.base)
    connection = http.client.HTTPConnection(address.netloc, timeout=SECONDS)
    connection.request("POST", f"{address.path}/v2/subscriptions/{watched.subscription_id}/predictions", REQUEST)
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.headers, body


def why_not_logged(watched, transaction_id) -> str:
    """The reason in the log of the daemon."""
    def find():
        return [line for line in watched.daemon.stderr().splitlines()
                if "scored but not logged" in line and transaction_id in line]
    return json.loads(until(find)[0])["message"]


def unlogged(watched) -> int:
    page = watched.client.request("GET", f"{watched.client.url}/metrics").text
    return int(re.search(r'^explaind_gateway_transactions_total\{logged="no"\} (\d+)', page, re.M)[1])


@pytest.mark.parametrize("encoding", PACKERS)
def test_a_compressed_request_reaches_the_model_as_it_is_and_is_logged_plain(gateway, model, encoding):
    body = PACKERS[encoding](REQUEST)
    digest = {"Content-Digest": "sha-256=:YQ==:", "Idempotency-Key": "for the model"}
    for _ in range(2):  # the key is the model's affair
        predict(gateway, body, Content_Encoding=encoding, **digest)
    headers, asked = model.asked[-1]
    assert asked == body and headers["Content-Encoding"] == encoding
    assert {name: headers.get(name) for name in digest} == digest
    until(lambda: gateway.count() == 2)
    [first, _] = gateway.values(includes="scoring_input")
    assert first["scoring_input"] == blocks()


@pytest.mark.parametrize("encoding", PACKERS)
def test_a_compressed_answer_reaches_the_client_as_it_is_and_is_logged_plain(gateway, model, encoding):
    model.says = PACKERS[encoding](ANSWER), {"Content-Encoding": encoding}
    headers, body = undecoded(gateway)
    assert body == model.says[0] and headers["Content-Encoding"] == encoding
    until(lambda: gateway.count() == 1)
    assert gateway.values()[0]["probability"] == [0.25, 0.75]


@pytest.mark.parametrize("encoding, body, reason", [
    ("br", b"whatever", "the request has the Content-Encoding br; gzip and deflate can be logged"),
    ("gzip, gzip", gzip.compress(gzip.compress(REQUEST)), "the request has the Content-Encoding gzip, gzip;"),
    ("gzip", REQUEST, "the request (gzip) cannot be unpacked: it is not one whole compressed stream"),
    ("gzip", gzip.compress(REQUEST)[:-1], "it is not one whole compressed stream"),
    ("gzip", gzip.compress(REQUEST) + b"x", "it is not one whole compressed stream"),
    ("deflate", b"", "it is not one whole compressed stream"),
    ("gzip", gzip.compress(bytes(64 * MIB)), f"it would be longer than {MIB} bytes")])
def test_what_cannot_be_unpacked_is_scored_all_the_same(gateway, model, encoding, body, reason):
    answer = predict(gateway, body, Content_Encoding=encoding)
    assert answer.content == ANSWER and model.asked[-1][1] == body
    assert reason in why_not_logged(gateway, answer.headers["X-Global-Transaction-Id"])
    assert gateway.count() == 0


@pytest.mark.parametrize("encoding, body, reason", [
    ("zstd", b"whatever", "the answer has the Content-Encoding zstd; gzip and deflate can be logged"),
    ("x-gzip", ANSWER, "the answer (x-gzip) cannot be unpacked: it is not one whole compressed stream"),
    ("x-gzip", gzip.compress(bytes(64 * MIB)), f"it would be longer than {MIB} bytes")])
def test_an_answer_that_cannot_be_unpacked_is_passed_on_all_the_same(gateway, model, encoding, body, reason):
    model.says = body, {"Content-Encoding": encoding}
    headers, passed = undecoded(gateway)
    assert passed == body
    assert reason in why_not_logged(gateway, headers["X-Global-Transaction-Id"])


def test_what_many_unpack_to_stays_within_the_bound_of_what_waits(gateway, model):
    """32 times 1 MiB of blanks behind 9 KiB: more than gateway.log_bytes together, and all of them are scored."""
    before, body = unlogged(gateway), gzip.compress(REQUEST + b" " * (MIB - len(REQUEST)))
    for _ in range(32):
        predict(gateway, body, Content_Encoding="gzip")
    until(lambda: gateway.count() + unlogged(gateway) - before == 32)
    assert gateway.count() > 0
    predict(gateway, body, Content_Encoding="gzip")
    count = gateway.count()
    until(lambda: gateway.count() + unlogged(gateway) - before == 33)
    assert gateway.count() >= count


def test_what_is_signed_reaches_the_model_plain(gateway, model):
    gateway.client.patch(f"/v2/service_providers/{gateway.provider_id}", [
        {"op": "add", "path": "/credentials", "value": {
            "url": model.url, "access_key_id": "A", "secret_access_key": "S", "region": "r"}}])
    predict(gateway, gzip.compress(REQUEST), Content_Encoding="gzip")
    headers, asked = model.asked[-1]
    assert asked == REQUEST and "Content-Encoding" not in headers and "AWS4-HMAC" in headers["Authorization"]
    until(lambda: gateway.count() == 1)
    assert "gzip" in predict(gateway, REQUEST, 415, Content_Encoding="br").json()["errors"][0]["message"]
    assert len(model.asked) == 1
