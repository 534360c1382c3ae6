"""Which windows of a rollup a backfill may write: whole ones, that no later run of the rollup reaches. In seconds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from provision.stores.influx.migrate.model import Rollup, Tier

# Before the end of a tier's time: a statement may take a minute, and clocks differ.
MARGIN = 120


@dataclass(frozen=True, slots=True)
class RangeRequest:
    """The range of the document, in seconds since 1970; None: as far as points go."""

    since: int | None = None
    until: int | None = None

    @classmethod
    def of(cls, body: Mapping[str, object]) -> RangeRequest:
        """Raises ValueError for what is no moment."""
        return cls(*(seconds(str(body[key])) if key in body else None for key in ("since", "until")))


@dataclass(frozen=True, slots=True)
class Range:
    """What of a rollup can be filled. `holds` is from when on its tiers keep all; `closed` ends the newest window."""

    every: int
    holds: int | None
    closed: int

    @classmethod
    def of(cls, rollup: Rollup, tiers: Iterable[Tier], as_of: int, now: int) -> Range:
        """`tiers` are those that it reads and writes, `as_of` is when the run began."""
        kept = [each.duration for each in tiers if each.duration]
        # A window that the source has lost a part of would be written with what is left of it.
        holds = -(-(now - min(kept) + MARGIN) // rollup.every) * rollup.every if kept else None
        newest = _floor(as_of - rollup.span, rollup.every)
        return cls(rollup.every, holds, newest + rollup.every)

    def within(self, asked: RangeRequest, oldest: int | None = None) -> tuple[int | None, int]:
        """From when to when, in whole windows; `oldest` is the source's oldest point."""
        starts = [] if oldest is None else [_floor(oldest, self.every)]
        starts += [] if self.holds is None else [self.holds]
        starts += [] if asked.since is None else [-(-asked.since // self.every) * self.every]
        stop = self.closed if asked.until is None else min(self.closed, _floor(asked.until, self.every))
        return max(starts, default=None), stop

    def clipped(self, asked: RangeRequest) -> Iterator[str]:
        """What of the document's range is left out, in words."""
        if asked.since is not None and self.holds is not None and asked.since < self.holds:
            yield f"it begins at {shown(self.holds)}: what is older is past the time of its tiers, or soon will be"
        if asked.until is not None and asked.until > self.closed:
            yield f"it ends at {shown(self.closed)}: what is newer is still written by the rollup itself"

    def outside(self, asked: RangeRequest) -> str:
        """Why the document's range holds no window that can be filled, in words; empty when it may hold one."""
        start, stop = self.within(asked)
        if asked == RangeRequest() or start is None or start < stop:
            return ""
        held = "" if self.holds is None else f"its tiers hold whole windows from {shown(self.holds)} on, "
        return f"{held}the newest closed one ends at {shown(self.closed)}"


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a run goes on: its rollup, the first window not looked at yet, and when it began. In seconds since 1970."""

    rollup: str
    at: int | None
    as_of: int

    @classmethod
    def of(cls, kept: Any) -> Cursor:
        return cls(kept["rollup"], None if kept["at"] is None else seconds(kept["at"]), seconds(kept["as_of"]))

    def json(self) -> Mapping[str, str | None]:
        return {
            "rollup": self.rollup,
            "at": None if self.at is None else shown(self.at),
            "as_of": shown(self.as_of),
        }


def seconds(moment: str) -> int:
    """Seconds since 1970 of `2026-03-02 09:00:00`; UTC unless it says otherwise. Raises ValueError."""
    read = datetime.fromisoformat(moment)
    return int((read.replace(tzinfo=UTC) if read.tzinfo is None else read).timestamp())


def shown(moment: int) -> str:
    return f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%dT%H:%M:%SZ}"


def _floor(moment: int, every: int) -> int:
    return moment // every * every
