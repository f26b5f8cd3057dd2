# SPDX-License-Identifier: Apache-2.0
"""openapi.yaml as a judge: which operation a request is, and whether the answer is one the contract has."""
import gzip
import json
import re
from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import urlsplit

import yaml
from jsonschema import Draft202012Validator

from support.paths import OPENAPI

METHODS = ("get", "put", "post", "patch", "delete")
SERVER_PREFIX = re.compile(r"^/openscale(/[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12,16})?(?=/)")
SHOWN_BYTES = 400


@dataclass
class Operation:
    id: str
    method: str
    path: str
    pattern: re.Pattern
    spec: dict
    answered: set = field(default_factory=set)

    @property
    def exercised(self) -> bool:
        """A test got what the operation is for; for one that is always refused, the refusal."""
        if self.spec.get("x-always-refused"):
            return bool(self.answered)
        return any(200 <= status < 300 for status in self.answered)


def strict_json(text):
    """JSON as RFC 8259 has it: no NaN, no member twice."""

    def pairs(members):
        names = [name for name, _ in members]
        assert len(names) == len(set(names)), f"a member comes twice among {names}"
        return dict(members)

    def constant(name):
        raise ValueError(f"{name} is not JSON")

    return json.loads(text, object_pairs_hook=pairs, parse_constant=constant)


class Contract:
    def __init__(self, document: dict):
        self.document = document
        self.operations = list(self._operations())
        self.violations: list[str] = []

    @classmethod
    @lru_cache
    def load(cls) -> "Contract":
        return cls(yaml.safe_load(OPENAPI.read_text()))

    def _operations(self):
        for path, item in self.document["paths"].items():
            pattern = re.compile("^" + re.sub(r"\\{[a-z_]+\\}", "[^/]+", re.escape(path)) + "$")
            for method in METHODS:
                if method in item:
                    spec = item[method]
                    yield Operation(spec["operationId"], method.upper(), path, pattern, spec)

    def find(self, method: str, url_path: str) -> Operation | None:
        path = SERVER_PREFIX.sub("", url_path)
        for operation in self.operations:
            if operation.method == method and operation.pattern.match(path):
                return operation
        return None

    def unexercised(self) -> list[str]:
        return [operation.id for operation in self.operations if not operation.exercised]

    # ---- judging ----

    def _resolved(self, thing: dict) -> dict:
        while "$ref" in thing:
            name = thing["$ref"]
            thing = self.document
            for part in name.removeprefix("#/").split("/"):
                thing = thing[part]
        return thing

    @lru_cache(maxsize=None)
    def _validator(self, kind: str, operation_id: str, key: str, media_type: str):
        operation = next(o for o in self.operations if o.id == operation_id)
        holder = operation.spec["requestBody"] if kind == "request" else operation.spec["responses"][key]
        schema = self._resolved(holder)["content"][media_type]["schema"]
        return Draft202012Validator({"allOf": [schema], "components": self.document["components"]})

    def _complain(self, where: str, what: str):
        self.violations.append(f"{where}: {what}")

    def judge(self, response) -> None:
        """Notes what is wrong with a `requests` response; tests fail on notes."""
        request = response.request
        path = urlsplit(request.url).path
        where = f"{request.method} {urlsplit(request.url).path}?{urlsplit(request.url).query} -> {response.status_code}"
        if "X-Global-Transaction-Id" not in response.headers:
            self._complain(where, "no X-Global-Transaction-Id")
        if request.method == "HEAD" or (request.method == "OPTIONS" and response.status_code == 204):
            return
        operation = self.find(request.method, path)
        if operation is None:
            self._judge_refusal(where, response)
            return
        operation.answered.add(response.status_code)
        if operation.spec.get("x-passes-on"):
            return  # the answer is the model's
        key = str(response.status_code)
        if key not in operation.spec["responses"]:
            key = key[0] + "XX"
        if key not in operation.spec["responses"]:
            self._complain(where, f"status not in the contract of {operation.id}: {response.text[:SHOWN_BYTES]}")
            return
        self._judge_answer(where, operation, key, response)
        if response.ok:
            self._judge_request(where, operation, request)

    def _judge_refusal(self, where: str, response):
        """Paths and methods without an operation, refused by the router."""
        schema = {"$ref": "#/components/schemas/Error", "components": self.document["components"]}
        if response.status_code not in (400, 404, 405, 413, 431):
            self._complain(where, "an answer without an operation")
        elif error := next(Draft202012Validator(schema).iter_errors(response.json()), None):
            self._complain(where, error.message)

    def _judge_answer(self, where: str, operation: Operation, key: str, response):
        content = self._resolved(operation.spec["responses"][key]).get("content", {})
        media_type = response.headers.get("Content-Type", "").split(";")[0].strip()
        if not content:
            if media_type or response.content:
                self._complain(where, "a body where the contract has none")
            return
        if media_type not in content:
            self._complain(where, f"Content-Type {media_type!r} is not one of {list(content)}")
            return
        if media_type == "application/x-ndjson":
            self._judge_lines(where, operation, key, response)
        if media_type != "application/json":
            return
        try:
            body = strict_json(response.text)
        except (ValueError, AssertionError) as error:
            self._complain(where, f"{error}: {response.text[:SHOWN_BYTES]}")
            return
        for error in list(self._validator("response", operation.id, key, media_type).iter_errors(body))[:3]:
            at = "/".join(str(part) for part in error.absolute_path)
            self._complain(where, f"{operation.id}: at /{at}: {error.message[:SHOWN_BYTES]}")
        if response.status_code >= 400 and body.get("trace") != response.headers.get("X-Global-Transaction-Id"):
            self._complain(where, "trace is not the X-Global-Transaction-Id of the answer")

    def _judge_lines(self, where: str, operation: Operation, key: str, response):
        content = self._resolved(operation.spec["responses"][key])["content"]["application/x-ndjson"]
        validator = Draft202012Validator({"allOf": [content["x-line-schema"]],
                                          "components": self.document["components"]})
        if response.text and not response.text.endswith("\n"):
            self._complain(where, "the last line does not end")
        for line in response.text.splitlines():
            if error := next(validator.iter_errors(strict_json(line)), None):
                self._complain(where, f"{operation.id}: {error.message[:SHOWN_BYTES]}: {line[:SHOWN_BYTES]}")

    def _judge_request(self, where: str, operation: Operation, request):
        """What was accepted must be what the contract describes."""
        declared = self._resolved(operation.spec.get("requestBody", {})).get("content", {})
        media_type = (request.headers.get("Content-Type") or "").split(";")[0].strip()
        if not request.body or "json" not in media_type or media_type not in declared:
            return
        zipped = request.headers.get("Content-Encoding", "").lower() in ("gzip", "x-gzip")
        body = json.loads(gzip.decompress(request.body) if zipped else request.body)
        for error in list(self._validator("request", operation.id, "", media_type).iter_errors(body))[:3]:
            at = "/".join(str(part) for part in error.absolute_path)
            self._complain(where, f"{operation.id}: accepted a body outside the contract: at /{at}: "
                                  f"{error.message[:SHOWN_BYTES]}")
