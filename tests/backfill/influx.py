"""A project with rollups on a real InfluxDB 1.6 or 2.7, seen past the store under test."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlencode

from tests.servers.rest import influxql
from tests.stores.influx.api import Api
from tests.stores.influx.raw import Raw

MINUTE, HOUR, DAY = 60, 3600, 86400
TOML = """
[project]
name = "shop"
home = "none"
[stores.influx]
[environments.test]
influx = {{ {0} }}
"""
TIERS = """\
up:
  - create_database: {name: app}
  - create_retention_policy: {database: app, name: raw, duration: 7d, shard_duration: 1d, default: true}
  - create_retention_policy: {database: app, name: hourly, duration: 30d, shard_duration: 1d}
  - create_retention_policy: {database: app, name: daily, duration: inf}
down: auto
"""
ROLLUPS = """\
up:
  - create_rollup:
      database: app
      name: by_hour
      from: {{tier: raw, measurement: requests}}
      into: {{tier: hourly, measurement: requests_1h}}
      every: 1h
      late: 10m
      fields:
        total: sum(bytes)
        newest: last(bytes)
        samples: count(bytes)
        share: sum(bytes) / count(bytes)
        slowest: max(ms)
      group_by: {0}
  - create_rollup:
      database: app
      name: by_day
      from: {{tier: hourly, measurement: requests_1h}}
      into: {{tier: daily, measurement: requests_1d}}
      every: 1d
      fields: {{total: sum(total), samples: sum(samples)}}
      group_by: [host]
down: auto
"""
TAGS = "[host, path]"
DOCUMENT = "store: influx\ndatabase: app\nrollup: {0}\nbatch: {{target: 100ms, rows: 20}}\n"
Row = dict[str, Any]
Rows = list[Row]


class Place(Protocol):
    @property
    def keys(self) -> Mapping[str, str]: ...

    def put(self, tier: str, *lines: str) -> None:
        """Write points, their times in seconds."""

    def found(self, tier: str, measurement: str) -> Rows:
        """Every point with its time in seconds, sorted."""

    def lose(self, measurement: str, tags: Mapping[str, str], begin: int, end: int) -> None:
        """Delete what has these tags from one moment to before another."""

    def roll(self, name: str, begin: int, end: int) -> None:
        """Let the continuous query or task itself compute all windows between."""

    def wipe(self) -> None: ...


class On1:
    def __init__(self, url: str) -> None:
        self.keys, self.raw = {"url": url}, Raw(url)

    def put(self, tier: str, *lines: str) -> None:
        self.raw.write("app", list(lines), tier)

    def found(self, tier: str, measurement: str) -> Rows:
        return ordered(self.raw.records(f'SELECT * FROM "app"."{tier}"."{measurement}"'))

    def lose(self, measurement: str, tags: Mapping[str, str], begin: int, end: int) -> None:
        only = "".join(f" AND \"{name}\" = '{value}'" for name, value in tags.items())
        where = f"time >= {begin}s AND time < {end}s{only}"
        influxql(self.keys, f'DELETE FROM "{measurement}" WHERE {where}', "app")

    def roll(self, name: str, begin: int, end: int) -> None:
        database = next(each for each in self.raw.databases() if name in self.raw.queries(each))
        text = re.search(r"BEGIN (SELECT .*) GROUP BY (.*) END$", self.raw.queries(database)[name])
        assert text is not None
        self.raw.ask(f"{text[1]} WHERE time >= {begin}s AND time < {end}s GROUP BY {text[2]}")

    def wipe(self) -> None:
        self.raw.wipe()


class On2:
    def __init__(self, url: str) -> None:
        self.keys, self.api = {"url": url, "token": "word", "org": "vfr"}, Api(url)

    def put(self, tier: str, *lines: str) -> None:
        self.api.ask("POST", f"/api/v2/write?org=vfr&bucket=app%2F{tier}&precision=s", "\n".join(lines))

    def found(self, tier: str, measurement: str) -> Rows:
        rows: dict[tuple[str, ...], Row] = {}
        for each in self.api.rolled(f"app/{tier}"):
            if each["_measurement"] != measurement:
                continue
            tags = {name: value for name, value in each.items() if name in ("host", "path")}
            moment = int(datetime.fromisoformat(each["_time"]).timestamp())
            row = rows.setdefault((str(moment), *map(str, tags.items())), {"time": moment, **tags})
            row[each["_field"]] = float(each["_value"])
        return ordered(rows.values())

    def lose(self, measurement: str, tags: Mapping[str, str], begin: int, end: int) -> None:
        predicate = " AND ".join([f'_measurement="{measurement}"', *(f'{name}="{tags[name]}"' for name in tags)])
        body = {"start": iso(begin), "stop": iso(end - 1), "predicate": predicate}
        for tier in ("raw", "hourly", "daily"):
            self.api.ask("POST", f"/api/v2/delete?{urlencode({'org': 'vfr', 'bucket': f'app/{tier}'})}", body)

    def roll(self, name: str, begin: int, end: int) -> None:
        task = self.api.tasks()[f"app/{name}"]
        every = {"1h": HOUR, "24h": DAY, "1d": DAY}[task["every"]]
        self.api.roll(task["name"], *map(iso, range(begin + every, end + 1, every)))

    def wipe(self) -> None:
        self.api.wipe()


def ordered(rows: Sequence[Row] | Any) -> Rows:
    """Rows without what they do not have, in order."""
    kept = [{name: value for name, value in row.items() if value not in (None, "")} for row in rows]
    return sorted(kept, key=lambda row: (row["time"], str(row.get("host")), str(row.get("path"))))


def iso(moment: int) -> str:
    return f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%dT%H:%M:%SZ}"


class Clock:
    """When the test began: what it calls an hour ago stays that, even where the next hour begins under it."""

    now = 0

    @classmethod
    def begin(cls) -> None:
        cls.now = int(time.time())


def hour(ago: int) -> int:
    """The begin of the hour so many hours before the one in which the test began."""
    return Clock.now // HOUR * HOUR - ago * HOUR


@dataclass(frozen=True)
class Shop:
    """A project in a folder, and the place where its points are."""

    folder: Path
    place: Place

    def document(self, name: str, rollup: str, *more: str) -> None:
        text = DOCUMENT.format(rollup) + "".join(f"{line}\n" for line in more)
        (self.folder / "backfills" / f"{name}.yaml").write_text(text)

    def fill(self, ago: Sequence[int]) -> None:
        """Requests of three series in these hours: not every one in each, some without ms, one without a path."""
        lines = []
        for each in ago:
            at = hour(each)
            lines += [
                f"requests,host=a,path=/x bytes={each + n}i,ms={each * 7 % 11}.5 {at + n * 600}" for n in range(6)
            ]
            lines += [f"requests,host=a,path=/y\\ 'z' bytes={each}i {at + 3599}"] if each % 3 else []
            lines += [f"requests,host=b bytes={each * each}i,ms=1 {at}", f"requests,host=b ms=9 {at + 1}"]
            lines += [f"requests,host=quiet other=1 {at}"]  # has nothing that the rollup reads
        self.place.put("raw", *lines)


def lay_out(folder: Path, place: Place, up: Callable[[], int], tags: str = TAGS) -> Shop:
    """Make the project and apply its documents; the working directory and environment are the caller's."""
    for name in ("influx", "backfills"):
        (folder / name).mkdir()
    said = ", ".join(f'{key} = "{value}"' for key, value in place.keys.items())
    (folder / "provision.toml").write_text(TOML.format(said))
    (folder / "influx" / "0001_tiers.yaml").write_text(TIERS)
    (folder / "influx" / "0002_rollups.yaml").write_text(ROLLUPS.format(tags))
    assert up() == 0
    return Shop(folder, place)
