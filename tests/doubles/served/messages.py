"""A request and an answer, as a double sees them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


class Headers(dict[str, str]):
    """Header fields; names are compared without regard to case."""

    def __init__(self, pairs: Mapping[str, str]) -> None:
        super().__init__({name.lower(): value for name, value in pairs.items()})

    def __getitem__(self, name: str) -> str:
        return super().__getitem__(name.lower())

    def get(self, name: str, default: Any = None) -> Any:
        return super().get(name.lower(), default)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and super().__contains__(name.lower())


@dataclass(frozen=True, slots=True)
class Request:
    """`path` is still percent-encoded; `query` holds the last value of each name, `repeated` all of them."""

    method: str
    path: str
    query: Mapping[str, str]
    repeated: Mapping[str, list[str]]
    headers: Headers
    body: bytes

    @property
    def kind(self) -> str:
        return str(self.headers.get("content-type", "")).strip().lower()

    def flag(self, name: str, default: bool = False) -> bool:
        """A query parameter that says yes or no."""
        value = self.query.get(name)
        return default if value is None else value.lower() in ("true", "1", "yes", "on", "y")


@dataclass(slots=True)
class Answer:
    """`body` is sent as JSON; where it is None, `text` is sent as it stands."""

    status: int
    body: Any = None
    text: str = ""
    kind: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)

    def encoded(self) -> bytes:
        return self.text.encode() if self.body is None else json.dumps(self.body, ensure_ascii=False).encode()
