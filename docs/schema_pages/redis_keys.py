"""Reads the catalogue of keys that the Redis documents left on the server."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import redis

Entries = Sequence[tuple[str, Mapping[str, Any]]]


def read(url: str, project: str) -> tuple[Entries, Entries]:
    """Key families by pattern, and streams with their groups by key. Raises redis.RedisError."""
    with redis.Redis.from_url(url, decode_responses=True) as client:
        families = _entries(client, f"provision:{project}:key_families")
        streams = [
            (key, {**entry, "groups": sorted(group["name"] for group in client.xinfo_groups(key))})
            for key, entry in _entries(client, f"provision:{project}:streams")
        ]
    return sorted(families, key=lambda each: str(each[1]["pattern"])), sorted(streams, key=lambda each: each[0])


def _entries(client: Any, key: str) -> list[tuple[str, dict[str, Any]]]:
    return [(name, json.loads(text)) for name, text in client.hgetall(key).items()]
