# SPDX-License-Identifier: Apache-2.0
"""explaind user and explaind token: beside a running daemon, and on a data directory without one."""
import socket
import stat
import subprocess

import pytest
import requests
from support.client import Client
from support.paths import program
from support.processes import Daemon
from support.users import ZERO, Users, basic, claims_of

USAGE = 64  # EX_USAGE of sysexits.h


class Commands:
    def __init__(self, data):
        self.data = data

    def run(self, *words, typed="", code=0) -> str:
        done = subprocess.run([program("explaind"), *words, "--data", self.data], input=typed, capture_output=True,
                              text=True, timeout=60)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout if code == 0 else done.stderr

    def users(self) -> list[list[str]]:
        return [line.split("\t")[:3] for line in self.run("user", "list").splitlines()]


@pytest.fixture(params=["beside a daemon", "without a daemon"])
def commands(request, tmp_path, start_daemon):
    if request.param == "beside a daemon":
        start_daemon(users=True)
    return Commands(tmp_path / "data")


def test_users_are_made_listed_changed_and_removed(commands):
    first = commands.users()
    commands.run("user", "add", "ann", typed="her first password\n")
    instance = "11111111-2222-3333-4444-555555555555"
    commands.run("user", "add", "bob", "--role", "admin", "--data-mart", instance, typed="his password\n")
    assert commands.users() == sorted([*first, ["ann", "viewer", ZERO], ["bob", "admin", instance]])
    commands.run("user", "role", "ann", "editor")
    assert ["ann", "editor", ZERO] in commands.users()
    commands.run("user", "passwd", "ann", typed="her second password\n")
    commands.run("user", "logout", "ann")
    commands.run("user", "remove", "bob")
    commands.run("user", "remove", "ann")
    assert commands.users() == first


def test_api_keys_are_made_listed_and_removed(commands):
    commands.run("user", "add", "ann", typed="her first password\n")
    key = commands.run("user", "key", "add", "ann").strip()
    assert len(key) == 43
    [line] = commands.run("user", "key", "list", "ann").splitlines()
    assert key not in line
    commands.run("user", "key", "remove", "ann", line.split("\t")[0])
    assert commands.run("user", "key", "list", "ann") == ""


def test_a_key_that_nobody_saw_is_no_success(commands):
    commands.run("user", "add", "ann", typed="her first password\n")
    with open("/dev/full", "w") as full:
        done = subprocess.run([program("explaind"), "user", "key", "add", "ann", "--data", commands.data], stdout=full, timeout=60)
    assert done.returncode == 74


def test_tokens_are_revoked_and_listed(commands):
    commands.run("token", "revoke", "some-id")
    [line] = commands.run("token", "list").splitlines()
    assert line.startswith("some-id\t")


@pytest.mark.parametrize("words, typed, told", [
    (["user", "add", "a b"], "long enough\n", "name"),
    (["user", "add", "ann"], "short\n", "password"),
    (["user", "add", "ann"], "", "password"),
    (["user", "add", "ann", "--role", "boss"], "long enough\n", "boss"),
    (["user", "add", "ann", "--data-mart", "mine"], "long enough\n", "data_mart_id"),
    (["user", "remove", "no/body?x=1"], "", "no/body?x=1"),
    (["user", "role", "nobody", "viewer"], "", "nobody"),
    (["user", "key", "add", "nobody"], "", "nobody"),
    (["token", "revoke", "a.b.c"], "", "token"),
])
def test_what_cannot_be_done_is_told(commands, words, typed, told):
    assert told in commands.run(*words, typed=typed, code=65)


@pytest.mark.parametrize("words", [["user"], ["user", "dance"], ["user", "add"], ["user", "add", "a", "b"],
                                   ["token", "list", "x"], ["user", "key", "add", "a", "b", "c"]])
def test_a_wrong_command_is_a_usage_error(tmp_path, words):
    assert "usage" in Commands(tmp_path / "data").run(*words, code=USAGE).lower()


def test_what_was_made_without_a_daemon_is_there_when_it_starts(tmp_path, start_daemon):
    commands = Commands(tmp_path / "data")
    commands.run("user", "add", "ann", "--role", "admin", typed="her password\n")
    key = commands.run("user", "key", "add", "ann").strip()
    daemon = start_daemon(users=True)
    Client(daemon.url, ZERO, basic("ann", "her password")).get("/v2/users")
    Client(daemon.url, ZERO, basic("ann", key, "ZenApiKey")).get("/v2/users")
    assert not (daemon.data / "admin-password").exists(), "there are users already"


def test_commands_beside_a_daemon_act_on_it(start_daemon):
    users = Users(start_daemon(users=True))
    commands = Commands(users.daemon.data)
    commands.run("user", "add", "ann", typed="her password\n")
    client = Client(users.daemon.url, ZERO, f"Bearer {users.token('ann', 'her password')}")
    client.get("/v2/limits")
    commands.run("token", "revoke", client.session.headers["Authorization"].split()[1])
    client.refused("GET", "/v2/limits", 401)
    token = users.token("ann", "her password")
    commands.run("token", "revoke", claims_of(token)["jti"])
    Client(users.daemon.url, ZERO, f"Bearer {token}").refused("GET", "/v2/limits", 401)
    assert users.operator.get("/v2/users/ann")["metadata"]["created_by"] == "(local)"
    assert "last" in commands.run("user", "remove", "admin", code=65)


def test_a_password_is_never_an_argument(tmp_path):
    help_text = subprocess.run([program("explaind"), "--help"], capture_output=True, text=True, timeout=30).stdout
    assert "password" not in help_text.lower()
    Commands(tmp_path / "data").run("user", "add", "ann", "her password", code=USAGE)


def test_the_local_socket_is_for_the_owner_only_and_goes_with_the_daemon(start_daemon):
    daemon = start_daemon(users=True)
    path = daemon.data / "explaind.sock"
    mode = path.stat().st_mode
    assert stat.S_ISSOCK(mode) and stat.S_IMODE(mode) == 0o600
    daemon.stop()
    assert not path.exists()
    daemon = start_daemon(users=True)
    daemon.kill()
    assert path.exists()
    Commands(daemon.data).run("user", "list")  # the lock is free: no daemon is asked
    start_daemon(users=True)
    Commands(daemon.data).run("user", "list")


def test_a_daemon_without_users_takes_commands_through_the_socket_only(start_daemon):
    daemon = start_daemon()
    commands = Commands(daemon.data)
    commands.run("user", "add", "ann", typed="her password\n")
    assert commands.users() == [["ann", "viewer", ZERO]]
    assert requests.get(f"{daemon.url}/v2/users", timeout=10).status_code == 403


def test_a_data_directory_may_have_a_longer_path_than_a_socket(tmp_path):
    deep = tmp_path / ("d" * 120)
    deep.mkdir()
    daemon = Daemon(deep, users=True)
    try:
        with pytest.raises(OSError, match="too long"), socket.socket(socket.AF_UNIX) as plain:
            plain.connect(str(daemon.data / "explaind.sock"))
        assert Commands(daemon.data).users() == [["admin", "admin", ZERO]]
    finally:
        daemon.stop()
