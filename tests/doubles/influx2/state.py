"""What the server keeps: organizations, tokens, buckets with their points, tasks, mappings."""

from __future__ import annotations

import itertools
import time as clock
from dataclasses import dataclass, field
from typing import Any

from tests.doubles.influx2.errors import Refused
from tests.doubles.influx2.points import Point, Tags, Value, kind
from tests.doubles.influx2.times import Time, shown

HOUR, DAY, WEEK = 3600, 86400, 604800
SYSTEM = {"_tasks": 3 * DAY, "_monitoring": 7 * DAY}
Series = dict[str, dict[int, Value]]


def now() -> Time:
    return Time(clock.time_ns())


@dataclass(slots=True)
class Bucket:
    """Durations in seconds; `retention` 0 keeps points for ever."""

    id: str
    name: str
    org: str
    retention: int = 0
    shard: int = 0
    description: str = ""
    system: bool = False
    created: str = field(default_factory=lambda: shown(now()))
    updated: str = field(default_factory=lambda: shown(now()))
    series: dict[tuple[str, Tags], Series] = field(default_factory=dict)
    kinds: dict[tuple[str, str], str] = field(default_factory=dict)

    def write(self, points: list[Point]) -> None:
        """Keep the points. Raises Refused (unprocessable entity) for those that it dropped; the rest is kept."""
        dropped, reason = 0, ""
        oldest = now() - self.retention * 10**9 if self.retention else None
        for point in points:
            known = self.kinds.setdefault((point.measurement, point.field), kind(point.value))
            if known != kind(point.value):
                reason = (
                    f'field type conflict: input field "{point.field}" on measurement "{point.measurement}"'
                    f" is type {kind(point.value)}, already exists as type {known}"
                )
                dropped += 1
            elif oldest is not None and point.time < oldest:
                reason, dropped = "points beyond retention policy", dropped + 1
            else:
                fields = self.series.setdefault((point.measurement, point.tags), {})
                fields.setdefault(point.field, {})[point.time] = point.value
        if dropped:
            said = f"failure writing points to database: partial write: {reason} dropped={dropped}"
            raise Refused("unprocessable entity", said)

    def expire(self) -> None:
        """Drop the whole shard groups that ended before the retention; a server does so within half an hour."""
        if not self.retention:
            return
        oldest, size = now() - self.retention * 10**9, self.shard * 10**9
        for fields in self.series.values():
            for values in fields.values():
                for time in [time for time in values if (time // size + 1) * size < oldest]:
                    del values[time]


def default_shard(retention: int) -> int:
    """The span of a shard group in seconds that the server takes where none is asked for."""
    if retention == 0 or retention >= 180 * DAY:
        return WEEK
    return DAY if retention >= 2 * DAY else HOUR


class State:
    """Everything. Ids are sixteen hexadecimal digits."""

    def __init__(self, token: str | None, org: str, *, set_up: bool) -> None:
        self._ids = itertools.count(0x0D0B1E0000000001)
        self.token = token
        self.orgs: dict[str, dict[str, Any]] = {}
        self.users: dict[str, dict[str, Any]] = {}
        self.tokens: dict[str, dict[str, Any]] = {}
        self.buckets: dict[str, Bucket] = {}
        self.tasks: dict[str, dict[str, Any]] = {}
        self.runs: dict[str, list[dict[str, Any]]] = {}
        self.mappings: dict[str, dict[str, Any]] = {}
        if set_up:
            self.set_up("double", org, token or "double")

    def id(self) -> str:
        return f"{next(self._ids):016x}"

    def set_up(self, user: str, org: str, token: str) -> tuple[str, str, str]:
        """The first user, organization and token, which may do everything; their ids."""
        user_id = self.id()
        self.users[user_id] = {"id": user_id, "name": user, "status": "active"}
        org_id = self.add_org(org)
        return user_id, org_id, self.add_token(token, org_id, user_id, None)

    def add_org(self, name: str) -> str:
        """Raises Refused (conflict)."""
        if any(each["name"] == name for each in self.orgs.values()):
            raise Refused("conflict", f"organization with name {name} already exists")
        id, at = self.id(), shown(now())
        self.orgs[id] = {"id": id, "name": name, "description": "", "createdAt": at, "updatedAt": at}
        for system, seconds in SYSTEM.items():
            made = Bucket(self.id(), system, id, seconds, DAY, f"System bucket for {system[1:]} logs", system=True)
            self.buckets[made.id] = made
        return id

    def add_token(self, token: str, org: str, user: str, permissions: list[dict[str, Any]] | None) -> str:
        """`permissions` None is every one."""
        id, at = self.id(), shown(now())
        self.tokens[id] = {"id": id, "token": token, "status": "active", "description": "", "orgID": org}
        self.tokens[id] |= {"userID": user, "permissions": permissions, "createdAt": at, "updatedAt": at}
        return id

    def org(self, named: str | None) -> dict[str, Any]:
        """By id or name. Raises Refused (not found)."""
        for each in self.orgs.values():
            if named in (each["id"], each["name"]):
                return each
        raise Refused("not found", f'organization name "{named}" not found')

    def bucket(self, org: str, named: str) -> Bucket:
        """By id or name. Raises Refused (not found)."""
        for each in self.buckets.values():
            if each.org == org and named in (each.id, each.name):
                return each
        raise Refused("not found", f'bucket "{named}" not found')
