# SPDX-License-Identifier: Apache-2.0
"""A receiver of webhooks in the test's own process: it keeps what it got, and answers as the test wants."""
import base64
import hashlib
import hmac
import json
import os
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler

from support.local_server import LocalServer

WAIT_SECONDS = 60


def new_secret() -> str:
    return "whsec_" + base64.b64encode(os.urandom(32)).decode()


@dataclass
class Message:
    path: str
    headers: dict
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def data(self) -> dict:
        return json.loads(self.body)["data"]

    def is_signed_with(self, secret) -> bool:
        key = base64.b64decode(secret.removeprefix("whsec_"))
        signed = f"{self.id}.{self.headers['webhook-timestamp']}.".encode() + self.body
        tag = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        fresh = abs(time.time() - int(self.headers["webhook-timestamp"])) < 300
        return fresh and f"v1,{tag}" in self.headers["webhook-signature"].split(" ")


class Receiver(LocalServer):
    def __init__(self):
        self.messages: list[Message] = []
        self.answer = lambda message: (204, {})  # (status, headers)
        self._changed = threading.Condition()
        super().__init__(self._handler(), "/hook")

    def wait(self, n) -> list[Message]:
        """The messages, when there are n."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.messages) >= n, WAIT_SECONDS), self.messages
            return list(self.messages)

    def wait_until(self, condition):
        with self._changed:
            assert self._changed.wait_for(lambda: condition(self.messages), WAIT_SECONDS), self.messages

    def _handler(receiver):
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *arguments):
                pass

            def do_POST(self):
                headers = {name.lower(): value for name, value in self.headers.items()}
                message = Message(self.path, headers, self.rfile.read(int(headers["content-length"])))
                with receiver._changed:
                    receiver.messages.append(message)
                    receiver._changed.notify_all()
                receiver.open.wait(WAIT_SECONDS)
                status, more = receiver.answer(message)
                try:
                    self.send_response(status)
                    for name, value in more.items():
                        self.send_header(name, value)
                    if status != 204:
                        self.send_header("Content-Length", "0")
                    self.end_headers()
                except OSError:
                    self.close_connection = True

        return Handler
