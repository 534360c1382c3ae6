"""What the catalogue on the server says of a key: its family or stream, with type and time to live."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from provision.stores.redis.names import Keys
from provision.stores.redis.patterns import PLACEHOLDER
from provision.stores.redis.server import Server

# An object is kept as a string, or as the type of the JSON module.
_TYPES = {"json": ("string", "ReJSON-RL")}


@dataclass(frozen=True, slots=True)
class ExpectedKey:
    """What the catalogue wants of a key. `ttl` in seconds, None for none; `tenant` is the segment that names it."""

    name: str
    types: tuple[str, ...]
    ttl: int | None = None
    tenant: int | None = None
    maxlen: int | None = None
    group: str | None = None


class KeyCatalogue:
    """Families by their patterns and streams by their keys; no key is in two families."""

    def __init__(self, families: Mapping[str, Mapping[str, Any]], streams: Mapping[str, Mapping[str, Any]]) -> None:
        self.streams = {
            key: ExpectedKey(key, ("stream",), maxlen=each.get("maxlen"), group=each.get("group"))
            for key, each in streams.items()
        }
        self.tenants = {each["tenant"] for each in families.values() if "tenant" in each}
        self.empty = not families and not streams
        self._wanted = {name: _wanted(name, each) for name, each in families.items()}
        by_length: dict[int, list[tuple[str, str]]] = {}
        for name, each in families.items():
            by_length.setdefault(each["pattern"].count(":"), []).append((name, each["pattern"]))
        self._names = {length: [name for name, _ in listed] for length, listed in by_length.items()}
        # One expression for all families of as many segments, a group for each, so that a key is matched once.
        self._patterns = {
            length: re.compile("|".join(f"({_expression(pattern)})" for _, pattern in listed), re.DOTALL)
            for length, listed in by_length.items()
        }

    def of(self, key: str) -> ExpectedKey | None:
        """The family or stream of a key, or None."""
        length = key.count(":")
        match = self._patterns[length].fullmatch(key) if length in self._patterns else None
        if match is None or match.lastindex is None:
            return self.streams.get(key)
        return self._wanted[self._names[length][match.lastindex - 1]]


def catalogue(server: Server, keys: Keys) -> KeyCatalogue:
    """As the server has it now."""
    families, streams = (server.pairs("HGETALL", each) for each in (keys.families, keys.streams))
    return KeyCatalogue(
        *({name: json.loads(text) for name, text in sorted(each.items())} for each in (families, streams))
    )


def _wanted(name: str, family: Mapping[str, Any]) -> ExpectedKey:
    tenant = family.get("tenant")
    segments: Sequence[str] = family["pattern"].split(":")
    at = next((place for place, each in enumerate(segments) if each == f"{{{tenant}}}"), None)
    return ExpectedKey(name, _TYPES.get(family["type"], (family["type"],)), family.get("ttl"), at)


def _expression(pattern: str) -> str:
    parts, at = [], 0
    for each in PLACEHOLDER.finditer(pattern):
        parts += [re.escape(pattern[at : each.start()]), "[^:]+"]
        at = each.end()
    return "".join((*parts, re.escape(pattern[at:])))
