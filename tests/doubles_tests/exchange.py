"""The vendor's recorded exchanges: which are in scope, and how an answer of the double compares with one of them."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from tests.doubles.arango.specs import recorded

_SCOPE = re.compile(r"(?:/_db/[^/]+)?/_api/(document|collection|index|gharial|view|analyzer|database|import|edges)\b")
_PLACE = re.compile(r"(?:/_db/[^/]+)?(/[^/?]+/[^/?]+)")


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request that was sent to a real server, and what it answered. Several of one name build on each other."""

    number: int
    name: str
    method: str
    url: str
    headers: dict[str, str]
    body: str | None
    status: int
    answer: Any

    @property
    def id(self) -> str:
        return f"{self.number:03d}-{self.name.removesuffix('_single')}"

    def standing(self, stands_for: Mapping[str, str]) -> Exchange:
        """The same with the double's ids and revisions where the recorded ones stand."""
        told = json.dumps([self.url, self.headers, self.body, self.answer])
        for theirs, ours in stands_for.items():
            told = told.replace(theirs, ours)
        url, headers, body, answer = json.loads(told)
        return replace(self, url=url, headers=headers, body=body, answer=answer)


def in_scope() -> list[Exchange]:
    """Those that the double is held to, in their order; empty where the file is missing."""
    return [_exchange(number, each) for number, each in _all() if _SCOPE.match(each["url"])]


def out_of_scope() -> Counter[str]:
    """How many of the others there are, by endpoint."""
    others = (_PLACE.match(each["url"]) for _, each in _all() if not _SCOPE.match(each["url"]))
    return Counter(place[1] for place in others if place)


def differences(exchange: Exchange, status: int, answer: Any) -> list[str]:
    """What is not equal: the status, errorNum, and the keys at every depth."""
    found = [] if status == exchange.status else [f"status {status}, recorded {exchange.status}"]
    numbers = [each.get("errorNum") if isinstance(each, dict) else None for each in (answer, exchange.answer)]
    if numbers[0] != numbers[1]:
        found.append(f"errorNum {numbers[0]}, recorded {numbers[1]}")
    ours, theirs = set(keys(answer)), set(keys(exchange.answer))
    found += [f"key {each} is not recorded" for each in sorted(ours - theirs)]
    return found + [f"key {each} is missing" for each in sorted(theirs - ours)]


def keys(value: Any, path: str = "") -> Iterator[str]:
    """Every key by its path; the members of an array share one path."""
    if isinstance(value, dict):
        for name, each in value.items():
            yield f"{path}.{name}"
            yield from keys(each, f"{path}.{name}")
    elif isinstance(value, list):
        for each in value:
            yield from keys(each, f"{path}[]")


def _all() -> list[tuple[int, dict[str, Any]]]:
    path = recorded()
    return list(enumerate(json.loads(path.read_text()))) if path else []


def _exchange(number: int, each: dict[str, Any]) -> Exchange:
    return Exchange(
        number,
        each["name"],
        each["method"],
        each["url"],
        {name: value for name, value in each["request_headers"].items() if name.lower() != "accept"},
        each["request_body"],
        each["status"],
        each.get("response_json"),
    )
