# SPDX-License-Identifier: Apache-2.0
"""All records and explanations as lines of JSON: streamed, in bounded memory, while others write."""
import contextlib
import json
import socket
import time

import pytest
import requests
from support.client import Client, Watched
from support.images import blocks

LINES = {"Accept": "application/x-ndjson"}
ANSWER = '{"fields":["probability"],"values":[[[0.25,0.75]]]}'
PATIENCE_SECONDS = 60
POLL_SECONDS = 0.02
MIB = 1 << 20
RECEIVED_AT_ONCE = 65536


def lines(client, path, **params) -> list[dict]:
    response = client.request("GET", path, headers=LINES, params=params)
    assert response.headers["Content-Type"] == "application/x-ndjson"
    return [json.loads(line) for line in response.text.splitlines()]


def log_many(watched, n, image, first=0):
    """Transactions `row0`, `row1`, ... of the same image, in requests of 10 MiB."""
    each = min(1000, 10 * MIB // len(image))
    for begin in range(first, first + n, each):
        body = ",".join('{"scoring_id":"row%d","request":{"values":[%s]},"response":%s}' % (i, image, ANSWER)
                        for i in range(begin, min(begin + each, first + n)))
        watched.client.request("POST", watched.records_path, data=f"[{body}]")


SMALL = json.dumps(blocks(2, 2))
LARGE = json.dumps(blocks(48, 48))


def scoring_ids(records) -> list[str]:
    return [record["entity"]["values"]["scoring_id"] for record in records]


class Export:
    """A raw client of an export, that reads when it is told to."""

    def __init__(self, daemon, client, path, room=16384):
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)  # what is not read, is not sent
        self.socket.settimeout(PATIENCE_SECONDS)
        self.socket.connect(("127.0.0.1", daemon.port))
        path = client.base.removeprefix(client.url) + path
        self.socket.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                            "Accept: application/x-ndjson\r\n\r\n".encode())
        self.received = bytearray()

    def read(self, size) -> bool:
        """Until `size` more bytes are there; false when the answer ended before."""
        size += len(self.received)
        while len(self.received) < size:
            with contextlib.suppress(ConnectionResetError):
                if part := self.socket.recv(RECEIVED_AT_ONCE):
                    self.received += part
                    continue
            return False
        return True

    def ended_well(self) -> bool:
        return self.received.endswith(b"\r\n0\r\n\r\n")

    def read_all(self) -> list[dict]:
        while not self.ended_well():
            assert self.read(1), "the answer broke off"
        at, body = self.received.index(b"\r\n\r\n") + 4, bytearray()
        assert b"transfer-encoding: chunked" in self.received[:at].lower()
        while at < len(self.received):
            end = self.received.index(b"\r\n", at)
            size = int(self.received[at:end], 16)
            body += self.received[end + 2:end + 2 + size]
            at = end + 2 + size + 2
        return [json.loads(line) for line in body.splitlines()]

    def close(self):
        self.socket.close()


def test_records_leave_as_lines_in_the_order_in_which_they_were_logged(watched):
    log_many(watched, 1203, SMALL)
    found = lines(watched.client, watched.records_path)
    assert scoring_ids(found) == [f"row{i}-1" for i in range(1203)]
    assert found[:50] == watched.client.get(watched.records_path, limit=50)["records"]


def test_an_export_is_selected_as_a_page_is(watched):
    for i in range(3):
        watched.log(blocks(first=i), scoring_id=f"t{i}", scoring_timestamp=f"2026-01-0{i + 1}T00:00:00Z")
    client, path = watched.client, watched.records_path
    assert scoring_ids(lines(client, path, start="2026-01-02T00:00:00Z")) == ["t1-1", "t2-1"]
    assert scoring_ids(lines(client, path, filter="scoring_id:eq:t1-1")) == ["t1-1"]
    assert scoring_ids(lines(client, path, limit=2)) == ["t0-1", "t1-1"]
    assert lines(client, path, filter="scoring_id:eq:nobody") == lines(client, path, limit=0) == []
    [line] = lines(client, path, includes="scoring_id,scoring_input", filter="scoring_id:eq:t2-1")
    assert line["entity"]["values"] == {"scoring_id": "t2-1", "scoring_input": blocks(first=2)}
    [line] = lines(client, path, includes="scoring_input", binary_format="reference", limit=1)
    assert line["entity"]["values"]["scoring_input"]["reference"].endswith("/scoring_input")


def test_a_filter_that_little_passes_finds_it_among_many(watched):
    log_many(watched, 2100, SMALL)
    found = lines(watched.client, watched.records_path, filter="scoring_id:in(row3-1;row2099-1)", limit=5)
    assert scoring_ids(found) == ["row3-1", "row2099-1"]


@pytest.mark.parametrize("parameter", ["offset=1", "order=random", "seed=3", "format=list", "include_total_count=true"])
def test_paging_is_refused(watched, parameter):
    error = watched.client.refused("GET", f"{watched.records_path}?{parameter}", 400, headers=LINES)
    assert error["parameters"] == [parameter.split("=")[0]] and "x-ndjson" in error["message"]


@pytest.mark.parametrize("parameter", ["limit=-1", "filter=nothing:eq:1", "includes=nothing", "start=yesterday"])
def test_what_a_page_refuses_an_export_refuses(watched, parameter):
    watched.client.refused("GET", f"{watched.records_path}?{parameter}", 400, headers=LINES)


def test_only_who_asks_for_lines_gets_them(watched):
    watched.log(blocks())
    for accept in ["application/json", "*/*", "application/x-ndjson;q=0", "text/x-ndjson", "application/x-ndjsonx", ""]:
        assert watched.client.request("GET", watched.records_path, headers={"Accept": accept}).json()["records"]
    for accept in ["APPLICATION/x-ndjson", "text/html, application/x-ndjson;q=0.5", "application/x-ndjson ;q=1"]:
        response = watched.client.request("GET", watched.records_path, headers={"Accept": accept})
        assert response.headers["Content-Type"] == "application/x-ndjson"


def test_another_data_set_has_no_lines(watched):
    watched.client.refused("GET", "/v2/data_sets/00000000-0000-0000-0000-000000000001/records", 404, headers=LINES)


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
def test_an_export_over_tls_is_the_same(daemon, watched):
    log_many(watched, 700, SMALL)
    address = f"https://127.0.0.1:{daemon.port}/openscale/{watched.client.instance}{watched.records_path}"
    response = requests.get(address, headers=LINES, verify=False, timeout=PATIENCE_SECONDS)
    assert len(response.text.splitlines()) == 700


def test_explanations_leave_as_lines(watched):
    client = watched.client
    first, finished = watched.explained(blocks())
    second, other = watched.explained(blocks(first=1))
    assert lines(client, "/v2/explanation_tasks") == [finished, other]
    assert lines(client, "/v2/explanation_tasks", limit=1) == [finished]
    numbers = [client.get(f"/v2/explanation_tasks/{task_id}/attributions") for task_id in (first, second)]
    assert lines(client, "/v2/explanation_tasks", includes="attributions") == numbers
    both = lines(client, "/v2/explanation_tasks", includes="answer,attributions", status="finished")
    assert both == [{**finished, "attributions": numbers[0]}, {**other, "attributions": numbers[1]}]
    assert lines(client, "/v2/explanation_tasks", status="error") == []
    client.refused("GET", "/v2/explanation_tasks?includes=panes", 400, headers=LINES)
    client.refused("GET", "/v2/explanation_tasks?status=lost", 400, headers=LINES)
    client.refused("GET", "/v2/explanation_tasks?offset=1", 400, headers=LINES)


def test_what_is_logged_meanwhile_is_not_in_it_and_nothing_comes_twice(start_daemon, stub_model):
    daemon = start_daemon()
    watched = Watched(Client(daemon.url), stub_model)
    log_many(watched, 400, LARGE)
    export = Export(daemon, watched.client, watched.records_path + "?includes=scoring_id,scoring_input")
    assert export.read(200_000)
    log_many(watched, 30, LARGE, first=400)
    assert scoring_ids(export.read_all()) == [f"row{i}-1" for i in range(400)]
    export.close()


def resident(daemon) -> int:
    with open(f"/proc/{daemon.process.pid}/status") as status:
        [line] = [line for line in status if line.startswith("VmRSS:")]
    return int(line.split()[1]) * 1024


def test_the_memory_of_an_export_does_not_grow_with_the_rows(start_daemon, stub_model, monkeypatch):
    """Address sanitizer keeps what was freed; here it is to keep little."""
    monkeypatch.setenv("ASAN_OPTIONS", "quarantine_size_mb=4")
    daemon = start_daemon()
    watched = Watched(Client(daemon.url), stub_model)
    rows = 1200
    log_many(watched, rows, LARGE)
    path = watched.records_path + "?includes=scoring_id,scoring_input"
    export = Export(daemon, watched.client, path, room=MIB)
    assert export.read(MIB)  # what is allocated once, is
    before, received, highest = resident(daemon), 0, 0
    while export.read(MIB):
        received += MIB
        export.received = export.received[-RECEIVED_AT_ONCE:]
        highest = max(highest, resident(daemon))
    assert received > 40 * MIB and f"row{rows - 1}-1".encode() in export.received
    assert highest - before < 16 * MIB
    export.close()


def wait_until(condition):
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(POLL_SECONDS)


def test_a_client_that_hangs_up_ends_its_export(start_daemon, stub_model):
    daemon = start_daemon(http__exports=1)
    watched = Watched(Client(daemon.url), stub_model)
    log_many(watched, 400, LARGE)
    path = watched.records_path + "?includes=scoring_input"
    export = Export(daemon, watched.client, path)
    assert export.read(100_000)
    response = watched.client.request("GET", path, 503, headers=LINES)
    assert response.headers["Retry-After"] and "http.exports" in response.json()["errors"][0]["message"]
    watched.client.get(watched.records_path, limit=1)
    export.close()
    wait_until(lambda: watched.client.request("GET", path, (200, 503), headers=LINES).status_code == 200)


def test_a_client_that_takes_nothing_is_ended(start_daemon, stub_model):
    daemon = start_daemon(http__exports=1, http__answer_timeout_ms=300)
    watched = Watched(Client(daemon.url), stub_model)
    log_many(watched, 400, LARGE)
    path = watched.records_path + "?includes=scoring_input"
    export = Export(daemon, watched.client, path)
    assert export.read(100_000)
    wait_until(lambda: watched.client.request("GET", path, (200, 503), headers=LINES).status_code == 200)
    while export.read(1):
        pass
    assert not export.ended_well()
    export.close()


def test_a_daemon_that_stops_breaks_an_export_off(start_daemon, stub_model):
    daemon = start_daemon()
    watched = Watched(Client(daemon.url), stub_model)
    log_many(watched, 400, LARGE)
    export = Export(daemon, watched.client, watched.records_path + "?includes=scoring_input")
    assert export.read(100_000)
    daemon.stop()
    while export.read(1):
        pass
    assert not export.ended_well()
    export.close()
