# SPDX-License-Identifier: Apache-2.0
"""
Bodies of one shape from end to end: each gets its answer, and the daemon goes on. 16 MiB each with EXPLAIND_FULL=1.
"""
import os

import pytest

MIB = 1 << 20
SIZE = 16 * MIB - 16 if os.environ.get("EXPLAIND_FULL") == "1" else MIB
RESPONSE = b'"response":{"fields":["probability"],"values":[[[0.25,0.75]]]}'
GREY = b'"request":{"values":[[[1,2],[3,4]]]}'


def repeated(head: bytes, unit: bytes, tail: bytes, separator=b",") -> bytes:
    count = (SIZE - len(head) - len(tail)) // (len(unit) + len(separator))
    return head + separator.join([unit] * count) + tail


# name: (body, status)
SHAPES = {
    "records of four pixels": (repeated(b"[", b"{%s,%s}" % (GREY, RESPONSE), b"]"), 413),
    "an image of one row": (repeated(b'[{"request":{"values":[[[', b"[1,2,3]", b"]]]},%s}]" % RESPONSE), 400),
    "arrays": (repeated(b"[", b"[]", b"]"), 400),
    "objects": (repeated(b"[", b"{}", b"]"), 400),
    "numbers": (repeated(b"[", b"1", b"]"), 400),
    "one number": (repeated(b"[", b"1", b"]", b""), 400),
    "one string": (repeated(b'["', b"a", b'"]', b""), 400),
    "escapes": (repeated(b'["', b"\\u0041", b'"]', b""), 400),
    "members of a request": (repeated(b'[{"request":{', b'"a":1', b"}}]"), 400),
    "members of a record": (repeated(b"[{", b'"a":1', b"}]"), 400),
    "objects in a request": (repeated(b'[{"request":{"values":[', b"{}", b']},"response":{}}]'), 400),
    "arrays in a request": (repeated(b'[{"request":{"values":[', b"[]", b']},"response":{}}]'), 400),
    "probabilities": (repeated(b'[{%s,"response":{"fields":["probability"],"values":[[[' % GREY, b"0", b"]]]}}]"), 400),
    "labels": (repeated(b'[{%s,"response":{"labels":[' % GREY, b'"a"',
                        b'],"fields":["probability"],"values":[[[0.5,0.5]]]}}]'), 400),
    "fields of a table": (repeated(b'[{"fields":[', b'"a"', b'],"values":[]}]'), 400),
    "annotations": (repeated(b'[{"annotations":{"a":[', b"{}", b"]},%s,%s}]" % (GREY, RESPONSE)), 400),
    "blanks": (repeated(b"[", b" ", b"]", b""), 400),
    "zero bytes": (repeated(b"", b"\0", b"", b""), 400),
    "open brackets": (repeated(b"", b"[", b"", b""), 400),
}


@pytest.mark.parametrize("name", SHAPES)
def test_a_body_of_one_shape_is_refused_and_nothing_of_it_stays(watched, name):
    body, status = SHAPES[name]
    assert watched.client.refused("POST", watched.records_path, status, data=body)["message"]
    assert watched.count() == 0
