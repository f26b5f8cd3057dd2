# SPDX-License-Identifier: Apache-2.0
"""
Black-box tests: the real daemon over HTTP.

Every answer that any test (or IBM's SDK inside one) gets from a daemon is held against openapi.yaml: an unknown status,
a body that does not fit its schema or a wrong media type fails the test that got it, and an operation that no test
exercised fails a complete run.
"""
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests.adapters

from support.client import Client, Watched
from support.contract import Contract
from support.model import ModelInTest
from support.processes import Daemon, StubModel
from support.users import Users

TESTS = Path(__file__).parent
daemons: dict[str, Daemon] = {}  # by address; a port may be another program's after its daemon ended


# ---- the contract watches ----

def is_of_a_daemon(url) -> bool:
    daemon = daemons.get(urlsplit(url).netloc)
    return daemon is not None and daemon.process.poll() is None


def judged_send(send):
    def wrapper(self, request, **arguments):
        response = send(self, request, **arguments)
        if is_of_a_daemon(request.url):
            response.content  # noqa: B018 - read the body now, whoever asks for it later
            Contract.load().judge(response)
        return response

    return wrapper


@pytest.fixture(scope="session", autouse=True)
def contract():
    original = requests.adapters.HTTPAdapter.send
    requests.adapters.HTTPAdapter.send = judged_send(original)
    yield Contract.load()
    requests.adapters.HTTPAdapter.send = original


@pytest.fixture(autouse=True)
def answers_keep_the_contract(contract):
    contract.violations.clear()
    yield
    if contract.violations:
        pytest.fail("answers outside openapi.yaml:\n" + "\n".join(dict.fromkeys(contract.violations)), pytrace=False)


@pytest.fixture
def complete_run(request) -> bool:
    """Whether all black-box tests run: only then can an operation be called forgotten."""
    config, session = request.config, request.session
    narrowed = config.option.keyword or config.option.markexpr or any("::" in argument for argument in config.args)
    return not narrowed and set((TESTS / "api").glob("test_*.py")) <= {Path(item.path) for item in session.items}


def pytest_collection_modifyitems(items):
    """What looks back at the whole run goes last."""
    items.sort(key=lambda item: item.get_closest_marker("last") is not None)


def pytest_configure(config):
    config.addinivalue_line("markers", "last: runs after all others")


# ---- programs ----

def judged_daemon(directory, **settings) -> Daemon:
    daemon = Daemon(directory, **settings)
    daemons[urlsplit(daemon.url).netloc] = daemon
    return daemon


@pytest.fixture
def start_daemon(tmp_path):
    """Starts daemons with settings of their own; they take over where one of the same test ended."""
    started = []

    def start(**settings) -> Daemon:
        started.append(judged_daemon(tmp_path, **settings))
        return started[-1]

    yield start
    for daemon in started:
        if daemon.process.poll() is None:
            daemon.stop()


@pytest.fixture(scope="session")
def shared():
    """Holds the daemon that most tests share."""
    holder = {}
    yield holder
    if "daemon" in holder:
        holder["daemon"].stop()


@pytest.fixture
def daemon(shared, tmp_path_factory):
    """The daemon that most tests share, each with its own data mart. A test that makes it die fails."""
    if "daemon" not in shared:
        shared["daemon"] = judged_daemon(tmp_path_factory.mktemp("daemon"))
    yield shared["daemon"]
    code = shared["daemon"].process.poll()
    if code is not None:
        pytest.fail(f"the daemon died with {code}:\n{shared.pop('daemon').stderr()[-6000:]}", pytrace=False)


@pytest.fixture(scope="module")
def module_daemon(request, tmp_path_factory):
    """A daemon of one test file, with the file's DAEMON_SETTINGS."""
    settings = getattr(request.module, "DAEMON_SETTINGS", {})
    daemon = judged_daemon(tmp_path_factory.mktemp("module_daemon"), **settings)
    yield daemon
    daemon.stop()


@pytest.fixture(scope="module")
def users(tmp_path_factory):
    """The operator of a daemon with users; one a test file."""
    daemon = judged_daemon(tmp_path_factory.mktemp("users"), users=True, http__stream_timeout_ms=500)
    yield Users(daemon)
    daemon.stop()


@pytest.fixture(scope="session")
def stub_model(tmp_path_factory):
    """The fast model that most tests share."""
    model = StubModel(tmp_path_factory.mktemp("stub_model"), "linear")
    yield model
    model.stop()


@pytest.fixture
def model():
    """A model under the test's own control."""
    model = ModelInTest()
    yield model
    model.stop()


@pytest.fixture(scope="module")
def module_model():
    """The same for all tests of a file."""
    model = ModelInTest()
    yield model
    model.stop()


@pytest.fixture
def api(daemon):
    return Client(daemon.url)


@pytest.fixture
def watched(api, stub_model):
    """A subscription of the shared model, explanations enabled."""
    return Watched(api, stub_model)


@pytest.fixture
def own(start_daemon, stub_model):
    """A subscription on a daemon of the test's own."""
    daemon = start_daemon()
    watched = Watched(Client(daemon.url), stub_model)
    watched.daemon = daemon
    return watched
