# SPDX-License-Identifier: Apache-2.0
"""Starting and ending the real programs. A program tells on stdout when it is ready, and where it listens."""
import atexit
import json
import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path

from support.paths import MODEL_SERVER, program

READY_SECONDS = 60
EXIT_SECONDS = 60
SANITIZER = re.compile(r"(AddressSanitizer|LeakSanitizer|ThreadSanitizer|UndefinedBehaviorSanitizer|runtime error:)")

# EXPLAIND_VALGRIND=1: the daemon runs under valgrind, whose findings are lines that are no JSON, and an exit code.
VALGRIND = (["valgrind", "-q", "--error-exitcode=99", "--leak-check=full", "--errors-for-leak-kinds=definite"]
            if os.environ.get("EXPLAIND_VALGRIND") == "1" else [])


class Program:
    """A child process with a ready line on stdout and a log on stderr."""

    def __init__(self, command: list, ready: str, log: Path):
        self.log = log
        self.stdout_lines: list[str] = []
        environment = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
        environment.setdefault("UBSAN_OPTIONS", "print_stacktrace=1")
        with open(log, "ab") as stderr:
            self.process = subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE, stderr=stderr,
                                            text=True, env=environment)
        atexit.register(self.kill)      # when whoever started it ends without stopping it
        self._ready = threading.Event()
        self._pattern = re.compile("^" + re.escape(ready) + r" (https?://\S+)$")
        self.url = None
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        if not self._ready.wait(READY_SECONDS) or self.url is None:
            self.kill()
            raise RuntimeError(f"{command[0]} did not become ready:\n{self.stderr()[-4000:]}")

    def _read(self):
        for line in self.process.stdout:
            self.stdout_lines.append(line.rstrip("\n"))
            found = self._pattern.match(line.rstrip("\n"))
            if found:
                self.url = found[1]
                self._ready.set()
        self._ready.set()

    def stderr(self) -> str:
        return self.log.read_text(errors="replace")

    def kill(self):
        """As a crash would end it."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(EXIT_SECONDS)

    def stop(self) -> int:
        """Asks it to end; the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(EXIT_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise AssertionError(f"still running {EXIT_SECONDS} s after SIGTERM") from None


class Daemon(Program):
    """explaind itself, on a port of its own choice. `stop` checks how it ended and what it logged."""

    def __init__(self, directory: Path, users=False, listen="http://127.0.0.1:0", **settings):
        self.directory, self.data = directory, directory / "data"
        command = [*VALGRIND, program("explaind"), "serve", "--listen", listen, "--data", self.data]
        command += [] if users else ["--no-auth"]
        # explanations of a model that fails end at once, unless the test is about trying again
        for key, value in {"explain__retries": 0, **settings}.items():
            command += ["--set", f"{key.replace('__', '.')}={value}"]
        super().__init__(command, "explaind listening on", directory / "stderr.log")

    @property
    def port(self) -> int:
        return int(self.url.rsplit(":", 1)[1])

    def stop(self) -> int:
        code = super().stop()
        self.check_log()
        assert code == 0, f"exit code {code} after SIGTERM:\n{self.stderr()[-4000:]}"
        return code

    def check_log(self, killed=False):
        """`killed`: in the middle of a line, perhaps."""
        log = self.stderr()
        if killed:
            log = log[:log.rfind("\n") + 1]
        found = SANITIZER.search(log)
        assert not found, log[max(0, found.start() - 200):found.start() + 6000]
        for line in log.splitlines():
            try:
                entry = json.loads(line)
            except ValueError:
                raise AssertionError(f"not a line of JSON on stderr: {line!r}") from None
            assert {"time", "level", "event"} <= set(entry), line


class StubModel(Program):
    """The test model in C: fast, additive, counts what it was asked."""

    def __init__(self, directory: Path, mode: str | None = None, *options):
        command = [program("stub_model"), "--port", "0"] + (["--mode", mode] if mode else []) + list(options)
        super().__init__(command, "stub_model listening on", directory / "stub_model.log")


class ModelServer(Program):
    """The example model server, with a real ONNX model."""

    def __init__(self, directory: Path, model: Path, *options):
        command = [sys.executable, MODEL_SERVER, "--model", model, "--port", "0", *options]
        super().__init__(command, "model server listening on", directory / "model_server.log")
