# SPDX-License-Identifier: Apache-2.0
"""Requests through the gateway are passed on while they come."""
import gzip
import json
import os
import socket
import threading

import pytest
from support.client import Watched
from support.data import until

MIB = 1 << 20


class Model:
    """Reads requests as they come, in the test's own process; what it answers is up to the test."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.head, self.received, self.ended, self.broken = b"", bytearray(), 0, 0
        self.drops = False       # a kept connection when another request comes
        self.answer_at = None    # bytes after which it answers; None = all that was announced
        self.may_read = threading.Event()
        self.may_read.set()
        self.answer = b'{"predictions": [[0.25, 0.75]]}'
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._read, args=(connection,), daemon=True).start()

    def _read(self, connection):
        with connection:
            while self._one(connection):
                if self.drops and connection.recv(1):
                    self.broken += 1
                    return

    def _one(self, connection):
        data = b""
        while b"\r\n\r\n" not in data:
            more = connection.recv(65536)
            if not more:
                return False
            data += more
        head, rest = data.split(b"\r\n\r\n", 1)
        self.head = head
        received = self.received = bytearray(rest)   # others may be read at the same time
        while not self._is_whole(head, received):
            self.may_read.wait()
            more = connection.recv(65536)
            if not more:
                self.broken += 1
                return False
            received += more
        status = b"200 OK" if self.answer_at is None else b"413 Too Large"
        connection.sendall(b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
                           % (status, len(self.answer), self.answer))
        self.ended += 1
        return self.answer_at is None

    def _is_whole(self, head, received):
        if self.answer_at is not None:
            return len(received) >= self.answer_at
        if b"\r\nTransfer-Encoding: chunked" in head:
            return received.endswith(b"\r\n0\r\n\r\n")
        return len(received) >= next(int(line.split(b":")[1]) for line in head.split(b"\r\n")
                                     if line.lower().startswith(b"content-length"))

    def unchunked(self) -> bytes:
        """What has come so far of a body in chunks; a chunk that is not whole does not count."""
        body, rest = b"", bytes(self.received)
        while b"\r\n" in rest:
            size, rest = rest.split(b"\r\n", 1)
            if len(rest) < int(size, 16) + 2:
                break
            body, rest = body + rest[:int(size, 16)], rest[int(size, 16) + 2:]
        return body

    def stop(self):
        self.may_read.set()
        try:
            self.listener.shutdown(socket.SHUT_RDWR)  # or the thread that accepts keeps it
        except OSError:
            pass                                      # it was stopped before
        self.listener.close()


@pytest.fixture
def model():
    model = Model()
    yield model
    model.stop()


@pytest.fixture
def watched(api, model):
    return Watched(api, model, path="/v1/models/m:predict")


class Upload:
    """A request of which the test sends the body bit by bit."""

    def __init__(self, watched, body, length=None, header="", chunked=False):
        host, port = watched.client.base.split("//")[1].split("/")[0].split(":")
        prefix = watched.client.base.split("//")[1].partition("/")[2]
        path = f"/{prefix}/v2/subscriptions/{watched.subscription_id}/predictions".replace("//", "/")
        self.body, self.sent, self.chunked = body, 0, chunked
        framing = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {len(body) if length is None else length}"
        self.socket = socket.create_connection((host, int(port)))
        self.socket.settimeout(30)
        self.socket.sendall(f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
                            f"{header}{framing}\r\n\r\n".encode())

    def send(self, n):
        part = self.body[self.sent:self.sent + n]
        self.socket.sendall(b"%x\r\n%s\r\n" % (len(part), part) if self.chunked else part)
        self.sent += n

    def end(self):
        """Of a body in chunks."""
        self.socket.sendall(b"0\r\nX-Trailer: 1\r\n\r\n")

    def answer(self):
        data = b""
        while b"\r\n\r\n" not in data or len(data.partition(b"\r\n\r\n")[2]) < self._length(data):
            more = self.socket.recv(65536)
            if not more:
                break
            data += more
        head, _, body = data.partition(b"\r\n\r\n")
        return int(head.split()[1]), body

    @staticmethod
    def _length(data):
        head = data.partition(b"\r\n\r\n")[0].lower()
        return next((int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.startswith(b"content-length")), 0)

    def close(self):
        self.socket.close()


def body_of(n_bytes):
    """An image in JSON, and as much white space as it takes."""
    image = json.dumps([[[row, column, 7] for column in range(40)] for row in range(40)])
    text = f'{{"instances": [{image}] '
    return (text + " " * (n_bytes - len(text) - 1) + "}").encode()


def test_the_first_bytes_reach_the_model_before_the_last_ones_are_sent(watched, model):
    body = body_of(MIB)
    upload = Upload(watched, body)
    upload.send(600 * 1024)
    until(lambda: len(model.received) >= 256 * 1024)
    assert model.ended == 0 and body.startswith(bytes(model.received))
    upload.send(MIB)
    assert upload.answer() == (200, model.answer)
    assert bytes(model.received) == body
    until(lambda: watched.count() == 1)
    upload.close()


def test_large_bodies_come_to_the_model_as_they_were_sent_one_after_the_other(watched, model):
    for size in (127 * 1024, 128 * 1024, 128 * 1024 + 1, 3 * MIB, 7 * MIB + 13):
        body = body_of(size)
        upload = Upload(watched, body)
        upload.send(size)
        assert upload.answer() == (200, model.answer)
        assert bytes(model.received) == body
        upload.close()


@pytest.mark.parametrize("size", [32 * 1024, 3 * MIB])
def test_a_client_that_asks_first_is_told_to_go_on(watched, model, size):
    body = body_of(size)
    upload = Upload(watched, body, header="Expect: 100-continue\r\n")
    assert upload.socket.recv(1000).startswith(b"HTTP/1.1 100 Continue\r\n")
    upload.send(size)
    assert upload.answer() == (200, model.answer)
    assert bytes(model.received) == body and b"expect" not in model.head.lower()
    upload.close()


def test_a_model_that_does_not_read_holds_up_the_client_and_nobody_else(watched, model):
    body = body_of(16 * MIB)
    model.may_read.clear()
    upload = Upload(watched, body)
    sender = threading.Thread(target=upload.send, args=(len(body),))
    sender.start()
    until(lambda: model.head)
    assert watched.client.get("/v2/subscriptions")["subscriptions"]
    assert sender.is_alive(), "the body was taken, though the model takes nothing of it"
    model.may_read.set()
    assert upload.answer() == (200, model.answer)
    sender.join()
    assert bytes(model.received) == body
    upload.close()


def test_a_client_that_goes_away_leaves_nothing_behind(watched, model):
    upload = Upload(watched, body_of(MIB))
    upload.send(600 * 1024)
    until(lambda: len(model.received) >= 256 * 1024)
    upload.close()
    until(lambda: model.broken == 1)
    assert model.ended == 0 and watched.count() == 0
    again = Upload(watched, body_of(200 * 1024))
    again.send(200 * 1024)
    assert again.answer() == (200, model.answer)
    again.close()


def test_an_answer_that_comes_before_the_end_of_the_request_is_passed_on(watched, model):
    model.answer_at, model.answer = 200 * 1024, b'{"error": "too large"}'
    upload = Upload(watched, body_of(2 * MIB))
    upload.send(2 * MIB)
    assert upload.answer() == (413, model.answer)
    assert watched.count() == 0
    upload.close()


def test_a_model_that_is_not_there_is_told_of_behind_the_request(watched, model):
    model.stop()
    upload = Upload(watched, body_of(MIB))
    upload.send(MIB)
    status, body = upload.answer()
    assert status == 502 and b"errors" in body
    upload.close()


def test_a_body_shorter_than_announced_is_not_a_request(watched, model):
    upload = Upload(watched, body_of(MIB), length=2 * MIB)
    upload.send(MIB)
    until(lambda: len(model.received) >= 512 * 1024)
    upload.socket.shutdown(socket.SHUT_WR)
    until(lambda: model.broken == 1)
    assert watched.count() == 0
    upload.close()


def test_many_uploads_at_a_time_arrive_whole(watched, model):
    body, answers = body_of(2 * MIB), []

    def one():
        upload = Upload(watched, body)
        for _ in range(16):
            upload.send(len(body) // 16 + 1)
        answers.append(upload.answer())
        upload.close()

    threads = [threading.Thread(target=one) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [(200, model.answer)] * 12


# ---- without a length ----

@pytest.fixture
def chunked(watched):
    """A subscription whose model takes bodies in chunks."""
    watched.client.patch(f"/v2/subscriptions/{watched.subscription_id}", [
        {"op": "add", "path": "/asset_properties/explaind", "value": {"chunked": True}}])
    return watched


@pytest.mark.parametrize("size", [100 * 1024, 3 * MIB])
def test_a_model_gets_a_length_also_from_clients_that_send_none(watched, model, size):
    body = body_of(size)
    upload = Upload(watched, body, chunked=True)
    for _ in range(4):
        upload.send(size // 4 + 1)
    assert not model.head, "the model was called before the length was known"
    upload.end()
    assert upload.answer() == (200, model.answer)
    assert bytes(model.received) == body and b"Content-Length: %d" % size in model.head
    assert b"Transfer-Encoding" not in model.head and b"X-Trailer" not in model.head
    until(lambda: watched.count() == 1)
    upload.close()


def test_chunks_reach_a_model_that_takes_them_before_the_last_ones_are_sent(chunked, model):
    body = body_of(MIB)
    upload = Upload(chunked, body, chunked=True)
    upload.send(300 * 1024)
    upload.send(300 * 1024)
    until(lambda: len(model.received) >= 256 * 1024)
    assert b"\r\nTransfer-Encoding: chunked" in model.head and b"Content-Length" not in model.head
    assert model.ended == 0 and body.startswith(model.unchunked())
    upload.send(MIB)
    upload.end()
    assert upload.answer() == (200, model.answer)
    assert model.unchunked() == body
    until(lambda: chunked.count() == 1)
    upload.close()


def test_chunks_of_any_size_one_request_after_the_other(chunked, model):
    for size, part in ((1, 1), (127 * 1024, MIB), (128 * 1024, 128 * 1024), (MIB, 1000), (3 * MIB + 7, 128 * 1024 + 1)):
        body = body_of(size) if size > 1 else b"1"
        upload = Upload(chunked, body, chunked=True)
        for _ in range(0, size, part):
            upload.send(part)
        upload.end()
        assert upload.answer() == (200, model.answer)
        assert (model.unchunked() if b"chunked" in model.head else bytes(model.received)) == body
        upload.close()


def test_chunks_that_come_while_others_are_passed_on_wait_their_turn(chunked, model):
    """Several chunks are read at once, and the first of them may be what the rest waits for."""
    answers = []

    def one(n):
        for i in range(6):
            body = body_of(200 * 1024 + 37 * 1024 * ((n + i) % 20))
            upload = Upload(chunked, body, chunked=True, header="X-Explaind-Task: not to be logged\r\n")
            for _ in range(n):
                upload.send(len(body) // n + 1)
            upload.end()
            answers.append(upload.answer())
            upload.close()

    threads = [threading.Thread(target=one, args=(n,)) for n in range(2, 50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [(200, model.answer)] * 288


def test_chunks_over_the_limit_end_the_call_of_the_model(chunked, model):
    upload = Upload(chunked, bytes(17 * MIB), chunked=True)
    for _ in range(17):
        upload.send(MIB)
    until(lambda: model.broken == 1)
    upload.end()
    status, body = upload.answer()
    assert status == 413 and b"limit" in body and model.ended == 0
    upload.close()


def test_a_client_that_goes_away_between_chunks_leaves_nothing_behind(chunked, model):
    upload = Upload(chunked, body_of(MIB), chunked=True)
    upload.send(600 * 1024)
    until(lambda: len(model.received) >= 256 * 1024)
    upload.close()
    until(lambda: model.broken == 1)
    assert model.ended == 0 and chunked.count() == 0


def test_an_answer_that_comes_before_the_last_chunk_is_passed_on(chunked, model):
    model.answer_at, model.answer = 200 * 1024, b'{"error": "too large"}'
    upload = Upload(chunked, body_of(2 * MIB), chunked=True)
    upload.send(MIB)
    upload.send(MIB)
    upload.end()
    assert upload.answer() == (413, model.answer)
    upload.close()


@pytest.mark.parametrize("in_chunks", [True, False])
def test_a_request_that_meets_a_closed_connection_is_sent_again_from_its_beginning(chunked, model, in_chunks):
    model.drops = True
    for i in range(8):
        body = body_of(MIB)
        upload = Upload(chunked, body, chunked=in_chunks)
        upload.send(600 * 1024)
        until(lambda i=i: model.broken == i and len(model.received) >= 256 * 1024)
        upload.send(MIB)
        if in_chunks:
            upload.end()
        assert upload.answer() == (200, model.answer)
        assert (model.unchunked() if in_chunks else bytes(model.received)) == body
        upload.close()


def test_a_compressed_body_is_passed_on_while_it_comes(watched, model):
    """As it is, and logged as what it says."""
    image = json.dumps([[[row, column, 7] for column in range(40)] for row in range(40)])
    body = gzip.compress(f'{{"instances": [{image}], "id": "{os.urandom(MIB).hex()}"}}'.encode())
    upload = Upload(watched, body, header="Content-Encoding: gzip\r\n")
    upload.send(len(body) // 2)
    until(lambda: len(model.received) >= 256 * 1024)
    assert model.ended == 0 and body.startswith(bytes(model.received))
    upload.send(len(body))
    assert upload.answer() == (200, model.answer)
    assert bytes(model.received) == body and b"\r\nContent-Encoding: gzip" in model.head
    until(lambda: watched.count() == 1)
    upload.close()
