# SPDX-License-Identifier: Apache-2.0
"""What is installed: the systemd unit, the Debian package, the files for containers."""
import ast
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from support import syscalls
from support.paths import ROOT, build_dir, program

UNIT = ROOT / "packaging" / "explaind.service"
EXPOSURE = 20  # tenths; systemd calls everything up to 2.9 "OK"


def run(*words, **more) -> subprocess.CompletedProcess:
    return subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=120, **more)


def needs(*tools):
    for tool in tools:
        if not shutil.which(tool):
            pytest.skip(f"{tool} is not installed")


# ---- systemd ----

def test_systemd_understands_the_unit(tmp_path):
    needs("systemd-analyze")
    unit = tmp_path / UNIT.name
    unit.write_text(UNIT.read_text().replace("/usr/bin/explaind", str(program("explaind"))))
    done = run("systemd-analyze", "verify", unit)
    assert done.returncode == 0 and not [line for line in done.stderr.splitlines() if UNIT.name in line], done.stderr


def test_the_unit_is_well_sandboxed():
    needs("systemd-analyze")
    done = run("systemd-analyze", "security", "--offline=true", f"--threshold={EXPOSURE}", "--no-pager", UNIT)
    assert done.returncode == 0, done.stdout[-300:]


def test_pictures_are_decoded_under_the_unit_s_own_filter_of_calls():
    """Filters are stacked: what the process for pictures asks of the kernel must get through the service's."""
    needs("systemd-analyze")
    ours, its = socket.socketpair()
    process = subprocess.Popen([program("explaind"), "decode-helper"], stdin=its, stdout=its, env={},
                               preexec_fn=syscalls.only(syscalls.of_unit(UNIT)))
    its.close()
    ours.settimeout(60)
    refused = int.from_bytes(ours.recv(24, socket.MSG_WAITALL)[:4], sys.byteorder)
    status = Path(f"/proc/{process.pid}/status").read_text()
    ours.close()
    assert refused == 0, "it said why it cannot be started"
    assert re.search(r"^Seccomp_filters:\s+2$", status, re.M), status
    assert process.wait(60) == 0


# ---- the Debian package ----

@pytest.fixture(scope="module")
def package(tmp_path_factory):
    needs("cpack", "dpkg-deb", "dpkg-shlibdeps", "file")
    folder = tmp_path_factory.mktemp("package")
    done = run("cpack", "-G", "DEB", "-B", folder, "--config", build_dir() / "CPackConfig.cmake", cwd=build_dir())
    assert done.returncode == 0, done.stdout + done.stderr
    [file] = folder.glob("*.deb")
    return file


def field(package, name) -> str:
    return run("dpkg-deb", "--field", package, name).stdout.strip()


def test_the_package_has_program_unit_configuration_and_texts(package):
    files = {line.split()[-1].removeprefix(".") for line in run("dpkg-deb", "--contents", package).stdout.splitlines()}
    assert {"/usr/bin/explaind", "/lib/systemd/system/explaind.service", "/etc/explaind/explaind.conf",
            "/etc/default/explaind", "/usr/share/doc/explaind/operations.md", "/usr/share/doc/explaind/copyright",
            "/usr/share/doc/explaind/openapi.yaml"} <= files
    assert not [name for name in files if name.startswith("/usr/local")]


def test_the_package_depends_on_every_library_of_the_program(package):
    depends = field(package, "Depends")
    for library in ("libc6", "libmicrohttpd12", "libsqlite3-0", "libcurl4", "libgnutls30", "libjansson4",
                    "libsodium23", "libzstd1", "libinih1", "adduser"):
        assert re.search(rf"(^|, ){library}( |,|$)", depends), f"{library} is not in {depends}"


def test_what_an_administrator_edits_is_kept_on_upgrade(package, tmp_path):
    assert run("dpkg-deb", "--control", package, tmp_path).returncode == 0
    assert (tmp_path / "conffiles").read_text().split() == ["/etc/default/explaind", "/etc/explaind/explaind.conf"]
    for script in ("postinst", "prerm", "postrm"):
        assert run("sh", "-n", tmp_path / script).returncode == 0
        assert (tmp_path / script).stat().st_mode & 0o111


def test_the_version_of_the_package_is_that_of_the_program(package):
    assert run(program("explaind"), "--version").stdout.split()[-1] == field(package, "Version")


def test_the_example_configuration_names_every_setting_and_changes_none(tmp_path):
    example = (build_dir() / "packaging" / "explaind.conf").read_text()
    defaults = run(program("explaind"), "config").stdout
    used = tmp_path / "explaind.conf"
    used.write_text(example)
    assert run(program("explaind"), "config", "--config", used).stdout == defaults
    assert not [line for line in example.splitlines() if line and line[0] not in ";["]
    used.write_text(re.sub(r"^;([a-z_]+ = )", r"\1", example, flags=re.M))
    assert run(program("explaind"), "config", "--config", used).stdout == defaults
    assert len(re.findall(r"^;[a-z_]+ = ", example, re.M)) == len(re.findall(r"^[a-z_]+ = ", defaults, re.M))


# ---- containers ----

def test_compose_runs_the_images_of_this_repository_with_nothing_to_spare():
    compose = yaml.safe_load((ROOT / "docker" / "compose.yaml").read_text())
    for service in compose["services"].values():
        assert (ROOT / service["build"]["dockerfile"]).is_file()
        assert service["read_only"] and service["cap_drop"] == ["ALL"]
    daemon = compose["services"]["explaind"]
    assert daemon["ports"] == ["127.0.0.1:8080:8080"]
    [data] = daemon["volumes"]
    assert data.split(":")[1] in daemon["command"], "the volume is where the data is"
    settings = [word for before, word in zip(daemon["command"], daemon["command"][1:]) if before == "--set"]
    assert run(program("explaind"), "config", *(w for s in settings for w in ("--set", s))).returncode == 0


@pytest.mark.parametrize("file", ["Dockerfile", "model.Dockerfile"])
def test_images_do_not_run_as_root_and_say_how_they_are(file):
    text = (ROOT / "docker" / file).read_text()
    last = text[text.rindex("FROM "):]
    assert re.search(r"^USER 10001:10001$", last, re.M) and "HEALTHCHECK" in last


def test_the_image_of_the_model_server_has_what_it_imports():
    tree = ast.parse((ROOT / "examples" / "model-server" / "server.py").read_text())
    imports = [node for node in ast.walk(tree) if isinstance(node, (ast.Import, ast.ImportFrom))]
    modules = {a.name for node in imports if isinstance(node, ast.Import) for a in node.names}
    modules |= {node.module for node in imports if isinstance(node, ast.ImportFrom)}
    needed = {{"PIL": "pillow"}.get(name, name) for name in {m.split(".")[0] for m in modules} - sys.stdlib_module_names}
    text = (ROOT / "docker" / "model.Dockerfile").read_text()
    [installed] = re.findall(r"/opt/model-server/bin/pip install .* -c requirements.txt (.*)", text)
    assert set(installed.split()) == needed
