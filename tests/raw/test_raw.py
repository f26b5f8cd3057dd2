# SPDX-License-Identifier: Apache-2.0
"""Requests as bytes: each gets its status or the end of the connection, and the daemon goes on."""
import re
import socket

import pytest

from conftest import judged_daemon
from raw import cases

SECONDS = 20
STATUS_LINE = re.compile(rb"HTTP/1\.[01] (\d{3}) [^\r\n]*\r\n")


def exchange(port, sent: bytes, hang_up: bool) -> bytes:
    """What comes back until the daemon ends the connection. It must: a time-out is a failure."""
    with socket.create_connection(("127.0.0.1", port), SECONDS) as connection:
        received = []
        try:
            connection.sendall(sent)
            if hang_up:
                connection.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # refused before all of it was sent
        try:
            while part := connection.recv(1 << 16):
                received.append(part)
        except ConnectionResetError:
            pass
    return b"".join(received)


def statuses(received: bytes) -> list[int]:
    """Of all answers but 100 Continue."""
    return [int(status) for status in STATUS_LINE.findall(received) if status != b"100"]


@pytest.fixture(scope="module")
def impatient_daemon(tmp_path_factory):
    """For requests that never end: microhttpd does not always notice when a client has ended its side."""
    daemon = judged_daemon(tmp_path_factory.mktemp("impatient"), http__header_timeout_ms=300, http__body_timeout_ms=300)
    yield daemon
    daemon.stop()


@pytest.mark.parametrize("case", [case for case in cases.ALL if not case.hang_up], ids=lambda case: case.name)
def test_a_raw_request_is_answered_and_the_daemon_lives(module_daemon, case):
    received = exchange(module_daemon.port, case.sent, hang_up=False)
    found = statuses(received) or [cases.CLOSED]
    assert found[0] in case.expected, received[:500]
    if case.answers > 1 or found[0] < 300:
        assert len(found) == case.answers, received[:2000]
    else:
        assert set(found) <= set(case.expected), f"what was behind a refused request was answered: {received[:2000]}"
    assert exchange(module_daemon.port, cases.BEHIND, False).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("case", [case for case in cases.ALL if case.hang_up], ids=lambda case: case.name)
def test_an_incomplete_or_garbled_request_ends_and_the_daemon_lives(impatient_daemon, case):
    received = exchange(impatient_daemon.port, case.sent, hang_up=True)
    assert (statuses(received) or [cases.CLOSED])[0] in case.expected, received[:500]
    assert impatient_daemon.process.poll() is None
