# SPDX-License-Identifier: Apache-2.0
"""Entity tags: what is finished never changes, what is in progress must not be kept."""
import socket

import pytest
from support.client import Watched
from support.images import blocks

PARTS = ("", "/attributions", "/image", "/image?pane=positive&class=1")


@pytest.fixture
def finished(watched):
    task_id, _ = watched.explained(blocks())
    return watched.client, f"/v2/explanation_tasks/{task_id}"


@pytest.mark.parametrize("part", PARTS)
def test_what_the_client_has_is_304_without_a_body(finished, part):
    client, path = finished
    first = client.request("GET", path + part)
    etag = first.headers["ETag"]
    assert etag.startswith('"') and first.headers["Cache-Control"] == "private, no-cache"
    for condition in (etag, "W/" + etag, f'"other", {etag}', "*"):
        again = client.request("GET", path + part, 304, headers={"If-None-Match": condition})
        assert again.content == b"" and again.headers["ETag"] == etag
        assert again.headers["Cache-Control"] == first.headers["Cache-Control"]
        assert "Content-Type" not in again.headers
    for condition in ('"other"', etag.strip('"'), etag[:-1], ""):
        again = client.request("GET", path + part, headers={"If-None-Match": condition})
        assert again.content == first.content


def test_every_picture_has_a_tag_of_its_own(finished):
    client, path = finished
    urls = ["/image", "/image?pane=positive", "/image?pane=positive&class=0", "/image?pane=positive&class=1",
            "/image?pane=negative", "/image?pane=original"]
    tags = {client.request("GET", path + url).headers["ETag"] for url in urls}
    assert len(tags) == len(urls)
    tag = client.request("GET", path + "/image").headers["ETag"]
    client.request("GET", path + "/image?class=9", 404, headers={"If-None-Match": tag})
    client.request("GET", path + "/image?class=x", 400, headers={"If-None-Match": "*"})


def test_two_explanations_of_the_same_image_have_different_tags(watched):
    tags = {watched.client.request("GET", f"/v2/explanation_tasks/{watched.explained(blocks())[0]}").headers["ETag"]
            for _ in range(2)}
    assert len(tags) == 2


def test_a_deleted_explanation_is_404_whatever_the_client_has(finished):
    client, path = finished
    etag = client.request("GET", path).headers["ETag"]
    client.delete(path)
    for part in PARTS:
        client.request("GET", path + part, 404, headers={"If-None-Match": etag})


def test_tasks_that_have_not_finished_are_not_to_be_kept(api, model):
    watched = Watched(api, model)
    model.hold()
    [task_id] = watched.explain(*watched.log(blocks()))
    assert model.asked.wait(30)
    path = f"/v2/explanation_tasks/{task_id}"
    for condition in ("*", f'"{task_id}"'):
        response = api.request("GET", path, headers={"If-None-Match": condition})
        assert "ETag" not in response.headers and response.headers["Cache-Control"] == "no-store"
    model.broken = lambda images: (422, b"{}")
    model.release()
    response = api.request("GET", path, headers={"Prefer": "wait=60", "If-None-Match": f'"{task_id}"'})
    assert response.json()["entity"]["status"]["state"] == "error"
    assert "ETag" not in response.headers and response.headers["Cache-Control"] == "no-store"


def test_head_has_the_tag_too(finished):
    client, path = finished
    assert client.request("HEAD", path).headers["ETag"] == client.request("GET", path).headers["ETag"]


def test_after_a_304_the_connection_goes_on(finished, daemon):
    client, path = finished
    etag = client.request("GET", path).headers["ETag"]
    base = client.base.removeprefix(daemon.url)
    request = f"GET {base}{path} HTTP/1.1\r\nHost: x\r\nIf-None-Match: {etag}\r\n"
    with socket.create_connection(("127.0.0.1", daemon.port), 10) as connection:
        connection.sendall((request + "\r\n" + request + "Connection: close\r\n\r\n").encode())
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    heads = answer.split(b"\r\n\r\n")
    assert [head.split(b"\r\n")[0] for head in heads] == 2 * [b"HTTP/1.1 304 Not Modified"] + [b""]
