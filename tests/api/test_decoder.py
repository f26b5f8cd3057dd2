# SPDX-License-Identifier: Apache-2.0
"""PNG and JPEG in logged requests are decoded by a process of their own, which has nothing and may do nothing."""
import base64
import ctypes
import fcntl
import io
import os
import signal
import struct
import subprocess
import sys
import termios
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy
import pytest
from PIL import Image
from support.client import Client
from support.data import until
from support.paths import program, sanitizer
from support.processes import VALGRIND

SECONDS = 60
PIDFD_GETFD = 438  # the system call; Python has no name for it
ANSWER = {"predictions": [[0.25, 0.75]]}
not_with_thread_sanitizer = pytest.mark.skipif(
    sanitizer() == "thread", reason="decoding takes ten times as long and memory has shadows with ThreadSanitizer")


# ---- processes ----

def status_of(pid) -> dict:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def parent_of(pid: str) -> int:
    try:
        return int(status_of(pid)["PPid"])
    except OSError:  # it ended meanwhile
        return 0


def children(daemon) -> list[int]:
    return [int(pid) for pid in os.listdir("/proc") if pid.isdigit() and parent_of(pid) == daemon.process.pid]


def helper_of(daemon) -> int:
    [pid] = children(daemon)
    return pid


def unread_bytes(pid: int) -> int:
    """What lies in the socket of a process that does not read it."""
    process = os.pidfd_open(pid)
    fd = ctypes.CDLL(None, use_errno=True).syscall(PIDFD_GETFD, process, 0, 0)
    assert fd >= 0, os.strerror(ctypes.get_errno())
    waiting = fcntl.ioctl(fd, termios.FIONREAD, bytes(4))
    os.close(fd)
    os.close(process)
    return int.from_bytes(waiting, sys.byteorder)


def gone(pid: int) -> bool:
    return not Path(f"/proc/{pid}").exists() or status_of(pid)["State"].startswith("Z")


# ---- pictures ----

def picture(seed=0, side=24, form="PNG") -> bytes:
    out = io.BytesIO()
    Image.fromarray(numpy.random.default_rng(seed).integers(0, 256, (side, side, 3), dtype=numpy.uint8)).save(out, form)
    return out.getvalue()


def chunk(kind: bytes, data: bytes, length=None) -> bytes:
    return struct.pack(">I", len(data) if length is None else length) + kind + data + struct.pack(
        ">I", zlib.crc32(kind + data))


def png(width, height, data: bytes, colour=2, depth=8, before=b"", length=None) -> bytes:
    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + before + chunk(b"IDAT", data, length) + chunk(b"IEND", b""))


def zeros(n: int) -> bytes:
    packer = zlib.compressobj(9)
    return b"".join(packer.compress(bytes(1 << 20)) for _ in range(n >> 20)) + packer.flush()


class Logged:
    """A subscription whose records are pictures; nothing has to answer at its address."""

    def __init__(self, daemon):
        self.daemon, self.client = daemon, Client(daemon.url)
        url = "http://127.0.0.1:9/v1/models/m:predict"
        self.subscription_id = self.client.add_subscription(self.client.add_provider(), url)
        self.path = f"/v2/data_sets/{self.client.data_set_of(self.subscription_id)}/records"

    def log(self, *files: bytes, expect=202):
        rows = [{"b64": base64.b64encode(file).decode()} for file in files]
        body = [{"request": {"instances": rows}, "response": {"predictions": ANSWER["predictions"] * len(files)}}]
        return self.client.request("POST", self.path, expect, json=body).json()

    def refusal(self, *files: bytes) -> dict:
        return self.log(*files, expect=400)["errors"][0]


@pytest.fixture
def logged(daemon):
    return Logged(daemon)


# ---- what the process is ----

@pytest.mark.skipif(bool(VALGRIND), reason="the daemon is valgrind's process")
def test_the_process_has_a_socket_no_environment_and_a_filter_of_calls(logged):
    logged.log(picture())
    pid = helper_of(logged.daemon)
    status = status_of(pid)
    assert (status["Seccomp"], status["NoNewPrivs"]) == ("2", "1")
    assert Path(f"/proc/{pid}/environ").read_bytes() == b""
    assert Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[:2] == [b"explaind", b"decode-helper"]
    files = {int(fd): os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")}
    assert sorted(files) == [0, 1, 2] and files[0] == files[1] and files[0].startswith("socket:"), files
    limits = {line[:25].strip(): line[25:].split()[0]
              for line in Path(f"/proc/{pid}/limits").read_text().splitlines()[1:]}
    assert (limits["Max open files"], limits["Max core file size"], limits["Max cpu time"]) == ("3", "0", "120")


def test_it_cannot_be_started_by_hand(daemon):
    done = subprocess.run([program("explaind"), "decode-helper"], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=SECONDS)
    assert done.returncode == 64 and "started by explaind serve" in done.stderr


# ---- when it ends or hangs ----

def test_a_process_that_was_killed_costs_nothing(logged):
    for seed in range(3):
        before = helper_of(logged.daemon)
        os.kill(before, signal.SIGKILL)
        logged.log(picture(seed))
        assert helper_of(logged.daemon) != before


def test_a_picture_whose_process_is_killed_midway_is_decoded_by_the_next_one(logged):
    pid = helper_of(logged.daemon)
    os.kill(pid, signal.SIGSTOP)
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(logged.log, picture(1))
        until(lambda: unread_bytes(pid) > 0)
        os.kill(pid, signal.SIGKILL)
        assert answer.result()["state"] == "active"
    assert helper_of(logged.daemon) != pid


def test_a_process_that_hangs_is_killed_and_its_picture_refused(start_daemon):
    logged = Logged(start_daemon(limits__decode_ms=1500))
    pid = helper_of(logged.daemon)
    os.kill(pid, signal.SIGSTOP)
    error = logged.refusal(picture(2))
    assert "limits.decode_ms" in error["message"] and error["parameters"][0].startswith("[0].request.instances[0]")
    assert gone(pid)
    logged.log(picture(2))


def test_no_process_is_left_when_the_daemon_ends(start_daemon):
    daemon = start_daemon()
    Logged(daemon).log(picture())
    pid = helper_of(daemon)
    daemon.stop()
    assert not Path(f"/proc/{pid}").exists()


def test_no_process_is_left_when_the_daemon_is_killed(start_daemon):
    daemon = start_daemon()
    Logged(daemon).log(picture())
    pid = helper_of(daemon)
    daemon.kill()
    until(lambda: gone(pid))


def test_what_ends_a_service_does_not_end_the_process_before_the_daemon(logged):
    pid = helper_of(logged.daemon)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        os.kill(pid, number)
    logged.log(picture(3))
    assert helper_of(logged.daemon) == pid


# ---- pictures that are made to do harm ----

BOMBS = {
    "33 kB that would be 4096 x 4096": (png(4096, 4096, zeros(48 << 20)), "4096 x 4096"),
    "more pixels than its head says": (png(8, 8, zeros(512 << 20)), "PNG picture that cannot be decoded"),
    "data that claims gigabytes": (png(8, 8, zeros(1 << 20), length=0x7fffffff), "broken PNG"),
    "sides of two billion": (png(0x7fffffff, 0x7fffffff, b"x"), "broken PNG"),
    "a palette without colours": (png(8, 8, zeros(1 << 20), colour=3, before=chunk(b"PLTE", b"")), "broken PNG"),
    "no palette": (png(8, 8, zeros(1 << 20), colour=3), "broken PNG"),
    "two thirds of a colour": (png(8, 8, zeros(1 << 20), colour=3, before=chunk(b"PLTE", b"ab")), "broken PNG"),
    "a palette before the head": (b"\x89PNG\r\n\x1a\n" + chunk(b"PLTE", b"abc") + png(8, 8, zeros(1 << 20), colour=3)[8:],
                                  "broken PNG"),
    "noise after the head": (png(64, 64, bytes(range(256)) * 8), "PNG picture that cannot be decoded"),
    "half of a JPEG": (picture(form="JPEG")[:400], "JPEG picture"),
    "a JPEG of nothing": (b"\xff\xd8\xff\xe0" + b"\xff" * 400, "JPEG picture"),
}


@not_with_thread_sanitizer
@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_is_refused_and_the_next_picture_accepted(logged, bomb):
    file, reason = BOMBS[bomb]
    error = logged.refusal(file)
    assert reason in error["message"] and error["parameters"][0].startswith("[0].request.instances[0]"), error
    logged.log(picture(4))


@not_with_thread_sanitizer
def test_memory_that_a_large_picture_took_is_given_back(logged):
    before = helper_of(logged.daemon)
    side = 2048
    logged.log(png(side, side, zlib.compress(bytes((1 + 8 * side) * side), 9), colour=6, depth=16))
    until(lambda: before not in children(logged.daemon))
    logged.log(picture())
    assert int(status_of(helper_of(logged.daemon))["VmHWM"].split()[0]) < 100 << 10


@not_with_thread_sanitizer
def test_many_large_pictures_in_a_request_are_refused_and_cost_no_memory(start_daemon):
    logged = Logged(start_daemon())
    side = 2048
    large = png(side, side, zlib.compress(bytes((1 + 4 * side) * side), 9), colour=6)
    logged.log(*[large] * 8)
    error = logged.refusal(*[large] * 9)
    assert error["parameters"] == ["[0].request.instances[8]"] and "pixels together" in error["message"]
    rows = [{"request": {"instances": [{"b64": base64.b64encode(large).decode()}]}, "response": ANSWER}] * 40
    logged.client.request("POST", logged.path, 202, json=rows)
    peak_kib = int(status_of(logged.daemon.process.pid)["VmHWM"].split()[0])
    assert peak_kib < 512 << 10, "no request needs all of its pictures at once"


# ---- pictures with palettes ----

@pytest.mark.parametrize("colours", [1, 2, 3, 5, 16, 17, 100, 256])
@pytest.mark.parametrize("see_through", [False, True])
def test_a_palette_has_as_many_colours_as_its_picture_needs(logged, colours, see_through):
    indexes = Image.fromarray((numpy.arange(24 * 24) % colours).astype(numpy.uint8).reshape(24, 24), "L")
    indexed = indexes.convert("P")
    indexed.putpalette([value for i in range(colours) for value in (i, 255 - i, 7 * i % 256)])
    out = io.BytesIO()
    indexed.save(out, "PNG", **({"transparency": 0} if see_through else {}))
    logged.log(out.getvalue())


def test_quantized_pictures_are_accepted(logged):
    for method in (Image.Quantize.MEDIANCUT, Image.Quantize.FASTOCTREE):
        out = io.BytesIO()
        Image.open(io.BytesIO(picture())).quantize(20, method).save(out, "PNG")
        logged.log(out.getvalue())


# ---- many at once ----

def test_many_pictures_at_once_each_get_their_own_answer(logged):
    bad = png(64, 64, b"noise")

    def one(i: int) -> int:
        good = i % 3 != 0
        file = picture(i, side=8 + i, form="JPEG" if i % 2 else "PNG") if good else bad
        logged.log(file, expect=202 if good else 400)
        return good

    with ThreadPoolExecutor(8) as pool:
        accepted = sum(pool.map(one, range(60)))
    count = logged.client.get(logged.path, limit=0, include_total_count="true")["total_count"]
    assert count == accepted
