# SPDX-License-Identifier: Apache-2.0
"""A client of server-sent events, over a socket of its own: it shows what came, when it comes."""
import http.client
import json
import ssl
from dataclasses import dataclass
from urllib.parse import urlsplit

READ_SECONDS = 60


@dataclass
class Event:
    name: str
    data: dict
    id: str | None  # None = none was sent with it


class Stream:
    def __init__(self, client, path, last_event_id=None, tls=False):
        url = urlsplit(client.base + path)
        context = ssl._create_unverified_context() if tls else None
        self.connection = (http.client.HTTPSConnection(url.hostname, url.port, timeout=READ_SECONDS, context=context)
                           if tls else http.client.HTTPConnection(url.hostname, url.port, timeout=READ_SECONDS))
        headers = {"Accept": "text/event-stream"}
        if "Authorization" in client.session.headers:
            headers["Authorization"] = client.session.headers["Authorization"]
        if last_event_id is not None:
            headers["Last-Event-ID"] = str(last_event_id)
        self.connection.request("GET", url.path, headers=headers)
        self.response = self.connection.getresponse()
        self.status, self.headers = self.response.status, self.response.headers
        self.last_event_id = last_event_id
        self.retry_ms = None
        self.comments = 0

    def _blocks(self):
        lines = []
        while line := self.response.readline():
            line = line.decode().rstrip("\n")
            if line:
                lines.append(line)
            elif lines:
                yield lines
                lines = []
        assert not lines, "the stream ended in the middle of an event"

    def __iter__(self):
        """The events, as they come, until the daemon ends the stream."""
        for lines in self._blocks():
            fields = dict(line.split(": ", 1) for line in lines if not line.startswith(":"))
            self.comments += sum(line.startswith(":") for line in lines)
            self.last_event_id = fields.get("id", self.last_event_id)
            self.retry_ms = int(fields.get("retry", self.retry_ms or 0)) or None
            if "data" in fields:
                yield Event(fields["event"], json.loads(fields["data"]), fields.get("id"))
            elif lines[0].startswith(":"):
                yield None  # a heartbeat

    def until(self, name) -> list[Event]:
        """All up to the first event of this name."""
        seen = []
        for event in self:
            if event:
                seen.append(event)
                if event.name == name:
                    return seen
        raise AssertionError(f"the stream ended without {name}: {seen}")

    def rest(self) -> list[Event]:
        return [event for event in self if event]

    def close(self):
        self.response.close()
        self.connection.close()


def names(events) -> list[str]:
    """What is in the log; progress may be shown any number of times."""
    return [event.name for event in events if event.id is not None]
