# SPDX-License-Identifier: Apache-2.0
"""Server-sent events: a client follows one explanation, or all of a subscription, and misses nothing."""
import uuid

import pytest
import sseclient
from support.client import Client, Watched, wait_for
from support.events import Stream, names
from support.images import blocks

ALL = ["queued", "in_progress", "finished"]


@pytest.fixture
def held(api, model):
    """A subscription whose model keeps the calls of explanations waiting."""
    watched = Watched(api, model)
    model.hold()
    yield watched
    model.release()
    api.delete(f"/v2/subscriptions/{watched.subscription_id}", force="true")


def follow_task(client, task_id, **more) -> Stream:
    return Stream(client, f"/v2/explanation_tasks/{task_id}/events", **more)


def follow_all(watched, **more) -> Stream:
    return Stream(watched.client, f"/v2/subscriptions/{watched.subscription_id}/events", **more)


def asked(watched, *images) -> list[str]:
    """Tasks, of which the first is at the model."""
    task_ids = [watched.explain(*watched.log(image))[0] for image in images or [blocks()]]
    assert watched.model.asked.wait(30)
    return task_ids


# ---- of a task ----

def test_a_stream_tells_every_state_and_ends_with_the_last_one(watched):
    [scoring_id] = watched.log(blocks())
    [task_id] = watched.explain(scoring_id)
    stream = follow_task(watched.client, task_id)
    events = stream.rest()
    assert stream.status == 200 and stream.headers["Content-Type"] == "text/event-stream"
    assert stream.headers["Cache-Control"] == "no-store" and stream.retry_ms
    assert names(events) == ALL
    ids = [int(event.id) for event in events if event.id]
    assert ids == sorted(set(ids))
    for event in events:
        assert event.data["explanation_task_id"] == task_id and event.data["state"] == event.name
        assert event.data["subscription_id"] == watched.subscription_id and event.data["scoring_id"] == scoring_id
        assert "error" not in event.data


def test_states_come_when_they_happen_with_how_far_it_is(held):
    [task_id] = asked(held)
    stream = follow_task(held.client, task_id)
    started = stream.until("in_progress")
    assert names(started) == ALL[:2]
    assert set(started[-1].data["progress"]) == {"phase", "done", "total", "eta_ms"}
    shown = next(event for event in stream if event)
    assert shown.id is None and shown.name == "in_progress" and shown.data["progress"]["phase"] == "scoring"
    held.model.release()
    assert names(stream.rest()) == ["finished"]


def test_a_stream_of_a_task_that_waits_goes_on_when_its_turn_comes(held):
    _, second = asked(held, blocks(), blocks(first=1))
    stream = follow_task(held.client, second)
    assert names(stream.until("queued")) == ["queued"]
    held.model.release()
    assert names(stream.rest()) == ALL[1:]


def test_the_reason_of_a_failure_is_told(held):
    [task_id] = asked(held)
    stream = follow_task(held.client, task_id)
    held.model.broken = lambda images: (422, b"{}")
    held.model.release()
    last = stream.rest()[-1]
    assert last.name == "error" and last.data["error"]["code"] == "AIQES0012E" and last.data["error"]["message"]


def test_a_deleted_task_ends_its_stream_as_cancelled(held):
    running, queued = asked(held, blocks(), blocks(first=1))
    streams = [follow_task(held.client, task_id) for task_id in (queued, running)]
    for task_id in (queued, running):
        held.client.delete(f"/v2/explanation_tasks/{task_id}")
    assert [names(stream.rest())[-1] for stream in streams] == ["cancelled"] * 2
    assert follow_task(held.client, running).status == 404


def test_a_client_that_comes_back_gets_what_it_missed_and_no_more(held):
    [task_id] = asked(held)
    first = follow_task(held.client, task_id)
    first.until("in_progress")
    first.close()
    held.model.release()
    wait_for(held.client, task_id)
    second = follow_task(held.client, task_id, last_event_id=first.last_event_id)
    assert names(second.rest()) == ["finished"]
    third = follow_task(held.client, task_id, last_event_id=second.last_event_id)
    assert third.status == 204, "EventSource would come again for ever"


def test_an_ordinary_client_library_reads_a_stream(watched):
    task_id, _ = watched.explained(blocks())
    response = watched.client.request("GET", f"/v2/explanation_tasks/{task_id}/events", stream=True)
    events = [event for event in sseclient.SSEClient(response).events() if event.data]
    assert [event.event for event in events] == ALL and all(event.id for event in events)
    headers = {"Last-Event-ID": events[-1].id}
    watched.client.request("GET", f"/v2/explanation_tasks/{task_id}/events", 204, headers=headers)


@pytest.mark.parametrize("last", ["x", "-1", "1.5", "9" * 30])
def test_an_id_that_no_event_has_is_refused(watched, last):
    task_id, _ = watched.explained(blocks())
    for path in (f"explanation_tasks/{task_id}", f"subscriptions/{watched.subscription_id}"):
        error = watched.client.refused("GET", f"/v2/{path}/events", 400, headers={"Last-Event-ID": last})
        assert error["parameters"] == ["Last-Event-ID"]


def test_what_does_not_exist_has_no_events(api):
    for name in ("explanation_tasks", "subscriptions"):
        assert "could not be found" in api.refused("GET", f"/v2/{name}/{uuid.uuid4()}/events", 404)["message"]


def test_a_stream_goes_through_tls(watched):
    [task_id] = watched.explain(*watched.log(blocks()))
    assert names(follow_task(watched.client, task_id, tls=True).rest()) == ALL


def test_head_is_answered_without_a_stream(watched):
    task_id, _ = watched.explained(blocks())
    response = watched.client.request("HEAD", f"/v2/explanation_tasks/{task_id}/events")
    assert response.headers["Content-Type"] == "text/event-stream" and response.content == b""


# ---- of a subscription ----

def test_a_subscription_tells_of_all_its_explanations_from_now_on(watched):
    watched.explained(blocks())
    stream = follow_all(watched)
    assert stream.status == 200
    task_ids = [watched.explain(*watched.log(blocks(first=i)))[0] for i in range(3)]
    seen = {task_id: [] for task_id in task_ids}
    for event in stream:
        seen[event.data["explanation_task_id"]].append(event.name)
        if all("finished" in states for states in seen.values()):
            break
    assert list(seen.values()) == [ALL] * 3
    stream.close()


def test_subscriptions_do_not_hear_of_each_other(api, stub_model):
    ours, theirs = Watched(api, stub_model, "d1"), Watched(api, stub_model, "d2")
    stream = follow_all(ours)
    theirs.explained(blocks())
    task_id, _ = ours.explained(blocks())
    assert {event.data["explanation_task_id"] for event in stream.until("finished")} == {task_id}
    stream.close()


def test_cancelled_explanations_are_told_and_a_deleted_subscription_ends_its_stream(api, model):
    watched = Watched(api, model)
    model.hold()
    stream = follow_all(watched)
    asked(watched, blocks(), blocks(first=1))
    stream.until("in_progress")
    api.delete(f"/v2/subscriptions/{watched.subscription_id}", force="true")
    rest = names(stream.rest())
    assert rest[-2:] == ["cancelled"] * 2


def test_nothing_is_missed_while_client_and_daemon_are_away(start_daemon, model):
    daemon = start_daemon()
    client = Client(daemon.url)
    watched = Watched(client, model)
    stream = follow_all(watched)
    model.hold()
    [task_id] = asked(watched)
    stream.until("in_progress")
    stream.close()
    daemon.kill()
    model.release()
    client = Client(start_daemon().url, client.instance)
    wait_for(client, task_id)
    watched.client = client
    again = follow_all(watched, last_event_id=stream.last_event_id)
    assert names(again.until("finished")) == ["queued", "in_progress", "finished"], "after the crash it was queued again"
    again.close()


def test_a_client_that_cannot_be_told_all_is_told_so(watched):
    stream = follow_all(watched, last_event_id=2**62)
    missed = next(event for event in stream if event)
    assert missed.name == "missed" and missed.id is None
    watched.explained(blocks())
    assert names(stream.until("finished")) == ALL
    stream.close()


def test_silence_is_broken_and_tells_how_far_the_log_is(start_daemon, stub_model):
    client = Client(start_daemon(http__stream_heartbeat_ms=1000).url)
    quiet, busy = Watched(client, stub_model, "d1"), Watched(client, stub_model, "d2")
    stream = follow_all(quiet)
    assert next(iter(stream)) is None
    before = int(stream.last_event_id)
    busy.explained(blocks())
    assert any(event is None and int(stream.last_event_id) > before for _, event in zip(range(60), stream))
    stream.close()


# ---- bounds ----

def test_streams_hold_up_nobody(start_daemon, model):
    client = Client(start_daemon().url)
    watched = Watched(client, model)
    model.hold()
    [task_id] = asked(watched)
    streams = [follow_task(client, task_id) for _ in range(30)] + [follow_all(watched) for _ in range(20)]
    assert client.get(f"/v2/explanation_tasks/{task_id}")["entity"]["status"]["state"] == "in_progress"
    model.release()
    assert [names(stream.rest()) for stream in streams[:30]] == [ALL] * 30
    for stream in streams[30:]:
        stream.until("finished")
        stream.close()


def test_too_many_streams_are_refused_until_a_place_is_free(start_daemon, model):
    client = Client(start_daemon(http__streams=2).url)
    watched = Watched(client, model)
    streams = [follow_all(watched) for _ in range(2)]
    refused = client.request("GET", f"/v2/subscriptions/{watched.subscription_id}/events", 503)
    assert refused.headers["Retry-After"] and "http.streams" in refused.text
    for stream in streams:
        stream.close()
    for _ in range(1000):  # places of those who went away are free again soon, not at once
        stream = follow_all(watched)
        if stream.status == 200:
            break
    assert stream.status == 200
    stream.close()


def test_a_stream_ends_after_its_time_for_the_client_to_come_again(start_daemon, stub_model):
    client = Client(start_daemon(http__stream_timeout_ms=1000).url)
    watched = Watched(client, stub_model)
    stream = follow_all(watched)
    assert stream.rest() == [] and stream.last_event_id is not None
    response = client.request("GET", f"/v2/subscriptions/{watched.subscription_id}/events")
    assert response.text.startswith("retry: ")


def test_a_daemon_that_stops_ends_its_streams_properly(start_daemon, model):
    daemon = start_daemon()
    client = Client(daemon.url)
    watched = Watched(client, model)
    model.hold()
    [task_id] = asked(watched)
    streams = [follow_task(client, task_id) for _ in range(10)] + [follow_all(watched) for _ in range(10)]
    for stream in streams[:10]:
        stream.until("in_progress")
    daemon.stop()
    for stream in streams:
        stream.rest()  # http.client tells a stream that was cut off from one that ended
    model.release()
