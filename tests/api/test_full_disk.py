# SPDX-License-Identifier: Apache-2.0
"""
No room for data: what cannot be stored is refused with 507 and nothing of it is there, reading goes on, and with room
again so does writing, without a restart.
"""
import contextlib
import os
import resource
import subprocess

import pytest
from conftest import judged_daemon
from support.client import Client, Watched, wait_for
from support.images import gradient

ZERO = "00000000-0000-0000-0000-000000000000"
MANY = 2000


class Ledger:
    """What was acknowledged."""

    def __init__(self, watched: Watched):
        self.watched = watched
        self.ids: list[str] = []
        self.noise = iter(range(1 << 30))

    def log(self) -> int:
        """Logs an image that does not compress to nothing; the status."""
        n = next(self.noise)
        image = [[[(i * 7919 * (n + 1) + j * 104729) % 256 for _ in range(3)] for j in range(60)] for i in range(60)]
        body = [{"request": {"values": [image]}, "scoring_id": f"noise-{n}-1",
                 "response": {"fields": ["probability"], "values": [[[0.25, 0.75]]]}}]
        client = self.watched.client
        response = client.session.post(client.base + self.watched.records_path, json=body, timeout=120)
        if response.status_code == 202:
            self.ids += response.json()["scoring_ids"]
        return response.status_code

    def fill(self):
        """Until even the smaller ones of the images find no room."""
        refused = 0
        for _ in range(MANY):
            status = self.log()
            assert status in (202, 507)
            refused = refused + 1 if status == 507 else 0
            if refused == 10:
                return
        raise AssertionError("there was room for everything")

    def check(self):
        assert sorted(self.stored()) == sorted(self.ids)

    def stored(self):
        rows, page = [], 1000
        while True:
            found = self.watched.values(limit=page, offset=len(rows))
            rows += found
            if len(found) < page:
                return [row["scoring_id"] for row in rows]


def assert_refuses_and_serves(ledger: Ledger):
    client = ledger.watched.client
    error = client.refused("POST", "/v2/service_providers", 507,
                           json={"name": "p", "service_type": "custom_machine_learning",
                                 "credentials": {"url": "http://127.0.0.1:9", "note": "x" * 60_000}})
    assert error["code"] == "AIQDT0003E"
    client.get("/health/live")
    client.get("/v2/subscriptions")
    ledger.check()


def assert_goes_on(ledger: Ledger, start_again):
    assert ledger.log() == 202
    [task_id] = ledger.watched.explain(*ledger.watched.log(gradient(8, 8)))
    assert wait_for(ledger.watched.client, task_id)["entity"]["status"]["state"] == "finished"
    ledger.ids += [row["scoring_id"] for row in ledger.watched.values(limit=1, order="scoring_timestamp:desc")]
    ledger.check()
    ledger.watched.client = Client(start_again().url, ZERO)
    ledger.check()


def test_a_file_that_may_not_grow(start_daemon, stub_model):
    daemon = start_daemon()
    ledger = Ledger(Watched(Client(daemon.url, ZERO), stub_model))
    assert ledger.log() == 202
    pid, (soft, hard) = daemon.process.pid, resource.prlimit(daemon.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (1 << 20, hard))
    ledger.fill()
    assert_refuses_and_serves(ledger)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (soft, hard))

    def again():
        daemon.kill()
        return start_daemon()
    assert_goes_on(ledger, again)


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 6 MiB."""
    path = tmp_path / "disk"
    path.mkdir()
    mounted = os.geteuid() == 0 and subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m", "none", path],
                                                   capture_output=True).returncode == 0
    if not mounted:
        pytest.skip("a small file system needs root and the right to mount")
    yield path
    subprocess.run(["umount", "-l", path], check=True)


def test_a_disk_that_is_full(small_disk, tmp_path, stub_model):
    ballast = small_disk / "ballast"
    ballast.write_bytes(b"\0" * (3 << 20))
    daemon = judged_daemon(small_disk)
    ledger = Ledger(Watched(Client(daemon.url, ZERO), stub_model))
    ledger.fill()
    assert_refuses_and_serves(ledger)
    ballast.unlink()

    started = [daemon]

    def again():
        started[-1].kill()
        started.append(judged_daemon(small_disk))
        return started[-1]
    with contextlib.ExitStack() as stack:
        stack.callback(lambda: started[-1].stop())
        assert_goes_on(ledger, again)
