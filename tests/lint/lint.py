#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the source must look like. Run by scripts/lint and, check by check, by test_lint.py."""
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
C_FOLDERS = ["lib", "db", "api", "server", "tests", "bench"]

# Which layers a layer may include (docs/architecture.md).
LAYERS = {
    "lib/base": {"lib/base"},
    "lib/image": {"lib/base", "lib/image"},
    "lib/explain": {"lib/base", "lib/image", "lib/explain"},
    "lib/scoring": {"lib/base", "lib/image", "lib/scoring"},
    "db": {"lib/base", "db"},
    "api": {"lib/base", "lib/image", "lib/explain", "lib/scoring", "db", "api"},
    "server": {"lib/base", "lib/image", "lib/explain", "lib/scoring", "db", "api", "server"},
}

# Inside of a layer: which folders a folder may include beside itself and the headers at the layer's top.
FOLDERS = {
    "lib/explain/superpixels": (),
    "lib/explain/designs": (),
    "lib/explain/fitting": ("lib/explain/designs",),
    "lib/explain/trust": ("lib/explain/designs", "lib/explain/fitting"),
    "lib/explain/drawing": ("lib/explain/superpixels",),
    "lib/scoring/requests": (),
    "lib/scoring/answers": (),
    "lib/scoring/transport": (),
}

# Headers of libraries that only these layers may know.
OWNERS = {
    "microhttpd.h": ("server",),
    "curl/curl.h": ("lib/scoring", "server"),
    "sqlite3.h": ("db",),
    "libpq-fe.h": ("db",),
    "stb_image.h": ("lib/image",),
    "stb_image_write.h": ("lib/image",),
}

BANNED = ["sprintf", "vsprintf", "strcpy", "strcat", "strncpy", "strncat", "atoi", "atol", "atof", "strtok", "gets",
          "alloca", "rand", "srand", "system", "popen", "tmpnam", "mktemp", "asctime", "ctime", "gmtime", "localtime"]

# What the pure engine must not touch: input and output, clocks, threads.
IMPURE = ["stdio.h", "time.h", "pthread.h", "unistd.h", "fcntl.h", "sys/socket.h", "lib/base/time.h", "lib/base/log.h"]

MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 60


def tracked(*patterns):
    out = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard", *patterns], cwd=ROOT,
                         capture_output=True, text=True, check=True).stdout
    return sorted({ROOT / line for line in out.splitlines() if (ROOT / line).is_file()})


def c_files():
    return [f for f in tracked("*.c", "*.h") if f.relative_to(ROOT).parts[0] in C_FOLDERS]


def without_comments_and_strings(text):
    """The code alone; line breaks stay, so that line numbers do."""
    def blank(match):
        return re.sub(r"[^\n]", " ", match[0])
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', blank, text, flags=re.S)


def layer_of(path):
    parts = path.relative_to(ROOT).parts
    return "/".join(parts[:2]) if parts[0] == "lib" else parts[0]


def includes(path):
    for number, line in enumerate(path.read_text().splitlines(), 1):
        found = re.match(r'\s*#\s*include\s+[<"]([^>"]+)[>"]', line)
        if found:
            yield number, found[1]


def check_layers():
    """An include points upwards, sideways, or to a library that is another layer's."""
    for path in c_files():
        layer = layer_of(path)
        for number, name in includes(path):
            target = "/".join(name.split("/")[:2]) if name.startswith("lib/") else name.split("/")[0]
            where = f"{path.relative_to(ROOT)}:{number}"
            if layer in LAYERS and target in LAYERS and target not in LAYERS[layer]:
                yield f"{where}: {layer} must not include {name}"
            if layer in LAYERS and layer not in OWNERS.get(name, (layer,)):
                yield f"{where}: only {' and '.join(OWNERS[name])} may include {name}"
            folder, other = "/".join(path.relative_to(ROOT).parts[:-1]), name.rpartition("/")[0]
            if folder in FOLDERS and other in FOLDERS and other not in (folder, *FOLDERS[folder]):
                yield f"{where}: {folder} must not include {name}"
            if layer == "lib/explain" and name in IMPURE:
                yield f"{where}: the engine does no I/O and reads no clock: {name}"


def check_banned():
    """A function that is not used here."""
    pattern = re.compile(r"(?<![\w.>])(" + "|".join(BANNED) + r")\s*\(")
    for path in c_files():
        code = without_comments_and_strings(path.read_text())
        for number, line in enumerate(code.splitlines(), 1):
            for found in pattern.finditer(line):
                yield f"{path.relative_to(ROOT)}:{number}: {found[1]} is banned"


def check_format():
    """clang-format would change something."""
    tool = shutil.which("clang-format") or shutil.which("clang-format-14")
    if not tool:
        yield "clang-format is not installed (scripts/setup --tests)"
        return
    files = [str(f.relative_to(ROOT)) for f in c_files()]
    run = subprocess.run([tool, "--dry-run", "--ferror-limit=1", *files], cwd=ROOT, capture_output=True, text=True)
    for line in run.stderr.splitlines():
        if "warning:" in line or "error:" in line:
            yield line


def check_heads():
    """A file without its licence line."""
    for path in tracked("*.c", "*.h", "*.py", "*.sh", "*.cmake", "*.sql", "CMakeLists.txt", "**/CMakeLists.txt", "scripts/*",
                        "docker/*", "packaging/*.service"):
        head = "\n".join(path.read_text(errors="replace").splitlines()[:3])
        if path.stat().st_size and "SPDX-License-Identifier: Apache-2.0" not in head:
            yield f"{path.relative_to(ROOT)}: no SPDX line at the top"


def check_sizes():
    """A file or function that has outgrown a reader."""
    for path in c_files() + tracked("*.py"):
        text = path.read_text()
        lines = text.count("\n")
        if lines > MAX_FILE_LINES:
            yield f"{path.relative_to(ROOT)}: {lines} lines; {MAX_FILE_LINES} at most"
        if path.suffix == ".c":
            yield from long_functions(path, text)


def long_functions(path, text):
    start = None
    for number, line in enumerate(text.splitlines(), 1):
        if line == "{":
            start = number
        elif line == "}" and start:
            if number - start > MAX_FUNCTION_LINES:
                yield f"{path.relative_to(ROOT)}:{start}: a function of {number - start} lines; {MAX_FUNCTION_LINES} at most"
            start = None


def check_symbols():
    """A function that is visible outside of its file without the prefix xpl_."""
    pattern = re.compile(r"^(?!static|typedef|extern|#|}|enum \w+ {|struct \w+ {)[a-z][\w \*]*?\b(\w+)\([^;{]*\)\s*\n{", re.M)
    for path in c_files():
        if path.suffix != ".c" or path.relative_to(ROOT).parts[0] in ("tests", "bench"):
            continue
        for found in pattern.finditer(without_comments_and_strings(path.read_text())):
            if found[1] != "main" and not found[1].startswith("xpl_"):
                yield f"{path.relative_to(ROOT)}: {found[1]} is visible outside and does not start with xpl_"


def check_shell():
    """shellcheck has something to say."""
    if not shutil.which("shellcheck"):
        yield "shellcheck is not installed (scripts/setup --tests)"
        return
    scripts = [f for f in tracked("scripts/*", ".ci/*", "docker/*", "packaging/debian/*", "*.sh")
               if re.match(r"#!.*sh$", f.read_text(errors="replace").split("\n")[0])]
    run = subprocess.run(["shellcheck", "-S", "warning", *map(str, scripts)], cwd=ROOT, capture_output=True, text=True)
    if run.returncode:
        yield from run.stdout.splitlines()


CHECKS = [check_layers, check_banned, check_format, check_heads, check_sizes, check_symbols, check_shell]


def main():
    bad = 0
    for check in CHECKS:
        for problem in check():
            print(problem)
            bad += 1
    print(f"{len(CHECKS)} checks, {bad} problems")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
