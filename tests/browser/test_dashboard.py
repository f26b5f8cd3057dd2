# SPDX-License-Identifier: Apache-2.0
"""examples/dashboard in a real browser: a page of another origin, with a login, calling the daemon by CORS.

Needs `scripts/setup --browser`, which --full brings.
"""
import functools
import itertools
import re
import shutil
import threading
import uuid
from http.server import SimpleHTTPRequestHandler

import pytest
from conftest import judged_daemon
from support.client import BLACK, Watched, wait_for
from support.images import blocks
from support.local_server import LocalServer
from support.model import binary
from support.paths import EXAMPLES
from support.users import Users

webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is missing; scripts/setup --tests brings it")
CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
pytestmark = pytest.mark.skipif(not (CHROMIUM and DRIVER),
                                reason="chromium and chromedriver are missing; scripts/setup --browser brings them")
SECONDS = 60
ZONES = 8
GRID = {"image": {**BLACK["image"], "segmentation": {"algorithm": "grid", "rows": 2, "columns": ZONES // 2}}}
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-dev-shm-usage", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync", "--window-size=1280,1000")


class Files(SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass


@pytest.fixture(scope="module")
def pages():
    server = LocalServer(functools.partial(Files, directory=EXAMPLES / "dashboard"))
    yield server.url
    server.stop()


@pytest.fixture(scope="module")
def chromium(tmp_path_factory):
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('chromium')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options, webdriver.ChromeService(DRIVER))
    yield driver
    driver.quit()


class Page:
    def __init__(self, driver, url, daemon_url):
        self.driver, self.daemon_url = driver, daemon_url
        driver.get(url)
        driver.get_log("browser")  # those of the page before

    def find(self, selector):
        return self.driver.find_elements("css selector", selector)

    def until(self, condition, message=""):
        from selenium.common.exceptions import StaleElementReferenceException, TimeoutException
        from selenium.webdriver.support.ui import WebDriverWait
        wait = WebDriverWait(self.driver, SECONDS, 0.02, [StaleElementReferenceException])
        try:
            return wait.until(lambda _: condition())
        except TimeoutException:
            raise AssertionError(f"{message}\n{self.driver.find_element('tag name', 'body').text}") from None

    def shows(self, selector, pattern) -> re.Match:
        """Waits for a text."""
        return self.until(lambda: next((found for e in self.find(selector) if (found := re.search(pattern, e.text))), None),
                          f"{selector} does not show {pattern}")

    def click(self, selector):
        self.until(lambda: self.find(selector))[0].click()

    def log_in(self, name, secret, kind="password"):
        self.click(f"#kind [value={kind}]")
        for field, value in (("address", self.daemon_url), ("user", name), ("secret", secret)):
            [element] = self.find(f"#{field}")
            element.clear()
            element.send_keys(value)
        self.click("#login button")

    def widths(self, selector) -> list[int]:
        """Of pictures that were decoded."""
        return self.driver.execute_script(
            "return [...document.querySelectorAll(arguments[0])].map(i => i.complete && i.naturalWidth)", selector)

    def complaints(self) -> list[str]:
        return [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")]


class Dashboard:
    """A data mart of its own, somebody who may log in there, and an application that logs to it."""

    def __init__(self, users, model):
        self.users, instance = users, str(uuid.uuid4())
        self.name, self.password = users.add("editor", instance)
        self.watched = Watched(users.client("editor", instance), model, parameters=GRID)


@pytest.fixture(scope="module")
def users(tmp_path_factory, pages):
    """The operator of a daemon that lets the page call."""
    daemon = judged_daemon(tmp_path_factory.mktemp("users"), users=True, cors__origins=pages)
    yield Users(daemon)
    daemon.stop()


@pytest.fixture
def dashboard(users, model):
    return Dashboard(users, model)


@pytest.fixture
def page(users, chromium, pages):
    return Page(chromium, pages, users.daemon.url)


def some_then_wait(count, gate):
    """A model that answers so many images at once and the others later."""
    seen = itertools.count()

    def probabilities(image):
        if next(seen) >= count:
            gate.wait(SECONDS)
        return binary(image)

    return probabilities


def test_a_page_of_another_origin_asks_follows_and_shows(dashboard, page, model):
    dashboard.watched.log(blocks(48, 48), scoring_id="visit7")
    gate = threading.Event()
    model.probabilities = some_then_wait(40, gate)
    page.log_in(dashboard.name, dashboard.password)
    page.shows(".row b", "^visit7-1$")
    page.until(lambda: page.driver.execute_script("return document.querySelector('.row canvas')?.width") == 48)
    page.click(".row")
    page.click("#ask")
    done, total = map(int, page.shows("#phase", r"asking the model: (\d+) of (\d+) variations").groups())
    assert done < total
    page.shows(".row .state", "in progress")
    gate.set()
    page.shows("#verdict", "How far to trust it: (high|medium|low)")
    page.shows("figure:nth-child(2) figcaption", "^blue speaks for it, orange against it$")
    page.shows(".row .state", "explained")
    assert page.until(lambda: (w := page.widths("figure img")) and all(w) and w) == [48, 288, 48, 48]
    assert len(page.find(".zones .bar")) == ZONES
    page.click(".tabs button[aria-pressed=false]")
    page.until(lambda: [b.get_attribute("aria-pressed") for b in page.find(".tabs button")] == ["false", "true"])
    assert page.complaints() == []


def test_a_heat_map_without_colours_says_why(dashboard, page, model):
    dashboard.watched.log(blocks(48, 48))
    model.probabilities = lambda image: [0.3, 0.7]
    page.log_in(dashboard.name, dashboard.password)
    page.click(".row")
    page.click("#ask")
    page.shows("figure:nth-child(2) figcaption", "^no zone is surely for or against it$")
    assert page.complaints() == []


def test_an_explanation_that_fails_is_shown_as_such(dashboard, page, model):
    dashboard.watched.log(blocks())
    model.broken = lambda images: (400, b'{"message": "no such model"}')
    page.log_in(dashboard.name, dashboard.users.key(dashboard.name), "api_key")
    page.click(".row")
    page.click("#ask")
    page.shows("[role=alert]", r"(?s)The explanation failed.*400.*\(AI[A-Z]{3}\d{4}E\)")
    page.shows(".row .state", "failed")
    assert page.complaints() == []
    model.broken = None
    page.click("#ask")
    page.shows("#verdict", "How far to trust it")


def test_what_others_ask_for_is_seen_although_streams_are_cut(start_daemon, model, chromium, pages):
    daemon = start_daemon(users=True, cors__origins=pages, http__stream_timeout_ms=100)
    dashboard, page = Dashboard(Users(daemon), model), Page(chromium, pages, daemon.url)
    scoring_ids = [dashboard.watched.log(blocks(first=k))[0] for k in range(2)]
    page.log_in(dashboard.name, dashboard.password)
    page.until(lambda: len(page.find(".row")) == 2)
    for explained, scoring_id in enumerate(scoring_ids, 1):
        [task_id] = dashboard.watched.explain(scoring_id)
        assert wait_for(dashboard.watched.client, task_id)["entity"]["status"]["state"] == "finished"
        page.until(lambda: len(page.find(".state.finished")) == explained)


def test_who_may_only_look_is_told_so(dashboard, page, model):
    dashboard.watched.log(blocks())
    role = [{"op": "replace", "path": "/role", "value": "viewer"}]
    dashboard.users.operator.patch(f"/v2/users/{dashboard.name}", role)
    page.log_in(dashboard.name, dashboard.password)
    page.click(".row")
    page.click("#ask")
    page.shows("[role=alert]", "(?s)could not be asked for.*takes the role editor")


def test_a_wrong_password_is_refused_and_a_right_one_is_not_kept(dashboard, page):
    page.log_in(dashboard.name, "a wrong one")
    page.shows("#refusal", ".")
    page.log_in(dashboard.name, dashboard.password)
    page.shows("#none", "Nothing has been logged yet")
    kept = page.driver.execute_script("return [document.cookie, localStorage.length, sessionStorage.length, secret.value]")
    assert kept == ["", 0, 0, ""]
    page.click("#leave")
    page.until(lambda: page.find("#login")[0].is_displayed() and not page.find("#board")[0].is_displayed())


def test_a_page_of_an_origin_that_is_not_listed_says_what_to_do(dashboard, page, pages):
    stranger = pages.replace("127.0.0.1", "localhost")
    page.driver.get(stranger)
    page.log_in(dashboard.name, dashboard.password)
    page.shows("#refusal", re.escape(f"does cors.origins list {stranger}?"))
