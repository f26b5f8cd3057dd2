# SPDX-License-Identifier: Apache-2.0
"""wrk as a function: what it counted, in numbers."""
import os
import re
import subprocess
from pathlib import Path

BENCH = Path(__file__).parent
UNITS = {"us": 1e-3, "ms": 1, "s": 1000, "m": 60000}


class Load:
    """requests a second, median and 99th percentile in ms, how many were answered, how many of them not with 2xx."""

    def __init__(self, text):
        self.rate = float(re.search(r"Requests/sec:\s+([\d.]+)", text)[1])
        self.p50_ms, self.p99_ms = (self._percentile(text, percent) for percent in (50, 99))
        self.answered = int(re.search(r"(\d+) requests in", text)[1])
        bad = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
        self.refused = int(bad[1]) if bad else 0
        errors = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", text)
        self.errors = sum(map(int, errors.groups())) if errors else 0
        self.which = f"({errors[0]})" if errors else ""

    @staticmethod
    def _percentile(text, percent):
        number, unit = re.search(rf"{percent}%\s+([\d.]+)(us|ms|s|m)", text).groups()
        return float(number) * UNITS[unit]

    @property
    def accepted(self):
        return self.answered - self.refused

    def check(self, may_refuse=False):
        if self.errors or (self.refused and not may_refuse):
            raise SystemExit(f"bench: {self.refused} requests were refused, {self.errors} failed {self.which}; "
                             "no figure from that")
        return self


def run(url, connections, seconds, script=None, headers=(), **environment):
    command = ["wrk", "--latency", "-t", "1" if connections < 16 else "2", "-c", str(connections), "-d", f"{seconds}s"]
    for header in headers:
        command += ["-H", header]
    if script:
        command += ["-s", str(BENCH / script)]
    done = subprocess.run([*command, url], capture_output=True, text=True, env={**os.environ, **environment})
    if done.returncode:
        raise SystemExit(f"bench: wrk failed: {done.stdout}{done.stderr}")
    return Load(done.stdout)
