# SPDX-License-Identifier: Apache-2.0
"""Answers that pass through the gateway while the model still makes them."""
import contextlib
import hashlib
import http.client
import json
import re
import select
import socket
import threading
import time
from urllib.parse import urlsplit

import pytest
from support.client import Client, Watched
from support.images import blocks

DAEMON_SETTINGS = {"scoring.answer_bytes": 65536, "gateway.threads": 2}
ANSWER = b'{"predictions": [[0.25, 0.75]]}'
SECONDS = 20


class Model:
    """A model whose answer is what the test does with the connection of a call, step by step."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(SECONDS)
        self.url = "http://127.0.0.1:%d" % self.listener.getsockname()[1]

    def call(self) -> tuple[socket.socket, bytes]:
        """The connection of the next call, and its request."""
        connection, _ = self.listener.accept()
        connection.settimeout(SECONDS)
        request = b""
        while b"\r\n\r\n" not in request:
            request += connection.recv(65536)
        length = int(re.search(rb"Content-Length: (\d+)", request)[1])
        while len(request) < request.index(b"\r\n\r\n") + 4 + length:
            request += connection.recv(65536)
        return connection, request


@pytest.fixture
def model():
    model = Model()
    yield model
    model.listener.close()


@pytest.fixture
def gateway(module_daemon, model):
    return Watched(Client(module_daemon.url), model, path="/v1/models/m:predict")


def ask(watched, body=None, **headers) -> http.client.HTTPConnection:
    """Sends a prediction and reads nothing yet."""
    connection = http.client.HTTPConnection(urlsplit(watched.client.url).netloc, timeout=SECONDS)
    body = json.dumps({"instances": [blocks()]}).encode() if body is None else body
    path = f"/openscale/{watched.client.instance}/v2/subscriptions/{watched.subscription_id}/predictions"
    connection.request("POST", path, body, {"Content-Type": "application/json", **headers})
    return connection


def head(*lines) -> bytes:
    return "\r\n".join(["HTTP/1.1 200 OK", "Content-Type: application/json", *lines, "", ""]).encode()


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def unlogged(watched) -> int:
    page = watched.client.request("GET", f"{watched.client.url}/metrics").text
    return int(re.search(r'^explaind_gateway_transactions_total\{logged="no"\} (\d+)', page, re.M)[1])


def transactions(watched) -> int:
    """Logged or not."""
    page = watched.client.request("GET", f"{watched.client.url}/metrics").text
    return sum(int(n) for n in re.findall(r'^explaind_gateway_transactions_total\{logged="\w+"\} (\d+)', page, re.M))


def until(condition, what):
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.01)


@pytest.mark.parametrize("chunked", [True, False])
def test_what_has_come_reaches_the_client_before_the_rest_is_there(gateway, model, chunked):
    client = ask(gateway)
    connection, _ = model.call()
    wrap = chunk if chunked else bytes
    connection.sendall(head("Transfer-Encoding: chunked" if chunked else f"Content-Length: {len(ANSWER)}"))
    answer = client.getresponse()
    assert answer.status == 200 and answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Content-Length"] == (None if chunked else str(len(ANSWER)))
    for i in range(len(ANSWER)):
        connection.sendall(wrap(ANSWER[i:i + 1]))
        assert answer.read(1) == ANSWER[i:i + 1]
    assert gateway.count() == 0
    connection.sendall(b"0\r\n\r\n" if chunked else b"")
    assert answer.read() == b""
    until(lambda: gateway.count() == 1, "the transaction is not logged")
    assert gateway.values()[0]["probability"] == [0.25, 0.75]
    client.close()


def test_an_answer_of_any_length_passes_and_is_held_up_at_its_model(gateway, model):
    """Nobody reads for a while: what does not fit the sockets stays with the model."""
    before, piece, n = unlogged(gateway), bytes(range(256)) * 4096, 100
    client = ask(gateway)
    connection, _ = model.call()
    sent = []

    def send():
        connection.sendall(head(f"Content-Length: {n * len(piece)}"))
        for _ in range(n):
            connection.sendall(piece)
            sent.append(piece)

    sending = threading.Thread(target=send)
    sending.start()
    answer = client.getresponse()
    until(lambda: not select.select([], [connection], [], 0.3)[1], "the model can always go on")
    assert len(sent) < n / 2
    found, expected = hashlib.sha256(), hashlib.sha256(piece * n)
    while data := answer.read(1 << 20):
        found.update(data)
    assert found.digest() == expected.digest()
    sending.join()
    until(lambda: unlogged(gateway) == before + 1, "an answer that is too long to be logged is not counted")
    assert gateway.count() == 0
    client.close()


def test_what_ends_where_a_piece_ends_is_logged_too(gateway, model):
    """Whoever was told the length of an answer does not look for its end behind the last byte."""
    before, sizes = transactions(gateway), [16384 * i for i in range(1, 17)]
    for size in sizes:
        client = ask(gateway)
        connection, _ = model.call()
        connection.sendall(head(f"Content-Length: {size}"))
        answer = client.getresponse()
        connection.sendall(ANSWER + b" " * (size - len(ANSWER)))
        assert len(answer.read()) == size
        client.close()
        connection.close()
    until(lambda: transactions(gateway) == before + len(sizes), "some answers are neither logged nor counted")


@pytest.mark.parametrize("lines", [["Transfer-Encoding: chunked"], [f"Content-Length: {len(ANSWER)}"]])
@pytest.mark.parametrize("stalls", [True, False])
def test_an_answer_that_breaks_off_or_stalls_is_not_taken_for_a_whole_one(start_daemon, model, lines, stalls):
    daemon = start_daemon(**{"scoring.call_timeout_ms": 1500 if stalls else 60000})
    gateway = Watched(Client(daemon.url), model, path="/v1/models/m:predict")
    client = ask(gateway)
    connection, _ = model.call()
    connection.sendall(head(*lines))
    answer = client.getresponse()
    connection.sendall(chunk(ANSWER[:9]) if "chunked" in lines[0] else ANSWER[:9])
    assert answer.read(9) == ANSWER[:9]
    if not stalls:
        connection.close()
    with pytest.raises((http.client.IncompleteRead, ConnectionError)):
        answer.read()
    client.close()
    connection.close()
    whole = ask(gateway)
    connection, _ = model.call()
    connection.sendall(head(f"Content-Length: {len(ANSWER)}") + ANSWER)
    assert whole.getresponse().read() == ANSWER
    until(lambda: gateway.count() == 1, "the transaction is not logged")
    whole.close()


@pytest.mark.parametrize("answered", [b"", head("Transfer-Encoding: chunked") + chunk(ANSWER[:9])])
def test_a_client_that_goes_away_gives_the_call_up(gateway, model, answered):
    client = ask(gateway)
    connection, _ = model.call()
    connection.sendall(answered)
    if answered:
        client.getresponse().read(9)
    client.close()
    assert connection.recv(1) == b""
    assert gateway.count() == 0


def test_a_daemon_that_ends_breaks_answers_off_that_are_not_whole(start_daemon, model):
    daemon = start_daemon()
    client = ask(Watched(Client(daemon.url), model, path="/v1/models/m:predict"))
    connection, _ = model.call()
    connection.sendall(head("Transfer-Encoding: chunked") + chunk(ANSWER))
    answer = client.getresponse()
    assert answer.read(len(ANSWER)) == ANSWER
    assert daemon.stop() == 0
    with pytest.raises((http.client.IncompleteRead, ConnectionError)):
        answer.read()
    client.close()


def test_a_daemon_that_ends_waits_for_models_but_not_for_ever(start_daemon, model):
    """One answers in time, one never would: the end comes long before the time that a call has."""
    daemon = start_daemon(**{"scoring.call_timeout_ms": 3600000})
    watched = Watched(Client(daemon.url), model, path="/v1/models/m:predict")
    quick = ask(watched)
    answering, _ = model.call()
    never = ask(watched)
    silent, _ = model.call()
    ending = threading.Thread(target=daemon.stop)
    ending.start()
    until(lambda: "stopping" in daemon.stderr(), "it does not end")
    answering.sendall(head(f"Content-Length: {len(ANSWER)}") + ANSWER)
    assert quick.getresponse().read() == ANSWER
    answer = never.getresponse()
    assert answer.status == 503 and "shutting down" in json.loads(answer.read())["errors"][0]["message"]
    assert silent.recv(1) == b""
    ending.join(SECONDS)
    assert daemon.process.poll() == 0


def has_ended(daemon) -> bool:
    """It accepts nobody any more."""
    try:
        socket.create_connection(urlsplit(daemon.url).netloc.split(":"), SECONDS).close()
    except ConnectionRefusedError:
        return True
    return False


def test_a_daemon_that_ends_makes_no_piece_of_answers_that_wait_for_a_thread(start_daemon, model):
    """Each would hold up the end by a second while its model says nothing."""
    daemon = start_daemon(**{"scoring.call_timeout_ms": 3600000, "gateway.threads": 1})
    watched = Watched(Client(daemon.url), model, path="/v1/models/m:predict")
    clients, connections, enough = [], [], threading.Event()

    def feed():
        """So that the one thread goes from answer to answer, and to the next call."""
        while not enough.wait(0.01):
            for connection in connections[:]:
                connection.sendall(chunk(b"early"))

    feeding = threading.Thread(target=feed)
    feeding.start()
    for _ in range(6):
        clients.append(ask(watched))
        connection, _ = model.call()
        connection.sendall(head("Transfer-Encoding: chunked"))
        connections.append(connection)
    answers = [client.getresponse() for client in clients]
    enough.set()
    feeding.join()
    ending = threading.Thread(target=daemon.stop)
    ending.start()
    until(lambda: has_ended(daemon), "it does not end")
    for connection in connections:
        with contextlib.suppress(ConnectionError):  # it was let go of already
            connection.sendall(chunk(b"late"))
    late = 0
    for answer in answers:
        with pytest.raises((http.client.IncompleteRead, ConnectionError)) as broken:
            answer.read()
        late += b"late" in getattr(broken.value, "partial", b"")
    assert late <= 1, "the piece that the thread was about, and no other"
    ending.join(SECONDS)
    assert daemon.process.poll() == 0


def test_slow_clients_hold_no_thread(gateway, model):
    """More of them than threads, and everybody else is served."""
    slow = []
    for _ in range(4):
        client = ask(gateway, b"{}")
        connection, _ = model.call()
        threading.Thread(target=lambda c: c.sendall(head("Content-Length: 33554432") + bytes(1 << 25)),
                         args=(connection,), daemon=True).start()
        slow.append((client, client.getresponse(), connection))
    quick = ask(gateway)
    connection, _ = model.call()
    connection.sendall(head(f"Content-Length: {len(ANSWER)}") + ANSWER)
    assert quick.getresponse().read() == ANSWER
    for client, answer, connection in slow:
        assert len(answer.read()) == 1 << 25
        client.close()


def test_connections_to_the_model_are_kept(gateway, model):
    client = ask(gateway)
    connection, _ = model.call()
    for i in range(3):
        connection.sendall(head("Transfer-Encoding: chunked") + chunk(ANSWER) + b"0\r\n\r\n")
        assert client.getresponse().read() == ANSWER
        if i < 2:
            client.close()
            client = ask(gateway)
            assert connection.recv(65536).startswith(b"POST ")


def test_headers_without_which_a_body_cannot_be_read_pass_both_ways(gateway, model):
    client = ask(gateway, b'{"inputs":[]}\x00\x01', **{"Inference-Header-Content-Length": "13",
                                                       "Content-Type": "application/octet-stream"})
    connection, request = model.call()
    assert b"\r\nInference-Header-Content-Length: 13\r\n" in request and request.endswith(b'{"inputs":[]}\x00\x01')
    connection.sendall(head("Inference-Header-Content-Length: 2", "Content-Encoding: x-odd", "Content-Length: 4",
                            "X-Other: y") + b"{}\xff\xfe")
    answer = client.getresponse()
    assert answer.headers["Inference-Header-Content-Length"] == "2" and answer.headers["Content-Encoding"] == "x-odd"
    assert answer.headers["X-Other"] is None and answer.read() == b"{}\xff\xfe"
    client.close()


def test_who_only_ended_its_side_gets_the_answer_of_a_model_that_is_quick(gateway, model):
    """Whether a client is gone or has only nothing more to say is asked about when the model takes a second."""
    client = ask(gateway)
    client.sock.shutdown(socket.SHUT_WR)
    connection, _ = model.call()
    connection.sendall(head(f"Content-Length: {len(ANSWER)}") + ANSWER)
    assert client.getresponse().read() == ANSWER
    until(lambda: gateway.count() == 1, "the transaction is not logged")
    client.close()


def test_who_only_ended_its_side_is_told_that_a_slow_model_was_not_waited_for(gateway, model):
    client = ask(gateway)
    client.sock.shutdown(socket.SHUT_WR)
    connection, _ = model.call()
    assert connection.recv(1) == b""
    answer = client.getresponse()
    [error] = json.loads(answer.read())["errors"]
    assert answer.status == 400 and error["code"] == "AIQCS0001E" and "ended its side" in error["message"]
    client.close()


@pytest.mark.parametrize("part", [b"HTTP/1.1 200", b"HTTP/1.1 200 OK\r\nContent-Ty", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n",
                                  b"HTTP/1.1 100 Continue\r\n\r\n", b""])
def test_an_answer_that_breaks_off_in_its_head_is_none(gateway, model, part):
    """The library takes it for an answer without a body."""
    before = transactions(gateway)
    client = ask(gateway)
    connection, _ = model.call()
    connection.sendall(part)
    connection.close()
    answer = client.getresponse()
    assert answer.status == 502 and json.loads(answer.read())["errors"][0]["code"] == "AIQES0010E"
    assert transactions(gateway) == before
    client.close()
