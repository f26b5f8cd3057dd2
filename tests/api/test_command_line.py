# SPDX-License-Identifier: Apache-2.0
"""The command line: what is wrong with a configuration is told before anything is served."""
import os
import subprocess

import pytest
from support.client import Client
from support.paths import program
from support.processes import Daemon
from support.users import Users

USAGE = 64  # as in sysexits.h
BAD_CONFIGURATION = 78


def explaind(*words, directory=None) -> subprocess.CompletedProcess:
    return subprocess.run([program("explaind"), *words], capture_output=True, text=True, timeout=30, cwd=directory)


def check(tmp_path, *words) -> subprocess.CompletedProcess:
    return explaind("serve", "--check", "--no-auth", "--data", tmp_path / "data", *words)


def test_a_good_configuration_passes_the_check(tmp_path):
    done = check(tmp_path, "--set", "explain.workers=2")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("words, told", [
    (["--set", "nonsense.key=1"], "nonsense.key"),
    (["--set", "explain.workers"], "key=value"),
    (["--set", "explain.workers=many"], "explain.workers"),
    (["--set", "explain.workers=0"], "1 to 64"),
    (["--set", "limits.profile=strict"], "openscale"),
    (["--config", "/nowhere/explaind.conf"], "/nowhere/explaind.conf"),
    (["--listen", "127.0.0.1"], "127.0.0.1"),
    (["--listen", "http://0.0.0.0:8080"], "loopback"),
])
def test_a_wrong_configuration_is_refused_in_words(tmp_path, words, told):
    done = check(tmp_path, *words)
    assert done.returncode != 0
    assert told in done.stderr


def test_the_check_looks_at_certificate_and_key(tmp_path):
    pairs = []
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        daemon = Daemon(tmp_path / name)
        daemon.stop()
        pairs.append([daemon.data / "tls-cert.pem", daemon.data / "tls-key.pem"])
    (certificate, key), (_, other_key) = pairs
    assert key.stat().st_mode & 0o777 == 0o600

    def checked(*words):
        return check(tmp_path, *(part for word in words for part in ("--set", word)))

    assert checked(f"tls.certificate={certificate}", f"tls.key={key}").returncode == 0
    for words, told in (([f"tls.certificate={certificate}"], "tls.key: tls.certificate and tls.key are needed together"),
                        ([f"tls.certificate={certificate}", "tls.key=/nowhere"], "/nowhere"),
                        ([f"tls.certificate={certificate}", f"tls.key={other_key}"], "cannot be used"),
                        ([f"tls.certificate={key}", f"tls.key={key}"], "cannot be used")):
        done = checked(*words)
        assert done.returncode != 0 and told in done.stderr, done.stderr


def test_with_users_any_address_may_be_listened_on(tmp_path):
    done = explaind("serve", "--check", "--data", tmp_path / "data", "--listen", "http://0.0.0.0:8080")
    assert done.returncode == 0, done.stderr


def test_a_daemon_for_other_machines_calls_no_local_addresses_unless_told(start_daemon, model):
    def discovered(expect, **settings):
        users = Users(start_daemon(users=True, listen="http://0.0.0.0:0", **settings))
        provider_id = users.operator.add_provider(model.url)
        answer = users.operator.get("/v2/ml_deployments", expect, service_provider_id=provider_id)
        users.daemon.stop()
        return answer

    assert "scoring.allow" in discovered(502)["errors"][0]["message"]
    assert discovered(200, scoring__allow="127.0.0.1")["count"] == 0


def test_a_file_configures_and_the_command_line_overrules_it(tmp_path, start_daemon):
    file = tmp_path / "explaind.conf"
    file.write_text("[limits]\npayload_bytes = 5000\nbody_bytes = 70000\n")
    shown = explaind("config", "--config", file, "--set", "limits.payload_bytes=6000").stdout
    assert "payload_bytes = 6000" in shown and "body_bytes = 70000" in shown


def test_all_settings_are_listed_with_their_meaning():
    done = explaind("config")
    assert done.returncode == 0
    for line in ("[limits]", "payload_bytes = 1048576", "[explain]", "workers = 4", "[scoring]"):
        assert line in done.stdout


@pytest.mark.parametrize("words", [[], ["dance"], ["serve", "routes"], ["serve", "--unknown"]])
def test_a_wrong_command_is_a_usage_error(words):
    assert explaind(*words).returncode == USAGE


def test_help_and_version_are_there():
    assert "serve" in explaind("--help").stdout
    assert explaind("--version").stdout.startswith("explaind ")


def test_a_data_directory_serves_one_daemon_at_a_time(start_daemon):
    daemon = start_daemon()
    second = explaind("serve", "--no-auth", "--listen", "http://127.0.0.1:0", "--data", daemon.directory / "data")
    assert second.returncode != 0
    Client(daemon.url).get("/v2/limits")


def test_keys_and_data_are_for_the_owner_only(start_daemon):
    data = start_daemon().directory / "data"
    assert os.stat(data).st_mode & 0o077 == 0
    keys = [path for path in data.rglob("*key*") if path.is_file()]
    assert keys and all(os.stat(key).st_mode & 0o077 == 0 for key in keys)


@pytest.mark.parametrize("line, told", [
    ("allow = 10.0.0.1," + " " * 200 + "127.0.0.1", "line 2: is longer than"),
    ("  allow = 10.0.0.1", "line 2: begins with a blank"),
    ("allow\nallow_nothing = 1", "line 2: not"),
    ("[limits\nbody_bytes = 1", "line 2: not"),
])
def test_a_line_that_would_be_read_by_half_is_refused(tmp_path, line, told):
    file = tmp_path / "explaind.conf"
    file.write_text(f"[scoring]\n{line}\n")
    done = explaind("config", "--config", file)
    assert done.returncode != 0 and told in done.stderr


@pytest.mark.parametrize("settings, told", [
    (["limits.bodies_total=2097152"], "limits.bodies_total: 2097152 has no room for one body: it must be "
     "more than the 16777216 bytes that limits.records_body_bytes"),
    (["limits.bodies_total=16777216"], "more than the 16777216 bytes"),
    (["limits.bodies_total=2097152", "limits.records_body_bytes=2097151", "limits.tasks_body_bytes=2097152"], "2097152 has"),
    (["cors.origins=dashboard.example"], 'cors.origins: "dashboard.example" is no origin'),
    (["cors.origins=https://a.example, https://b.example/"], '"https://b.example/"'),
    (["cors.origins=https://A.example"], '"https://A.example"'), (["cors.origins=https://*.example"], "no origin"),
    (["cors.origins=https://b\u00fccher.example"], "no origin"),
    (["cors.origins=https://a.example:443"], "own port"), (["cors.origins=http://"], '"http://"'),
    (["scoring.allow=10.0.0.0/33"], '"10.0.0.0/33"'), (["scoring.allow=model:99999"], '"model:99999"'),
    (["scoring.allow=*.example"], '"*.example"')])
def test_settings_that_would_never_do_what_they_say_are_refused_at_the_start(tmp_path, settings, told):
    done = check(tmp_path, *[word for setting in settings for word in ("--set", setting)])
    assert done.returncode == BAD_CONFIGURATION and told in done.stderr


@pytest.mark.parametrize("setting", ["cors.origins=*", "cors.origins=null, https://a.example:8443,http://[::1]:3000",
                                     "cors.origins=http://localhost:5173", "scoring.allow=10.0.0.0/8 [::1]:80,model:8500"])
def test_settings_as_they_are_meant_are_good(tmp_path, setting):
    assert check(tmp_path, "--set", setting).returncode == 0


@pytest.mark.parametrize("command", ["config", "routes"])
def test_what_cannot_be_printed_is_no_success(command):
    with open("/dev/full", "w") as full:
        done = subprocess.run([program("explaind"), command], stdout=full, stderr=subprocess.PIPE, text=True, timeout=30)
    assert done.returncode == 74 and "could be written" in done.stderr


def test_what_cannot_be_read_is_no_good_configuration(tmp_path):
    done = check(tmp_path, "--config", tmp_path)
    assert done.returncode == BAD_CONFIGURATION and "directory" in done.stderr


def test_a_file_begins_with_a_section(tmp_path):
    file = tmp_path / "explaind.conf"
    file.write_text("\ufeff# limits\n\nbody_bytes = 70000\n")
    done = check(tmp_path, "--config", file)
    assert done.returncode == BAD_CONFIGURATION and "line 3: body_bytes: stands before any [section]" in done.stderr
    file.write_text("\ufeff[limits]\r\n; more\r\nbody_bytes: 70000\r\n\r\n")
    assert check(tmp_path, "--config", file).returncode == 0
