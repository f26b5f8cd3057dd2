# SPDX-License-Identifier: Apache-2.0
"""The receiver of docs/notifications.md takes what is genuine, and its commands do what the page says."""
import ast
import json
import os
import re
import socket
import subprocess
import sys
import time

import pytest
import requests
from support.client import Client, Watched
from support.images import blocks
from support.paths import ROOT

ZERO = "00000000-0000-0000-0000-000000000000"


def example(name) -> str:
    text = (ROOT / "docs" / "notifications.md").read_text()
    [found] = re.findall(rf"<!-- tested by tests/docs/test_notifications.py: {name} -->\n```\w+\n(.*?)```", text, re.S)
    return found


def typed(name, **variables) -> str:
    script = "set -euo pipefail\n" + example(name) + "\necho SECRET=${SECRET:-}\n"
    done = subprocess.run(["bash"], input=script, env={**os.environ, **variables}, text=True, capture_output=True,
                          timeout=60)
    assert done.returncode == 0 and not done.stderr, done.stderr
    return done.stdout


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start_receiver(port, secret):
    environment = {**os.environ, "PORT": str(port), "SECRET": secret}
    receiver = subprocess.Popen([sys.executable, "-c", example("receiver")], env=environment, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    for _ in range(2000):
        try:
            socket.create_connection(("127.0.0.1", port), 5).close()
            return receiver
        except OSError:
            assert receiver.poll() is None
            time.sleep(0.01)
    raise AssertionError("the receiver does not listen")


@pytest.fixture
def watched(start_daemon, stub_model):
    return Watched(Client(start_daemon(webhooks__attempts=1, webhooks__retry_ms=10).url, ZERO), stub_model)


def test_the_receiver_of_the_page_is_told_what_is_genuine(watched):
    api, port = f"{watched.client.url}/v2", free_port()
    receiver_url = f"http://127.0.0.1:{port}/explained"
    printed = typed("make", E=api, SUBSCRIPTION=watched.subscription_id, RECEIVER=receiver_url)
    webhook_id, secret = json.loads(printed.splitlines()[0]), printed.split("SECRET=")[1].strip()
    first, _ = watched.explained(blocks())  # nobody listens yet
    for _ in range(6000):
        if watched.client.get(f"/v2/webhooks/{webhook_id}")["entity"]["deliveries"]["dead"]:
            break
    receiver = start_receiver(port, secret)
    try:
        lines = typed("dead", E=api, WEBHOOK=webhook_id).split("SECRET=")[0]
        assert first in lines and lines.strip().endswith("1")
        assert ast.literal_eval(receiver.stdout.readline())["explanation_task_id"] == first
        second, _ = watched.explained(blocks(first=1))
        assert ast.literal_eval(receiver.stdout.readline())["explanation_task_id"] == second
        forged = {"webhook-id": "msg_1", "webhook-timestamp": str(int(time.time())), "webhook-signature": "v1,AAAA"}
        assert requests.post(receiver_url, json={"data": {}}, headers=forged, timeout=10).status_code == 401
    finally:
        receiver.kill()
        receiver.wait(10)
