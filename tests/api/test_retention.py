# SPDX-License-Identifier: Apache-2.0
"""What a subscription says about the age, number and size of its records; and pixels that go before their numbers."""
import sqlite3

import numpy
import pytest
from support.client import Client, Watched
from support.data import SECONDS, age, explaind, rows, until
from support.images import blocks


@pytest.fixture
def two(start_daemon, stub_model):
    """Two subscriptions on a daemon that looks often; the rules are for the first."""
    client = Client(start_daemon(retention__interval_ms=100).url)
    return Watched(client, stub_model), Watched(client, stub_model, deployment_id="d2")


def rule(watched, **rules):
    watched.client.patch(f"/v2/subscriptions/{watched.subscription_id}",
                         [{"op": "add", "path": "/retention", "value": rules}])


def restarted(start_daemon, watched, days, where="1", **settings):
    """The daemon again, after records became older; the subscription through it."""
    daemon = start_daemon.daemons[-1] if hasattr(start_daemon, "daemons") else watched.daemon
    daemon.stop()
    age(daemon, days, where)
    again = start_daemon(retention__interval_ms=100, **settings)
    watched.client = Client(again.url, watched.client.instance)
    watched.daemon = again
    return watched


@pytest.fixture
def watched(own):
    return own


def inputs(watched):
    return [values["scoring_input"] for values in watched.values(includes="scoring_input")]


def test_only_the_newest_of_a_number_stay(two):
    limited, free = two
    logged = [limited.log(blocks(first=i % 3))[0] for i in range(8)]
    free.log(blocks())
    rule(limited, records=3)
    until(lambda: limited.count() == 3)
    assert [values["scoring_id"] for values in limited.values()] == logged[-3:]
    logged += limited.log(blocks())
    until(lambda: [values["scoring_id"] for values in limited.values()] == logged[-3:])
    assert free.count() == 1


def test_the_oldest_go_while_a_subscription_takes_too_much(two):
    limited, free = two
    noise = numpy.random.default_rng(1).integers(0, 256, (50, 100, 100, 3))
    logged = [limited.log(image.tolist())[0] for image in noise]
    free.log(noise[0].tolist())
    rule(limited, bytes=1 << 20)
    until(lambda: limited.count() * 30_000 < 1 << 20)
    kept = [values["scoring_id"] for values in limited.values()]
    assert kept == logged[-len(kept):] and kept
    assert free.count() == 1


def test_records_over_the_age_of_their_subscription_go(watched, start_daemon):
    watched.log(blocks())
    rule(watched, days=5)
    other = Watched(watched.client, watched.model, deployment_id="d2")
    other.log(blocks())
    again = restarted(start_daemon, watched, 6)
    until(lambda: again.count() == 0)
    assert rows(again.daemon, "records") == 1, "the other one has no rule"


@pytest.mark.parametrize("by_setting", [False, True], ids=["rule", "setting"])
def test_pixels_go_before_numbers(watched, start_daemon, by_setting):
    task_id, task = watched.explained(blocks())
    [scoring_id] = [values["scoring_id"] for values in watched.values()]
    watched.log(blocks(first=1), blocks(first=2))
    if not by_setting:
        rule(watched, pixel_days=2, days=9)
    settings = {"retention__pixel_days": 2} if by_setting else {}
    again = restarted(start_daemon, watched, 3, **settings)
    until(lambda: inputs(again) == [None, None, None])
    again.log(blocks(first=2), scoring_id="young")
    assert inputs(again) == [None, None, None, blocks(first=2)]
    assert again.client.get(f"/v2/explanation_tasks/{task_id}") == task
    error = again.client.refused("POST", "/v2/explanation_tasks", 410, json={"scoring_ids": [scoring_id]})
    assert "retention" in error["message"] and scoring_id in error["message"]
    assert again.client.get(f"/v2/explanation_tasks/{again.explain('young-1')[0]}")
    done = explaind("fsck", "--data", again.daemon.directory / "data")
    assert done.returncode == 0, done.stdout
    with sqlite3.connect(f"file:{again.daemon.directory}/data/explaind.db?mode=ro", uri=True) as database:
        assert database.execute("SELECT COUNT(*) FROM payloads WHERE length(request) = 0").fetchone() == (2,)


def test_an_explanation_in_progress_keeps_its_pixels(start_daemon, model):
    first = start_daemon()
    watched = Watched(Client(first.url), model)
    watched.daemon = first
    model.hold()
    [held] = watched.explain(*watched.log(blocks()))
    assert model.asked.wait(SECONDS)
    first.kill()
    age(first, 3, "1")
    daemon = start_daemon(retention__pixel_days=2, retention__interval_ms=100)
    watched.client = Client(daemon.url, watched.client.instance)
    assert watched.client.get(f"/v2/explanation_tasks/{held}")["entity"]["status"]["state"] == "in_progress"
    assert inputs(watched) == [blocks()]
    model.release()
    until(lambda: watched.client.get(f"/v2/explanation_tasks/{held}")["entity"]["status"]["state"] == "finished")
    until(lambda: inputs(watched) == [None])


@pytest.mark.parametrize("rules, told", [
    ({"weeks": 1}, "retention.weeks"), ({"days": 0}, "retention.days"),
    ({"days": 1.5}, "retention.days: must be a whole number, not 1.5"), ({"days": 2.0}, "a whole number, not 2.0"),
    ({"records": -1}, "retention.records"), ({"bytes": 1000}, "retention.bytes"), ({"pixel_days": "2"},
                                                                                  "retention.pixel_days")])
def test_rules_that_are_none_are_refused(watched, rules, told):
    error = watched.client.refused("PATCH", f"/v2/subscriptions/{watched.subscription_id}", 400,
                                   json=[{"op": "add", "path": "/retention", "value": rules}])
    assert told in error["message"]
