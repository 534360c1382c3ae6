"""A bare HTTP client: what a test sends is what the double gets."""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Got:
    """`body` is the JSON of the answer, or its text where it is none."""

    status: int
    body: Any
    headers: dict[str, str]


class Wire:
    """One connection to a double."""

    def __init__(self, url: str, authorization: str = "") -> None:
        parts = urlsplit(url)
        self._connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)
        self._usual = {"authorization": authorization} if authorization else {}

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> Got:
        """A body of text or bytes is sent as it is, any other as JSON; underscores of headers are hyphens."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        if body is not None and not isinstance(body, str | bytes):
            body, given = json.dumps(body), {"content-type": "application/json", **given}
        self._connection.request(method, path, body, {**self._usual, **given})
        answer = self._connection.getresponse()
        text = answer.read().decode()
        return Got(answer.status, _json(text), {name.lower(): value for name, value in answer.getheaders()})

    def made(self, method: str, path: str, body: Any = None) -> Any:
        """The body of an answer that must be a success."""
        got = self.send(method, path, body)
        assert got.status < 300, f"{method} {path}: {got.status} {got.body}"
        return got.body

    def close(self) -> None:
        self._connection.close()


def _json(text: str) -> Any:
    try:
        return json.loads(text) if text else None
    except ValueError:
        return text
