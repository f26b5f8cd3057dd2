# SPDX-License-Identifier: Apache-2.0
"""gzip bodies of several members (RFC 1952, 2.2), as parallel compressors and rotated logs have them."""
import gzip
import json

import pytest
from support.images import blocks

JSON = {"Content-Type": "application/json"}


def in_members(text: bytes, size: int) -> bytes:
    return b"".join(gzip.compress(text[at:at + size]) for at in range(0, len(text), size)) + gzip.compress(b"")


@pytest.mark.parametrize("name", ["gzip", "x-gzip", "GZIP"])
def test_a_body_in_several_members_is_the_same_body(watched, name):
    body = json.dumps([watched.transaction(blocks(), scoring_id="in-members")]).encode()
    watched.client.request("POST", watched.records_path, data=in_members(body, 99), headers={**JSON, "Content-Encoding": name})
    assert watched.values(includes="scoring_input,scoring_id") == [{"scoring_id": "in-members-1", "scoring_input": blocks()}]


def test_members_together_are_bounded_and_each_must_be_whole(watched):
    limit = watched.client.get("/v2/limits")["limits"]["records_body_bytes"]
    zipped = {**JSON, "Content-Encoding": "gzip"}
    error = watched.client.refused("POST", watched.records_path, 413, headers=zipped, data=gzip.compress(b" " * (limit // 2)) * 3)
    assert f"{limit} bytes" in error["message"] and "limits.records_body_bytes" in error["message"]
    whole = in_members(json.dumps([watched.transaction(blocks())]).encode(), 500)
    for broken in (whole[:-1], whole + b"\x1f\x8b", whole + b"\0", gzip.compress(b"") * 10_000):
        watched.client.request("POST", watched.records_path, 400, headers=zipped, data=broken)
    assert watched.count() == 0
