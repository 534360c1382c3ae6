"""What InfluxDB holds, the same for every version: tiers (how long points are kept) and rollups between them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from provision.text import durations

INFINITE: Final = "inf"
# A new database begins with this tier: infinite, and the default.
FIRST_TIER: Final = "autogen"
HOUR: Final = 3600
DAY: Final = 24 * HOUR
WEEK: Final = 7 * DAY
FUNCTIONS: Final = ("count", "first", "last", "max", "mean", "min", "spread", "stddev", "sum")
_UNITS = (("d", DAY), ("h", HOUR), ("m", 60), ("s", 1))
SORTS: Final = ("float", "integer")
_CALL = re.compile(rf"(\w+)\(([^()]+?)(?:::({'|'.join(SORTS)}))?\)")
_FRACTION = re.compile(r"(\w+\([^()]+\))(?: */ *(\w+\([^()]+\)))?")
_ROOT = re.compile(r"sqrt\((.*)\)")


def seconds(duration: str) -> int:
    """Seconds of `24h`, `30d`, `2w`; 0 for `inf`. Raises ValueError for anything else."""
    return 0 if duration == INFINITE else durations.seconds(duration)


def shown(duration: int) -> str:
    """A duration in seconds as a document writes it: `90m`, `24h`, `30d`, `inf`."""
    if not duration:
        return INFINITE
    # `24h` and `1d` are one; the shorter unit is what people say of a single day.
    unit, size = next(each for each in _UNITS if duration % each[1] == 0 and duration != each[1] * (each[0] == "d"))
    return f"{duration // size}{unit}"


def default_shard(duration: int) -> int:
    """The span of one shard group, in seconds, that a server of any version gives a tier that asks for none."""
    if not duration or duration >= 180 * DAY:
        return WEEK
    return DAY if duration >= 2 * DAY else HOUR


@dataclass(frozen=True, slots=True)
class Tier:
    """A retention policy of 1.x, a bucket of 2.x. Durations in seconds; `duration` 0 keeps points for ever."""

    database: str
    name: str
    duration: int
    shard: int
    default: bool = False

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Tier:
        """The tier that `create_retention_policy` describes."""
        duration = seconds(body["duration"])
        shard = seconds(body["shard_duration"]) if "shard_duration" in body else default_shard(duration)
        return cls(body["database"], body["name"], duration, shard, body.get("default", False))

    def difference(self, wanted: Tier) -> str:
        """How this tier, found on a server, is not the wanted one, as a sentence; empty when it is."""
        for word, here, there in (
            ("a duration", self.duration, wanted.duration),
            ("a shard duration", self.shard, wanted.shard),
        ):
            if here != there:
                found = f"tier {self.name} of {self.database} is there with {word} of {shown(here)}"
                return f"{found}, the file says {shown(there)}"
        return ""


@dataclass(frozen=True, slots=True)
class Call:
    """An aggregate of one field. With `sort`, its values are numbers of that type, whatever type writers gave them."""

    function: str
    field: str
    sort: str | None = None

    @classmethod
    def of(cls, text: str) -> Call:
        """The call written as `sum(value)` or `sum(value::integer)`. Raises ValueError."""
        match = _CALL.fullmatch(text)
        if match is None or match[1] not in FUNCTIONS:
            raise ValueError(f"{text} is no call")
        return cls(match[1], match[2], match[3])

    def __str__(self) -> str:
        return f"{self.function}({self.field}{f'::{self.sort}' if self.sort else ''})"


@dataclass(frozen=True, slots=True)
class Output:
    """A field that a rollup writes: a call, or one call divided by another; with `root`, the square root of that."""

    name: str
    call: Call
    by: Call | None = None
    root: bool = False

    @classmethod
    def of(cls, name: str, text: str) -> Output:
        """The output written as `sum(a)`, `sum(a) / sum(b)` or `sqrt(sum(a) / sum(b))`. Raises ValueError."""
        root = _ROOT.fullmatch(text)
        match = _FRACTION.fullmatch(root[1] if root else text)
        if match is None or (root and not match[2]):
            raise ValueError(f"{text} is no call, nor one divided by another")
        return cls(name, Call.of(match[1]), Call.of(match[2]) if match[2] else None, bool(root))

    def __str__(self) -> str:
        fraction = f"{self.call} / {self.by}" if self.by else str(self.call)
        return f"sqrt({fraction})" if self.root else fraction


@dataclass(frozen=True, slots=True)
class TierPlace:
    """A measurement in a tier."""

    tier: str
    measurement: str


@dataclass(frozen=True, slots=True)
class Rollup:
    """A continuous query of 1.x, a task of 2.x.

    Its windows are `every` seconds long. Every `runs` seconds, unless stated as often as a window ends, it computes
    those that ended since, and those into which a point may still have come that was `late` seconds late. `group_by`
    None keeps every tag.
    """

    database: str
    name: str
    source: TierPlace
    target: TierPlace
    every: int
    late: int
    outputs: tuple[Output, ...]
    group_by: tuple[str, ...] | None
    offset: int | None = None
    runs: int | None = None

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Rollup:
        """The rollup that `create_rollup` describes. Raises ValueError for an output that cannot be read."""
        return cls(
            body["database"],
            body["name"],
            TierPlace(**body["from"]),
            TierPlace(**body["into"]),
            seconds(body["every"]),
            seconds(body["late"]) if "late" in body else 0,
            tuple(Output.of(name, text) for name, text in body["fields"].items()),
            None if body["group_by"] == "*" else tuple(body["group_by"]),
            seconds(body["offset"]) if "offset" in body else None,
            seconds(body["runs"]) if "runs" in body else None,
        )

    @property
    def interval(self) -> int:
        """Seconds from one run to the next."""
        return self.runs or self.every

    @property
    def span(self) -> int:
        """How far back each run reaches, in seconds, in whole windows.

        A point that came `late` is counted by the run after it came, which is at most one interval later.
        """
        return self.every * -(-(self.interval + self.late) // self.every)

    @property
    def delay(self) -> int:
        """The offset of a task, in seconds: unless stated, so much that the task of the tier below has ended."""
        return min(max(5, self.interval // 60), self.interval // 2) if self.offset is None else self.offset

    def body(self) -> dict[str, Any]:
        """The rollup as a document writes it."""
        return {
            "database": self.database,
            "name": self.name,
            "from": {"tier": self.source.tier, "measurement": self.source.measurement},
            "into": {"tier": self.target.tier, "measurement": self.target.measurement},
            "every": shown(self.every),
            **({"late": shown(self.late)} if self.late else {}),
            **({"offset": shown(self.offset)} if self.offset is not None else {}),
            **({"runs": shown(self.runs)} if self.runs is not None else {}),
            "fields": {each.name: str(each) for each in self.outputs},
            "group_by": "*" if self.group_by is None else list(self.group_by),
        }
