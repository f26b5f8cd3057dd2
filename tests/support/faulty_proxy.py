# SPDX-License-Identifier: Apache-2.0
"""A proxy between the daemon and a model that can break any part of a call, down to the TCP connection.

Calls without X-Explaind-Task (the application's own) pass untouched. What happens to the others is `fault`: a function
of this call, or None to let it pass.
"""
import gzip
import http.client
import re
import socket
import struct
import threading
import time
from urllib.parse import urlsplit

RESET = struct.pack("ii", 1, 0)     # SO_LINGER: close with RST
FILL = 8                            # connections that fill a backlog of none
CHUNK = b"x" * 65536


class Call:
    """One request of the daemon, as a fault sees it."""

    def __init__(self, proxy, connection, request: bytes, number: int):
        self.proxy, self.connection, self.request, self.number = proxy, connection, request, number

    def answer(self) -> bytes:
        """What the model says to it: the whole message."""
        return self.proxy.ask_model(self.request)

    def body(self) -> bytes:
        return self.answer().split(b"\r\n\r\n", 1)[1]

    def send(self, data: bytes):
        self.connection.sendall(data)
        self.proxy.sent += len(data)

    def reply(self, status: int, body: bytes = b"{}", **headers):
        lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        self.send("\r\n".join(lines).encode() + b"\r\n\r\n" + body)

    def reset(self):
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self.connection.close()


class FaultyProxy:
    def __init__(self, model_url: str):
        self.model = urlsplit(model_url).netloc
        self.fault = None
        self.calls = 0              # of the daemon
        self.times = []             # when they came
        self.sent = 0               # bytes of faulty answers
        self.stopping = threading.Event()
        self._fillers = []
        self._listener = self._listen(0)
        self.port = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"

    # ---- the port itself ----

    def _listen(self, port):
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen(64)
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()
        return listener

    def refuse(self):
        """From now on nobody listens."""
        self._close(self._listener)

    def black_hole(self):
        """From now on connections are neither accepted nor refused: the backlog is full."""
        self.refuse()
        self._listener = socket.socket()
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind(("127.0.0.1", self.port))
        self._listener.listen(0)
        for _ in range(FILL):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", self.port))
            self._fillers.append(filler)

    def recover(self):
        self.fault = None
        self._close(self._listener)
        self._listener = self._listen(self.port)

    def stop(self):
        self.stopping.set()
        self._close(self._listener)
        for filler in self._fillers:
            filler.close()

    @staticmethod
    def _close(listener):
        try:
            listener.shutdown(socket.SHUT_RDWR)     # wakes the accept
        except OSError:
            pass
        listener.close()

    # ---- connections ----

    def _accept(self, listener):
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        try:
            with connection:
                while request := self._read_request(connection):
                    self._handle(connection, request)
        except OSError:
            pass

    @staticmethod
    def _read_request(connection) -> bytes:
        data = b""
        while b"\r\n\r\n" not in data:
            more = connection.recv(65536)
            if not more:
                return b""
            data += more
        head, _, body = data.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
        missing = (int(length[1]) if length else 0) - len(body)
        parts = [data]
        while missing > 0:
            more = connection.recv(min(missing, 1 << 20))
            if not more:
                return b""
            parts.append(more)
            missing -= len(more)
        return b"".join(parts)

    def _handle(self, connection, request):
        if not re.search(rb"(?i)\r\nx-explaind-task:", request.split(b"\r\n\r\n", 1)[0]):
            connection.sendall(self.ask_model(request))
            return
        self.calls += 1
        self.times.append(time.monotonic())
        call = Call(self, connection, request, self.calls)
        (self.fault or pass_on)(call)

    def ask_model(self, request: bytes) -> bytes:
        head, _, body = request.partition(b"\r\n\r\n")
        method, path, _ = head.split(b"\r\n")[0].decode().split(" ")
        connection = http.client.HTTPConnection(self.model, timeout=60)
        connection.request(method, path, body or None, {"Content-Type": "application/json"})
        response = connection.getresponse()
        data = response.read()
        connection.close()
        return (f"HTTP/1.1 {response.status} X\r\nContent-Type: application/json\r\n"
                f"Content-Length: {len(data)}\r\n\r\n").encode() + data


# ---- faults ----

def pass_on(call):
    call.send(call.answer())


def silence(call):
    """The request is read, and nothing ever comes."""
    call.connection.settimeout(None)
    call.connection.recv(1)     # until the daemon hangs up


def reset_after(tenths: int):
    def fault(call):
        answer = call.answer()
        call.send(answer[:len(answer) * tenths // 10])
        call.reset()
    return fault


def one_byte_a_second(call):
    for byte in call.answer():
        call.send(bytes([byte]))
        if call.proxy.stopping.wait(1):
            return


def status(code: int, **headers):
    return lambda call: call.reply(code, b'{"error":"secret words of the model"}', **headers)


def first(n: int, fault):
    """The first `n` calls meet the fault, the others pass."""
    return lambda call: (fault if call.number <= n else pass_on)(call)


def changed(change, after=0):
    """The model's answer with another body; the first `after` calls pass."""
    return lambda call: call.reply(200, change(call.body())) if call.number > after else pass_on(call)


def endless_body(call):
    call.send(b"HTTP/1.1 200 X\r\nContent-Type: application/json\r\n\r\n[")
    while not call.proxy.stopping.is_set():
        call.send(CHUNK)


def endless_head(call):
    call.send(b"HTTP/1.1 200 X\r\n")
    while not call.proxy.stopping.is_set():
        call.send(b"X-More: " + CHUNK[:1000] + b"\r\n")


def gzip_bomb(megabytes: int):
    bomb = gzip.compress(bytes(megabytes << 20), 9)
    return lambda call: call.reply(200, bomb, Content_Encoding="gzip")
