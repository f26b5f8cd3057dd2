# SPDX-License-Identifier: Apache-2.0
"""How many connections there may be, and how long each may take, whatever it goes on sending."""
import contextlib
import resource
import socket
import ssl
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import requests
from support.client import Client, Watched

PATIENCE_SECONDS = 60
DRIP_SECONDS = 0.02
HEALTH = b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n"
POST = b"POST /v2/service_providers HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\n"


def connect(daemon) -> socket.socket:
    return socket.create_connection(("127.0.0.1", daemon.port), PATIENCE_SECONDS)


def connect_tls(daemon) -> ssl.SSLSocket:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context.wrap_socket(connect(daemon))


def ended(connection) -> bool:
    """Whether the daemon has ended it, without waiting."""
    connection.settimeout(DRIP_SECONDS)
    try:
        return connection.recv(1) == b""
    except TimeoutError:
        return False
    except OSError:
        return True
    finally:
        with contextlib.suppress(OSError):
            connection.settimeout(PATIENCE_SECONDS)


def assert_a_drip_ends(connection, start: bytes, drop: bytes):
    """A client that never falls silent, and never gets to the point."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    with connection:
        connection.sendall(start)
        while not ended(connection):
            assert time.monotonic() < deadline, "still connected"
            with contextlib.suppress(OSError):
                connection.sendall(drop)


def is_served(daemon) -> bool:
    try:
        with connect(daemon) as connection:
            connection.sendall(HEALTH)
            return connection.recv(1 << 16).startswith(b"HTTP/1.1 200")
    except OSError:
        return False


def wait_until_served(daemon):
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_served(daemon):
        assert time.monotonic() < deadline, "no connection is taken"
        time.sleep(DRIP_SECONDS)


def answer(connection) -> bytes:
    """The status line of the next answer; its body is short."""
    return connection.recv(1 << 16).split(b"\r\n")[0]


def test_a_head_that_drips_is_ended(start_daemon):
    daemon = start_daemon(http__header_timeout_ms=400)
    assert_a_drip_ends(connect(daemon), HEALTH[:-2] + b"X: ", b"a")
    assert is_served(daemon)


def test_a_request_line_that_drips_is_ended(start_daemon):
    assert_a_drip_ends(connect(start_daemon(http__header_timeout_ms=400)), b"GET /", b"a")


def test_a_body_that_drips_is_ended(start_daemon):
    daemon = start_daemon(http__body_timeout_ms=400)
    assert_a_drip_ends(connect(daemon), POST, b" ")
    assert is_served(daemon)


def test_a_body_that_nobody_wants_is_ended_when_it_drips(start_daemon):
    daemon = start_daemon(http__body_timeout_ms=400)
    assert_a_drip_ends(connect(daemon), POST.replace(b"/v2/service_providers", b"/v2/nothing"), b" ")


def test_a_request_that_ends_before_it_is_whole_is_ended(start_daemon):
    daemon = start_daemon(http__header_timeout_ms=300_000, http__body_timeout_ms=300_000, http__idle_timeout_ms=300_000)
    for start in (b"GET /hea", HEALTH[:-2], POST + b" " * 100, HEALTH + b"GET /hea"):
        with connect(daemon) as connection:
            connection.send(start, socket.MSG_MORE)  # the end comes with the last bytes
            connection.shutdown(socket.SHUT_WR)
            received = b"".join(iter(lambda: connection.recv(1 << 16), b""))
        assert received.startswith(b"HTTP/1.1 200") == start.startswith(HEALTH)


def test_a_head_that_drips_through_tls_is_ended(start_daemon):
    assert_a_drip_ends(connect_tls(start_daemon(http__header_timeout_ms=1500)), b"GET /", b"a")


def test_a_tls_handshake_that_drips_is_ended(start_daemon):
    assert_a_drip_ends(connect(start_daemon(http__header_timeout_ms=400)), b"\x16\x03\x01\x40\x00", b"a")


def test_a_client_that_says_nothing_is_ended(start_daemon):
    with connect(start_daemon(http__header_timeout_ms=400)) as connection:
        assert connection.recv(1) == b""


def test_a_connection_without_a_next_request_is_ended(start_daemon):
    with connect(start_daemon(http__idle_timeout_ms=400)) as connection:
        connection.sendall(HEALTH)
        assert answer(connection) == b"HTTP/1.1 200 OK"
        assert connection.recv(1) == b""


def test_each_request_of_a_connection_has_its_own_time(start_daemon):
    with connect(start_daemon(http__header_timeout_ms=1000, http__body_timeout_ms=1000)) as connection:
        for _ in range(6):
            connection.sendall(HEALTH)
            assert answer(connection) == b"HTTP/1.1 200 OK"
            time.sleep(0.3)  # longer than a request may take, all in all


def test_a_request_that_is_worked_on_is_not_ended(start_daemon, model):
    daemon = start_daemon(http__header_timeout_ms=1000, http__body_timeout_ms=1000, http__answer_timeout_ms=1000,
                          http__idle_timeout_ms=1000)
    client = Client(daemon.url)
    provider_id = client.add_provider(model.url)
    model.before_listing = lambda: time.sleep(3)
    assert client.get("/v2/ml_deployments", service_provider_id=provider_id)["count"] == 0


def test_servers_that_do_not_answer_leave_room_for_other_slow_calls(start_daemon, model, stub_model):
    daemon = start_daemon()
    watched = Watched(Client(daemon.url), stub_model)
    provider_id = watched.client.add_provider(model.url)
    asked, release, counts = threading.Event(), threading.Event(), []

    def hold():
        asked.set()
        release.wait(30)

    def list_deployments():
        client = Client(daemon.url, watched.client.instance)
        counts.append(client.get("/v2/ml_deployments", service_provider_id=provider_id)["count"])

    model.before_listing = hold
    threads = [threading.Thread(target=list_deployments) for _ in range(3)]
    for thread in threads:
        thread.start()
    assert asked.wait(10)
    assert watched.count() == 0, "a list of records takes a thread of the same pool"
    assert not counts, "nobody was answered meanwhile"
    release.set()
    for thread in threads:
        thread.join(30)
    assert counts == [0, 0, 0]


def test_a_client_that_does_not_take_its_answers_is_ended(start_daemon):
    daemon = start_daemon(http__answer_timeout_ms=400, http__connections_per_address=1)
    with connect(daemon) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.setblocking(False)
        with contextlib.suppress(OSError):
            while True:  # until nothing more can be sent: the daemon waits for us to read
                connection.send(b"GET /openapi.yaml HTTP/1.1\r\nHost: x\r\n\r\n" * 1000)
        wait_until_served(daemon)


def test_connections_of_an_address_are_counted_plain_and_tls_together(start_daemon):
    daemon = start_daemon(http__connections_per_address=3)
    with connect(daemon) as silent, connect(daemon) as plain, connect_tls(daemon) as secure:
        for connection in (plain, secure):
            connection.sendall(HEALTH)
            assert answer(connection) == b"HTTP/1.1 200 OK"
        assert not is_served(daemon)
        secure.close()
        wait_until_served(daemon)
        assert not ended(silent) and not ended(plain)


def test_connections_are_counted_in_all(start_daemon):
    daemon = start_daemon(http__connections=2)
    with connect(daemon), connect(daemon) as second:
        second.sendall(HEALTH)
        assert answer(second) == b"HTTP/1.1 200 OK"
        assert not is_served(daemon)
    wait_until_served(daemon)


def test_connections_that_end_in_every_way_give_their_place_back(start_daemon):
    daemon = start_daemon(http__connections=4, http__header_timeout_ms=400, http__body_timeout_ms=400)
    for start in (b"", b"G", b"\x16", HEALTH[:30], HEALTH, HEALTH * 3, POST, POST + b" " * 100, b"\0" * 50) * 3:
        wait_until_served(daemon)
        with connect(daemon) as connection:
            connection.sendall(start)
    wait_until_served(daemon)


def test_the_daemon_goes_on_when_it_was_out_of_descriptors(start_daemon):
    daemon = start_daemon(http__connections=500, http__connections_per_address=500)
    assert is_served(daemon)
    soft, hard = resource.prlimit(daemon.process.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(daemon.process.pid, resource.RLIMIT_NOFILE, (64, hard))
    connections = [connect(daemon) for _ in range(100)]
    assert not is_served_within(connections[-1])
    for connection in connections:
        connection.close()
    wait_until_served(daemon)
    resource.prlimit(daemon.process.pid, resource.RLIMIT_NOFILE, (soft, hard))


def is_served_within(connection) -> bool:
    """Whether a connection that waits to be accepted gets an answer soon."""
    connection.settimeout(1)
    connection.sendall(HEALTH)
    try:
        return connection.recv(1) != b""
    except TimeoutError:
        return False


def two_bodies_at_once(watched: Watched) -> tuple[requests.Response, bytes]:
    """The answer to a body that arrives in the middle of another, and the status line of the other's."""
    body = b"[" + b" " * 899_999
    head = (f"POST /openscale/{watched.client.instance}{watched.records_path} HTTP/1.1\r\nHost: x\r\n"
            f"Content-Length: {len(body)}\r\n\r\n").encode()
    with socket.create_connection(("127.0.0.1", int(watched.client.url.rsplit(":", 1)[1])), PATIENCE_SECONDS) as slow:
        slow.sendall(head + body[:700_000])
        response = requests.post(watched.client.base + watched.records_path, data=body, timeout=PATIENCE_SECONDS)
        slow.sendall(body[700_000:])
        return response, answer(slow)


def test_bodies_together_are_bounded_and_the_bound_recovers(start_daemon, stub_model):
    watched = Watched(Client(start_daemon(limits__bodies_total=1 << 20, limits__records_body_bytes=1_000_000,
                                          limits__tasks_body_bytes=1_000_000).url), stub_model)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:  # until the daemon has read of the one before the other is through
        response, line = two_bodies_at_once(watched)
        if response.status_code == 503:
            break
        assert response.status_code == 400, "it is no record, but it was read"
        assert time.monotonic() < deadline, "two bodies fit"
    assert line.startswith(b"HTTP/1.1 400")
    assert response.headers["Retry-After"] and "limits.bodies_total" in response.json()["errors"][0]["message"]
    watched.client.refused("POST", watched.records_path, 400, data=b"[" + b" " * 899_999)


def whole_answer(daemon, request: bytes) -> bytes:
    """What comes back when the client ends its side behind the request, until the daemon ends the other."""
    with connect(daemon) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(1 << 16), b""))


def test_clients_that_end_their_side_get_answers_while_others_come_and_go(start_daemon):
    daemon = start_daemon()
    over = threading.Event()

    def come_and_go():
        while not over.is_set():
            connect(daemon).close()

    crowd = [threading.Thread(target=come_and_go, daemon=True) for _ in range(3)]
    for thread in crowd:
        thread.start()
    try:
        with ThreadPoolExecutor(20) as pool:     # the end of a connection is noticed after a second
            answers = list(pool.map(lambda _: whole_answer(daemon, HEALTH), range(300)))
    finally:
        over.set()
        for thread in crowd:
            thread.join()
    assert all(answer.startswith(b"HTTP/1.1 200") for answer in answers)


def test_a_client_that_ends_its_side_behind_a_request_gets_the_answer(start_daemon, stub_model):
    daemon = start_daemon()
    watched = Watched(Client(daemon.url), stub_model)
    instance = f"/openscale/{watched.client.instance}"
    body = b'{"name": "models", "service_type": "custom_machine_learning", "credentials": {"url": "http://127.0.0.1:9"}}'
    head = f"POST {instance}/v2/service_providers HTTP/1.1\r\nHost: x\r\n".encode()
    sized = head + b"Content-Length: %d\r\n\r\n" % len(body) + body
    chunked = head + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % len(body) + body + b"\r\n0\r\n\r\n"
    listed = f"GET {instance}{watched.records_path} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    assert whole_answer(daemon, sized).startswith(b"HTTP/1.1 202 "), "what is written is acknowledged"
    assert whole_answer(daemon, chunked).startswith(b"HTTP/1.1 202 ")
    assert whole_answer(daemon, listed).startswith(b"HTTP/1.1 200 "), "an API thread's answer, too"
    assert len(watched.client.get("/v2/service_providers")["service_providers"]) == 3


def test_a_client_that_waits_to_be_asked_for_its_body_learns_at_once_that_nobody_wants_it(start_daemon):
    daemon = start_daemon(limits__body_bytes=65536)
    for path, length, expected in (("/v2/service_providers", 65537, b"413"), ("/v2/nothing", 10, b"404")):
        with connect(daemon) as connection:
            connection.sendall(f"POST {path} HTTP/1.1\r\nHost: x\r\nExpect: 100-Continue\r\n"
                               f"Content-Length: {length}\r\n\r\n".encode())
            received = b"".join(iter(lambda: connection.recv(1 << 16), b""))
        assert received.startswith(b"HTTP/1.1 " + expected), "it is not asked to go on"
    with connect(daemon) as connection:
        connection.sendall(b"POST /v2/service_providers HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
                           b"Content-Length: 2\r\n\r\n")
        assert answer(connection) == b"HTTP/1.1 100 Continue"
        connection.sendall(b"{}")
        assert answer(connection) == b"HTTP/1.1 400 Bad Request"
