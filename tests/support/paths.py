# SPDX-License-Identifier: Apache-2.0
"""Where things are in this repository."""
import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OPENAPI = ROOT / "openapi.yaml"
EXAMPLES = ROOT / "examples"
MODEL_SERVER = EXAMPLES / "model-server" / "server.py"
MODELS = ROOT / ".cache" / "models"


def build_dir() -> Path:
    """$EXPLAIND_BUILD, else the first of the usual build directories that holds the daemon."""
    chosen = os.environ.get("EXPLAIND_BUILD")
    if chosen:
        return Path(chosen).resolve()
    for name in ("asan", "debug", "release"):
        if (ROOT / "build" / name / "explaind").exists():
            return ROOT / "build" / name
    return ROOT / "build" / "release"


def program(name: str) -> Path:
    path = build_dir() / name
    if not path.exists():
        raise FileNotFoundError(f"{path} is missing: build it first, or name the build directory in EXPLAIND_BUILD")
    return path


def sanitizer() -> str | None:
    """What the daemon was built with: address, thread, or neither."""
    text = program("explaind").read_bytes()
    return next((name for name in ("address", "thread") if f"__{name[0]}san_init".encode() in text), None)
