# SPDX-License-Identifier: Apache-2.0
"""A daemon with users, and how its callers log in."""
import base64
import json
import uuid

from support.client import Client

ZERO = "00000000-0000-0000-0000-000000000000"
ROLES = ("viewer", "editor", "admin")


def basic(name: str, secret: str, scheme="Basic") -> str:
    return f"{scheme} " + base64.b64encode(f"{name}:{secret}".encode()).decode()


def claims_of(token: str) -> dict:
    """What clients read from a token: the payload, base64url without padding."""
    payload = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


class Users:
    """The operator of a daemon with users: makes users and tells how they authorize themselves."""

    def __init__(self, daemon):
        self.daemon = daemon
        self.password = (daemon.data / "admin-password").read_text().strip()
        self.operator = Client(daemon.url, ZERO, basic("admin", self.password))
        self.operator.session.headers["Authorization"] = f"Bearer {self.token('admin', self.password)}"

    def anonymous(self, instance=ZERO) -> Client:
        return Client(self.daemon.url, instance)

    def add(self, role="viewer", instance=ZERO, name=None, password=None) -> tuple[str, str]:
        name, password = name or f"u{uuid.uuid4().hex[:12]}", password or uuid.uuid4().hex
        body = {"name": name, "password": password, "role": role, "data_mart_id": instance}
        self.operator.post("/v2/users", body)
        return name, password

    def token(self, name, password, expect=200) -> str:
        body = {"username": name, "password": password, "api_key": None}
        return self.anonymous().request("POST", f"{self.daemon.url}/icp4d-api/v1/authorize", expect,
                                        json=body).json().get("token")

    def key(self, name) -> str:
        return self.operator.post(f"/v2/users/{name}/api_keys", {})["entity"]["api_key"]

    def client(self, role="viewer", instance=ZERO) -> Client:
        """A client with the token of a new user."""
        return Client(self.daemon.url, instance, f"Bearer {self.token(*self.add(role, instance))}")
