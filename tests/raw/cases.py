# SPDX-License-Identifier: Apache-2.0
"""
What no well-behaved client sends, with what has to come of it: a status, or CLOSED for an end without an answer.

Where microhttpd answers by itself, a later version of it may choose otherwise: those have several outcomes.
"""
import random
from dataclasses import dataclass

CLOSED = 0
REFUSED = (400,)
REFUSED_OR_CLOSED = (400, CLOSED)
HOST = b"Host: x\r\n"
END = b"Connection: close\r\n\r\n"
GET = b"GET /health/live HTTP/1.1\r\n" + HOST
POST = b"POST /v2/service_providers HTTP/1.1\r\n" + HOST
BEHIND = b"GET /health/live HTTP/1.1\r\n" + HOST + END


@dataclass
class Case:
    name: str
    sent: bytes
    expected: tuple
    hang_up: bool = False  # the request may be incomplete: the client ends its side
    answers: int = 1


def framed(name, headers, body, expected=REFUSED) -> Case:
    """A body of disputable length with a request behind it, which must not be answered."""
    return Case(name, POST + headers + b"\r\n" + body + BEHIND, expected)


CHUNKED = b"Transfer-Encoding: chunked\r\n"
FRAMING = [
    framed("two lengths", b"Content-Length: 2\r\nContent-Length: 3\r\n", b"{}"),
    framed("the same length twice", b"Content-Length: 2\r\nContent-Length: 2\r\n", b"{}"),
    framed("two lengths in different case", b"content-length: 2\r\nCONTENT-LENGTH: 2\r\n", b"{}"),
    framed("a list of lengths", b"Content-Length: 2, 2\r\n", b"{}"),
    framed("length and chunks", b"Content-Length: 2\r\n" + CHUNKED, b"2\r\n{}\r\n0\r\n\r\n"),
    framed("chunks and length", CHUNKED + b"Content-Length: 2\r\n", b"2\r\n{}\r\n0\r\n\r\n"),
    framed("chunks and length 0", CHUNKED + b"Content-Length: 0\r\n", b"0\r\n\r\n"),
    framed("chunked twice", CHUNKED + CHUNKED, b"0\r\n\r\n"),
    framed("chunked, chunked", b"Transfer-Encoding: chunked, chunked\r\n", b"0\r\n\r\n"),
    framed("gzip, chunked", b"Transfer-Encoding: gzip, chunked\r\n", b"0\r\n\r\n"),
    framed("chunked, identity", b"Transfer-Encoding: chunked, identity\r\n", b"0\r\n\r\n"),
    framed("identity", b"Transfer-Encoding: identity\r\n", b""),
    framed("gzip", b"Transfer-Encoding: gzip\r\n", b""),
    framed("xchunked", b"Transfer-Encoding: xchunked\r\n", b"0\r\n\r\n"),
    framed("chunked with a tab", b"Transfer-Encoding: chunked\t\r\n", b"0\r\n\r\n"),
    framed("chunked with a vertical tab", b"Transfer-Encoding: \x0bchunked\r\n", b"0\r\n\r\n"),
    framed("chunked in quotes", b'Transfer-Encoding: "chunked"\r\n', b"0\r\n\r\n"),
    framed("chunked with a parameter", b"Transfer-Encoding: chunked;a=b\r\n", b"0\r\n\r\n"),
    framed("an empty transfer encoding", b"Transfer-Encoding:\r\n", b"0\r\n\r\n"),
    framed("a blank before the colon of a length", b"Content-Length : 2\r\n", b"{}"),
    framed("a tab before the colon of a length", b"Content-Length\t: 2\r\n", b"{}"),
    framed("a blank before the colon of chunked", b"Transfer-Encoding : chunked\r\n", b"0\r\n\r\n"),
    framed("a folded length", b"Content-Length: 1\r\n 2\r\n", b"{}"),
    framed("a length folded by a tab", b"Content-Length:\r\n\t2\r\n", b"{}"),
    framed("folded chunked", b"Transfer-Encoding:\r\n chunked\r\n", b"0\r\n\r\n"),
    framed("a length behind a folded line", b"X: a\r\n Content-Length: 2\r\n", b"{}"),
    framed("a zero byte in a length", b"Content-Length: 2\x003\r\n", b"{}"),
    framed("a zero byte in the name of a length", b"Content-\x00Length: 2\r\n", b"{}", REFUSED_OR_CLOSED),
    framed("a bare CR in front of a length", b"X: a\rContent-Length: 2\r\n", b"{}"),
    framed("a negative length", b"Content-Length: -2\r\n", b"{}"),
    framed("a length with a plus", b"Content-Length: +2\r\n", b"{}"),
    framed("a hexadecimal length", b"Content-Length: 0x2\r\n", b"{}"),
    framed("a length with an exponent", b"Content-Length: 2e0\r\n", b"{}"),
    framed("a length with letters", b"Content-Length: 2a\r\n", b"{}"),
    framed("a length of two numbers", b"Content-Length: 2 2\r\n", b"{}"),
    framed("an empty length", b"Content-Length:\r\n", b""),
    framed("a length of letters", b"Content-Length: all\r\n", b""),
    framed("a length in Arabic digits", "Content-Length: ٢\r\n".encode(), b"{}"),
    framed("a length beyond 64 bits", b"Content-Length: 18446744073709551618\r\n", b"{}", (413, 400)),
    framed("a length of a thousand digits", b"Content-Length: " + b"9" * 1000 + b"\r\n", b"{}", (413, 400)),
    Case("chunks in HTTP/1.0", b"POST /v2/service_providers HTTP/1.0\r\n" + CHUNKED + b"\r\n0\r\n\r\n", REFUSED),
]

CHUNKS = {
    "a size of letters": (b"zz\r\n{}\r\n0\r\n\r\n", REFUSED),
    "a negative size": (b"-2\r\n{}\r\n0\r\n\r\n", REFUSED),
    "a size with a plus": (b"+2\r\n{}\r\n0\r\n\r\n", REFUSED),
    "a size with 0x": (b"0x2\r\n{}\r\n0\r\n\r\n", REFUSED),
    "a size beyond 64 bits": (b"fffffffffffffffff\r\n{}", (400, 413)),
    "no size": (b"\r\n{}\r\n0\r\n\r\n", REFUSED),
    "a chunk longer than its size": (b"2\r\n{}xx\r\n0\r\n\r\n", REFUSED),
    "a zero byte in a size": (b"2\x00\r\n{}\r\n0\r\n\r\n", REFUSED),
    "a blank in front of a size": (b" 2\r\n{}\r\n0\r\n\r\n", REFUSED),
    "a size without an end": (b"0" * 200_000, (400, 413, 500, CLOSED)),  # microhttpd's own 500
}
CHUNKS = [Case("chunks: " + name, POST + CHUNKED + b"\r\n" + body, expected)
          for name, (body, expected) in CHUNKS.items()]
GOOD = b'{"name":"p","service_type":"custom_machine_learning","credentials":{}}'
CHUNKS += [
    Case("chunks of one byte", POST + CHUNKED + END + b"".join(b"1\r\n%c\r\n" % c for c in GOOD) + b"0\r\n\r\n", (202,)),
    Case("chunk sizes in both cases", POST + CHUNKED + END + b"%X\r\n%s\r\n0\r\n\r\n" % (len(GOOD), GOOD), (202,)),
    Case("a chunk extension", POST + CHUNKED + END + b"%x;a=b\r\n%s\r\n0\r\n\r\n" % (len(GOOD), GOOD), (202,)),
    Case("trailers that look like framing", POST + CHUNKED + END + b"%x\r\n%s\r\n0\r\nContent-Length: 5\r\nX: y\r\n\r\n"
         % (len(GOOD), GOOD), (202,)),
    Case("the largest chunk size", POST + CHUNKED + b"\r\nffffffffffffffff\r\n{}", (400, 413, CLOSED), hang_up=True),
    Case("a body that was cut", POST + b"Content-Length: 100\r\n\r\n{", (CLOSED,), hang_up=True),
    Case("chunks that were cut", POST + CHUNKED + b"\r\n5\r\n{", (CLOSED,), hang_up=True),
]

HEADERS = {
    "a header without a colon": (b"colonless\r\n", REFUSED),
    "a header without a name": (b": value\r\n", REFUSED),
    "a blank in a name": (b"X Y: 1\r\n", REFUSED),
    "a blank behind a name": (b"X : 1\r\n", REFUSED),
    "a name in brackets": (b"(X): 1\r\n", REFUSED),
    "a name that is not ASCII": ("Ü: 1\r\n".encode(), REFUSED),
    "a control character in a name": (b"X\x01: 1\r\n", REFUSED),
    "a control character in a value": (b"X: a\x01b\r\n", REFUSED),
    "an escape in a value": (b"X: \x1b[2J\r\n", REFUSED),
    "a delete character in a value": (b"X: \x7f\r\n", REFUSED),
    "a zero byte in a value": (b"X: a\x00b\r\n", REFUSED),
    "a zero byte at the end of a value": (b"X: a\x00\r\n", REFUSED),
    "a zero byte in front of a value": (b"X: \x00a\r\n", REFUSED),
    "a bare CR in a value": (b"X: a\rb\r\n", REFUSED),
    "a folded value": (b"X: a\r\n b\r\n", REFUSED),
    "a value folded twice": (b"X: a\r\n b\r\n\tc\r\n", REFUSED),
    "a line of blanks": (b"X: a\r\n  \r\n", REFUSED),
    "a first header that is folded": (b"", REFUSED),
    "two hosts": (HOST, REFUSED),
    "two different hosts": (b"Host: y\r\n", REFUSED),
    "two hosts in different case": (b"HOST: x\r\n", REFUSED),
    "a body that is compressed": (b"Content-Encoding: gzip\r\n", (415,)),
    "a body that is compressed twice": (b"Content-Encoding: gzip, br\r\n", (415,)),
    "a header of 17 KiB": (b"X: " + b"a" * 17 * 1024 + b"\r\n", (431,)),
    "a header of 1 MiB": (b"X: " + b"a" * 1024 * 1024 + b"\r\n", (431, CLOSED)),
    "a name of 17 KiB": (b"a" * 17 * 1024 + b": x\r\n", (431,)),
    "300 headers": (b"".join(b"X-%d: y\r\n" % i for i in range(300)), (431,)),
    "10,000 headers": (b"".join(b"X-%d: y\r\n" % i for i in range(10_000)), (431, CLOSED)),
    "250 headers": (b"".join(b"X-%d: y\r\n" % i for i in range(250)), (200,)),
    "a header of 15 KiB": (b"X: " + b"a" * 15 * 1024 + b"\r\n", (200,)),
    "240 headers, 16 KiB together": (b"".join(b"X-%03d: " % i + b"y" * 55 + b"\r\n" for i in range(240)), (200,)),
    "an empty value": (b"X:\r\n", (200,)),
    "a value without a blank in front": (b"X:a\r\n", (200,)),
    "blanks and tabs around a value": (b"X: \t a \t \r\n", (200,)),
    "a value that is not UTF-8": (b"X: \xff\xfe\r\n", (200,)),
    "the same header twice": (b"X: a\r\nX: b\r\n", (200,)),
    "all characters of a name": (b"!#$%&'*+-.^_`|~09azAZ: a\r\n", (200,)),
    "an upgrade": (b"Upgrade: h2c\r\nHTTP2-Settings: AAA\r\n", (200,)),
    "a range": (b"Range: bytes=0-\r\n", (200,)),
    "an expectation of a request without a body": (b"Expect: 100-continue\r\n", (200,)),
    "a request id with line breaks in percent": (b"X-Global-Transaction-Id: a%0d%0ab\r\n", (200,)),
    "a request id that is too long": (b"X-Global-Transaction-Id: " + b"a" * 5000 + b"\r\n", (200,)),
    "a traceparent of garbage": (b"traceparent: 00-zz-\xff\r\n", (200,)),
}
HEADERS = [Case("headers: " + name, GET + headers + END, expected) for name, (headers, expected) in HEADERS.items()
           if headers]
HEADERS += [
    Case("headers: a first one that is folded", b"GET /health/live HTTP/1.1\r\n X: y\r\n" + HOST + END,
         REFUSED_OR_CLOSED),
    Case("headers: HTTP/1.1 without a host", b"GET /health/live HTTP/1.1\r\n" + END, REFUSED),
    Case("headers: HTTP/1.0 without a host", b"GET /health/live HTTP/1.0\r\n\r\n", (200,)),
    Case("headers: lines that end with LF", b"GET /health/live HTTP/1.1\nHost: x\nConnection: close\n\n", (200, 400)),
]
HEADERS += [Case(f"headers: the host {host!r}", b"GET /health/live HTTP/1.1\r\nHost: %s\r\n" % host + END, expected)
            for host, expected in [(b"a b", REFUSED), (b"a,b", REFUSED), (b"a/b", REFUSED), (b"u@h", REFUSED),
                                   (b"h?x", REFUSED), (b"h#x", REFUSED), (b"h\\x", REFUSED), (b"[::1]:8080", (200,)),
                                   (b"example.com:80", (200,)), (b"", (200, 400))]]

REQUEST_LINES = {
    b"GET /health/live HTTP/1.2": (200, 505),
    b"GET /health/live HTTP/2.0": (505,),
    b"GET /health/live HTTP/0.9": (400, 505),
    b"GET /health/live HTTP/1.1 x": REFUSED,
    b"GET /health/live http/1.1": REFUSED,
    b"GET /health/live HTTP/11": (400, 505),
    b"GET /health/live HTTP/1.": (400, 505),
    b"GET /health/live HTTP/1.1.1": (400, 505),
    b"GET /health/live HTTP/-1.1": (400, 505),
    b"GET /health/live FTP/1.1": REFUSED,
    b"GET /health/live": REFUSED_OR_CLOSED,
    b"GET": REFUSED_OR_CLOSED,
    b"": REFUSED_OR_CLOSED,
    b" GET /health/live HTTP/1.1": REFUSED_OR_CLOSED,
    b"GET  /health/live HTTP/1.1": REFUSED_OR_CLOSED,
    b"GET /health/live  HTTP/1.1": REFUSED_OR_CLOSED,
    b"GET\t/health/live\tHTTP/1.1": REFUSED_OR_CLOSED,
    b"GET /health/live\x00 HTTP/1.1": REFUSED_OR_CLOSED,
    b"GET /health/li\x00ve HTTP/1.1": REFUSED,
    b"GET /health/live?a=\x00b HTTP/1.1": REFUSED,
    b"GET /health/live?a=\x01 HTTP/1.1": REFUSED,
    b"GET /health/l\xefve HTTP/1.1": REFUSED,
    b"GET /health/live#x HTTP/1.1": (404,),
    b"GET /health/ live HTTP/1.1": REFUSED_OR_CLOSED,
    b"G\x00ET /health/live HTTP/1.1": REFUSED_OR_CLOSED,
    b"G(T /health/live HTTP/1.1": REFUSED,
    b"G\xc3\x89T /health/live HTTP/1.1": REFUSED,
    b"get /health/live HTTP/1.1": (405,),
    b"BREW /health/live HTTP/1.1": (405,),
    b"PRI * HTTP/2.0": (505,),
    b"OPTIONS * HTTP/1.1": REFUSED,
    b"CONNECT example.com:443 HTTP/1.1": REFUSED,
    b"TRACE /health/live HTTP/1.1": (405,),
    b"GET health/live HTTP/1.1": REFUSED,
    b"GET ../health/live HTTP/1.1": REFUSED,
    b"GET http://x/health/live HTTP/1.1": (200,),
    b"GET HTTPS://x:8/health/live HTTP/1.1": (200,),
    b"GET http://x HTTP/1.1": (200,),
    b"GET http:///health/live HTTP/1.1": (200,),
    b"GET http:/health/live HTTP/1.1": REFUSED,
    b"GET ftp://x/health/live HTTP/1.1": REFUSED,
    b"GET file:///etc/passwd HTTP/1.1": REFUSED,
    b"GET //health/live HTTP/1.1": (404,),
    b"GET /health//live HTTP/1.1": (404,),
    b"GET /health/live/ HTTP/1.1": (404,),
    b"GET /health/./live HTTP/1.1": (404,),
    b"GET /v2/../health/live HTTP/1.1": (404,),
    b"GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.1": (404,),
    b"GET /..;/health/live HTTP/1.1": (404,),
    b"GET /health\\live HTTP/1.1": (404,),
    b"GET /openscale/ HTTP/1.1": (200,),
    b"GET /openscale HTTP/1.1": (404,),
    b"GET /openscale//v2/data_marts HTTP/1.1": (404,),
    b"GET /v2/subscriptions/ HTTP/1.1": (404,),
    b"GET /v2/subscriptions/%00 HTTP/1.1": REFUSED,
    b"GET /v2/subscriptions/%ff HTTP/1.1": REFUSED,
    b"GET /v2/subscriptions/%c0%af HTTP/1.1": REFUSED,
    b"GET /v2/subscriptions/%ed%a0%80 HTTP/1.1": REFUSED,
    b"GET /v2/subscriptions/% HTTP/1.1": REFUSED,
    b"GET /v2/subscriptions/%4 HTTP/1.1": REFUSED,
    b"GET /v2/subscriptions/%gg HTTP/1.1": REFUSED,
    b"GET /v2/subscriptions/%u0041 HTTP/1.1": REFUSED,
    b"GET /v2/subscriptions/%0d%0aX:%20y HTTP/1.1": (404,),
    b"GET /v2/subscriptions/%e2%82%ac HTTP/1.1": (404,),
    b"GET /v2/subscriptions/'%20OR%201=1-- HTTP/1.1": (404,),
    b"GET /v2/explanation_tasks?limit=%zz HTTP/1.1": REFUSED,
    b"GET /v2/explanation_tasks?limit=%00 HTTP/1.1": REFUSED,
    b"GET /v2/subscriptions?%ff=1 HTTP/1.1": REFUSED,
    b"GET /v2/explanation_tasks?limit=99999999999999999999 HTTP/1.1": REFUSED,
    b"GET /v2/explanation_tasks?limit=-1 HTTP/1.1": REFUSED,
    b"GET /v2/explanation_tasks?limit=1e3 HTTP/1.1": REFUSED,
    b"GET /v2/explanation_tasks?limit=%201 HTTP/1.1": REFUSED,
    b"GET /v2/subscriptions? HTTP/1.1": (200,),
    b"GET /v2/subscriptions?& HTTP/1.1": (200,),
    b"GET /v2/subscriptions?&&=&a HTTP/1.1": (200,),
    b"GET /v2/subscriptions?a=b?c=d HTTP/1.1": (200,),
    b"GET /v2/subscriptions?a==&b HTTP/1.1": (200,),
    b"GET /v2/subscriptions?" + b"&".join(b"a%d=b" % i for i in range(250)) + b" HTTP/1.1": (200,),
    b"GET /v2/subscriptions?" + b"&".join(b"a%d=b" % i for i in range(300)) + b" HTTP/1.1": (431,),
    b"GET /v2/subscriptions/" + b"a" * 8000 + b" HTTP/1.1": (404,),
    b"GET /v2/subscriptions/" + "é".encode().hex("%").encode().join([b"%"] * 2) * 300 + b" HTTP/1.1": (400, 404),
    b"GET /" + b"a" * 40_000 + b" HTTP/1.1": (414, 431),
    b"GET /" + b"a" * 400_000 + b" HTTP/1.1": (414, 431, CLOSED),
    b"G" * 100: REFUSED_OR_CLOSED,
    b"G" * 200_000: (400, 414, 431, CLOSED),
}
REQUEST_LINES = [Case("line: " + repr(line[:60])[2:-1] + (f" … {len(line)} bytes" if len(line) > 60 else ""),
                      line + b"\r\n" + HOST + END, expected) for line, expected in REQUEST_LINES.items()]

WHOLE = POST + b"Content-Type: application/json\r\nContent-Length: 2\r\n" + END + b"{}"
CUT = [Case(f"cut behind byte {n}", WHOLE[:n], (CLOSED,), hang_up=True) for n in range(0, len(WHOLE), 9)]

HEAD = GET + b"Accept: */*\r\nX-Last: z\r\nConnection: close\r\n\r\n"
# A zero byte in front of LF cannot be told from CR once the line was cut, and hides nothing.
ZEROS = [Case(f"a zero byte instead of byte {n}, {HEAD[n:n + 1]!r}", HEAD[:n] + b"\0" + HEAD[n + 1:],
              (400, 505, 431, CLOSED), hang_up=True) for n in range(0, len(HEAD) - 4, 2) if HEAD[n:n + 1] != b"\r"]

_random = random.Random(7)
GARBAGE = [Case(f"garbage {n}", bytes([_random.choice([c for c in range(256) if c != 0x16])]) +
                _random.randbytes(_random.choice([3, 40, 300, 5000])) + b"\r\n\r\n", (400, 414, 431, 505, CLOSED),
                hang_up=True) for n in range(20)]
TLS = [Case(f"TLS: {name}", sent, (CLOSED,), hang_up=True) for name, sent in {
    "one byte": b"\x16",
    "a record of the wrong version": b"\x16\x09\x09\x00\x05hello",
    "a record that is too long": b"\x16\x03\x01\xff\xff" + b"a" * 70_000,
    "an empty record": b"\x16\x03\x01\x00\x00",
    "garbage": b"\x16" + _random.randbytes(500),
}.items()]

KEEP = GET + b"\r\n"
PIPELINES = [
    Case("two requests at once", KEEP + BEHIND, (200,), answers=2),
    Case("fifty requests at once", KEEP * 49 + BEHIND, (200,), answers=50),
    Case("blank lines between requests", KEEP + b"\r\n" + BEHIND, (200,), answers=2),
    Case("a refused request behind a good one", KEEP + b"G(T / HTTP/1.1\r\n" + HOST + b"\r\n" + BEHIND, (200,),
         answers=2),
    Case("a request behind an unknown path", b"GET /nothing HTTP/1.1\r\n" + HOST + b"\r\n" + BEHIND, (404,), answers=2),
    Case("a body of a request that has none", b"GET /health/live HTTP/1.1\r\nContent-Length: 2\r\n" + HOST +
         b"\r\n{}" + BEHIND, (200,), answers=2),
    Case("a request behind a body that is too long", POST + b"Content-Length: 70000\r\n\r\n" + b" " * 70_000 + BEHIND,
         (413,)),
]

ALL = FRAMING + CHUNKS + HEADERS + REQUEST_LINES + CUT + ZEROS + GARBAGE + TLS + PIPELINES
