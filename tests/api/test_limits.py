# SPDX-License-Identifier: Apache-2.0
"""The limits of logging: 1 MiB of scoring input an image, 125 x 125 pixels in the profile of the original."""
import json

import pytest
from support.client import Client, Watched
from support.images import blocks, gradient

LIMIT = 1_048_576
ANSWER = '{"fields":["probability"],"values":[%s]}'


def transaction(name: str, *images: str) -> str:
    """A logged transaction as text, so that the bytes of its images are exact."""
    answer = ANSWER % ",".join(["[[0.25,0.75]]"] * len(images))
    return '{"scoring_id":"%s","request":{"values":[%s]},"response":%s}' % (name, ",".join(images), answer)


def image_of(size: int) -> str:
    """An image whose JSON text has exactly `size` bytes."""
    text = json.dumps(blocks(8, 8))
    return text[:-1] + " " * (size - len(text)) + "]"


def test_an_image_of_exactly_the_limit_is_accepted(watched):
    watched.client.request("POST", watched.records_path, data="[%s]" % transaction("fits", image_of(LIMIT)))
    assert watched.count() == 1


def test_an_image_over_the_limit_is_413_with_limit_and_size(watched):
    error = watched.client.refused("POST", watched.records_path, 413,
                                   data="[%s]" % transaction("too large", image_of(LIMIT + 1)))
    assert str(LIMIT) in error["message"] and str(LIMIT + 1) in error["message"]
    assert error["parameters"][0].startswith("[0].request")
    assert watched.count() == 0


def test_nothing_of_a_batch_with_a_too_large_image_is_stored(watched):
    small = json.dumps(blocks(8, 8))
    body = "[%s,%s,%s]" % (transaction("a", small), transaction("b", small, image_of(LIMIT + 5)),
                           transaction("c", small))
    error = watched.client.refused("POST", watched.records_path, 413, data=body)
    assert error["parameters"][0].startswith("[1].request") and str(LIMIT + 5) in error["message"]
    assert watched.count() == 0


def test_the_limit_is_of_one_image_not_of_the_request(watched):
    images = [image_of(LIMIT - 100)] * 3
    watched.client.request("POST", watched.records_path, data="[%s]" % transaction("three", *images))
    assert watched.count() == 3


def test_a_body_over_16_mib_is_413(watched):
    limit = watched.client.get("/v2/limits")["limits"]["records_body_bytes"]
    error = watched.client.refused("POST", watched.records_path, 413, data=b"[" + b" " * limit)
    assert str(limit) in error["message"] and "limits.records_body_bytes" in error["message"]


@pytest.mark.parametrize("path, setting", [("/v2/explanation_tasks", "tasks_body_bytes"), ("/v2/subscriptions", "body_bytes")])
def test_a_body_over_its_limit_names_the_setting(api, path, setting):
    limit = api.get("/v2/limits")["limits"][setting]
    error = api.refused("POST", path, 413, data=b"{" + b" " * limit)
    assert f"{limit} bytes" in error["message"] and f"limits.{setting})" in error["message"]


def test_a_body_of_the_limit_fits_where_all_bodies_may_take_no_more(start_daemon, stub_model):
    limit = 2 << 20
    watched = Watched(Client(start_daemon(limits__records_body_bytes=limit,
                                          limits__tasks_body_bytes=limit, limits__bodies_total=limit + 1).url), stub_model)
    body = ("[%s]" % transaction("full", image_of(1000))).encode()
    watched.client.request("POST", watched.records_path, data=body.ljust(limit))
    watched.client.request("POST", watched.records_path, 413, data=body.ljust(limit + 1))


def test_the_limit_can_be_set(start_daemon, stub_model):
    watched = Watched(Client(start_daemon(limits__payload_bytes=2000).url), stub_model)
    assert watched.client.get("/v2/limits")["limits"]["payload_bytes"] == 2000
    error = watched.client.refused("POST", watched.records_path, 413, data="[%s]" % transaction("x", image_of(2001)))
    assert "2000" in error["message"] and "2001" in error["message"]
    watched.client.request("POST", watched.records_path, data="[%s]" % transaction("y", image_of(2000)))


@pytest.fixture
def strict(start_daemon, stub_model):
    return Watched(Client(start_daemon(limits__profile="openscale").url), stub_model)


@pytest.mark.parametrize("height, width", [(125, 125), (125, 1), (1, 125), (28, 28)])
def test_the_profile_openscale_takes_images_of_125_by_125(strict, height, width):
    image = json.dumps(gradient(height, width))
    strict.client.request("POST", strict.records_path, data="[%s]" % transaction("fits", image))


@pytest.mark.parametrize("height, width", [(126, 126), (126, 10), (10, 126)])
def test_the_profile_openscale_refuses_larger_images(strict, height, width):
    small = json.dumps(gradient(8, 8))
    body = "[%s,%s]" % (transaction("a", small), transaction("b", json.dumps(gradient(height, width))))
    error = strict.client.refused("POST", strict.records_path, 400, data=body)
    assert f"{height} x {width}" in error["message"] and "125 x 125" in error["message"]
    assert strict.count() == 0


def test_the_profile_shows_in_the_limits(strict):
    limits = strict.client.get("/v2/limits")["limits"]
    assert limits["profile"] == "openscale" and limits["max_image_side"] == 125


def test_the_default_profile_takes_larger_images(watched):
    watched.client.request("POST", watched.records_path, data="[%s]" % transaction("x", json.dumps(gradient(126, 126))))
    assert watched.count() == 1
