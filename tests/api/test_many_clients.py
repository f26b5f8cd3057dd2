# SPDX-License-Identifier: Apache-2.0
"""512 clients that log images at the same time: turned away rather than taken in without a bound, and nothing is lost."""
import asyncio
import contextlib
import json
import os
import random
import threading
from pathlib import Path
from urllib.parse import urlsplit

import numpy
import requests
from support.client import Client, Watched
from support.paths import sanitizer

CLIENTS, EACH = 512, 4 if os.environ.get("EXPLAIND_FULL") == "1" else 2
BODIES = 4 << 20  # in memory together: about 60 of 64 KiB
SETTINGS = {"http.connections": 2048, "http.connections_per_address": 2048, "limits.bodies_total": BODIES,
            "limits.records_body_bytes": BODIES // 2, "limits.tasks_body_bytes": BODIES // 2}


class Load:
    """What the clients have to log, and what became of it."""

    def __init__(self, watched):
        image = numpy.random.default_rng(1).integers(0, 256, (75, 75, 3)).tolist()
        self.template = json.dumps([watched.transaction(image, scoring_id="@ID@")]).encode()
        self.path = urlsplit(watched.client.base).path + watched.records_path
        self.acknowledged, self.n_refused, self.unexpected, self.cut_off = set(), 0, [], []
        self.half = threading.Event()

    def run(self, port):
        asyncio.run(self._all(port))
        assert not self.unexpected, self.unexpected[:3]

    async def _all(self, port):
        await asyncio.gather(*(self._client(port, number) for number in range(CLIENTS)))

    async def _client(self, port, number):
        reader = writer = None
        try:
            for i in range(EACH):
                scoring_id = f"client{number}image{i}-1"
                while scoring_id not in self.acknowledged:
                    if writer is None:
                        reader, writer = await asyncio.open_connection("127.0.0.1", port)
                    status, headers = await self._post(reader, writer, scoring_id)
                    if headers.get("connection") == "close":
                        writer.close()
                        writer = None
                    await self._take(status, headers, scoring_id)
        except (OSError, asyncio.IncompleteReadError) as failure:  # the daemon is gone
            self.cut_off.append(repr(failure))
        if writer:
            writer.close()

    async def _post(self, reader, writer, scoring_id):
        body = self.template.replace(b"@ID@", scoring_id.encode())
        writer.write(f"POST {self.path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                     f"Content-Length: {len(body)}\r\n\r\n".encode() + body)
        await writer.drain()
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:-2])}
        await reader.readexactly(int(headers["content-length"]))
        return int(head[0].split()[1]), headers

    async def _take(self, status, headers, scoring_id):
        if status == 202:
            self.acknowledged.add(scoring_id)
            if len(self.acknowledged) >= CLIENTS * EACH // 2:
                self.half.set()
        elif status in (429, 503) and int(headers["retry-after"]) >= 1:
            self.n_refused += 1
            await asyncio.sleep(random.uniform(0.05, 0.3))  # sooner than told, so that the bound is felt
        else:
            self.unexpected.append((status, headers))
            self.acknowledged.add(scoring_id)


class Peak(threading.Thread):
    """The most bytes of bodies the daemon had in memory, as it tells."""

    def __init__(self, daemon):
        super().__init__(daemon=True)
        self.daemon_url, self.most, self.over = daemon.url, 0, threading.Event()
        self.start()

    def run(self):
        with requests.Session() as session:
            session.trust_env = False
            while not self.over.wait(0.02):
                with contextlib.suppress(requests.RequestException):
                    page = session.get(self.daemon_url + "/metrics", timeout=30).text
                    [line] = [x for x in page.splitlines() if x.startswith("explaind_http_body_bytes ")]
                    self.most = max(self.most, float(line.split()[1]))

    def stop(self) -> float:
        self.over.set()
        self.join(60)
        return self.most


def resident_mib(daemon) -> float:
    status = Path(f"/proc/{daemon.process.pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def stored(watched) -> set:
    found = set()
    while page := watched.values(limit=1000, offset=len(found), includes="scoring_id"):
        found |= {row["scoring_id"] for row in page}
    return found


def test_512_clients_are_held_back_and_lose_nothing(start_daemon, stub_model, capsys):
    daemon = start_daemon(**SETTINGS)
    watched = Watched(Client(daemon.url), stub_model)
    load, peak = Load(watched), Peak(daemon)
    running = threading.Thread(target=load.run, args=(daemon.port,))
    running.start()
    assert load.half.wait(300)
    memory, most = resident_mib(daemon), peak.stop()
    daemon.kill()
    running.join(120)
    acknowledged = set(load.acknowledged)
    daemon = start_daemon(**SETTINGS)
    watched.client = Client(daemon.url, watched.client.instance)
    there = stored(watched)
    assert acknowledged <= there, "acknowledged and lost"
    load.acknowledged.clear()
    load.cut_off.clear()
    load.run(daemon.port)  # all of it again: what is there is the same record
    assert not load.cut_off, load.cut_off
    assert stored(watched) == load.acknowledged and len(load.acknowledged) == CLIENTS * EACH
    assert load.n_refused > 0 and 0 < most <= BODIES
    assert memory < (768 if sanitizer() else 128), "sanitizers keep 256 MiB of what was freed, and shadows"
    with capsys.disabled():
        print(f"\n{CLIENTS} clients: {len(acknowledged)} acknowledged before kill -9, all there; {load.n_refused} answers"
              f" 503, {most / 2**20:.1f} MiB of bodies at most, {memory:.0f} MiB resident")
