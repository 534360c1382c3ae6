"""Data checks in InfluxDB: values of fields, windows without points, points that should be gone or are to come."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from provision.errors import ConfigError, FailedError, ProvisionError, UnreachableError
from provision.model.checks import Check, Row, Scope, Table, Tally
from provision.stores.influx.migrate.model import DAY, HOUR, Tier
from provision.stores.influx.server import Server
from provision.stores.influx.validate.flux import CheckFlux
from provision.stores.influx.validate.influxql import CheckInfluxql
from provision.stores.influx.validate.place import LONGER, Ask, FieldSort, Language, Record, Span, Test
from provision.stores.influx.validate.refused import refused
from provision.stores.influx.validate.timed import InfluxTimed
from provision.stores.influx.validate.windows import BILLION, EmptyWindows, StaleWindows, aligned, names
from provision.text.durations import DURATION, seconds
from provision.validate.columns import (
    COLUMNS,
    FRESHNESS,
    MAX_LENGTH,
    NOT_NULL_SHARE,
    RANGE,
    age_tally,
    ahead,
    body,
    columns,
)
from provision.validate.scan import KEPT, Deadline, Samples, shown, since

_TEXT = {"type": "string", "minLength": 1}
_DURATION = {"type": "string", "pattern": DURATION}
_CALL = {"type": "string", "pattern": r"^(count|sum)\([^\"\\()/\u0000-\u001f\u007f]+\)$"}
_EVERY = {
    "every": {**_DURATION, "description": "the length of a window: 1m, 1h or 1d"},
    "per": {**COLUMNS, "description": "the tag, or tags, each value of which has windows of its own"},
}
_REACH = {
    "late": {**_DURATION, "description": "how long after its end a window may still be made; else its length"},
    "within": {**_DURATION, "description": "how far back to look; else as far as the tier keeps points, or 1d"},
}


def _source(**more: Mapping[str, Any]) -> dict[str, Any]:
    """The schema of the measurement that windows are made of; `more` are keys that it must have too."""
    keys = {
        "tier": {**_TEXT, "description": "the tier of the points that a window is made of"},
        "table": {**_TEXT, "description": "their measurement"},
    }
    shape = ", ".join(f"{key}: …" for key in (*keys, *more))
    return body((*keys, *more), {**keys, **more}, f"`{{{shape}}}`")


KINDS: dict[str, Mapping[str, Any]] = {
    "not_null_share": NOT_NULL_SHARE,
    "range": RANGE,
    "max_length": MAX_LENGTH,
    "freshness": FRESHNESS,
    "missing_windows": body(
        ("every",),
        {**_EVERY, "from": _source(), **_REACH},
        "`{every: 1m, from: {tier: …, table: …}}`",
    ),
    "stale_windows": body(
        ("every", "value", "from"),
        {**_EVERY, "value": {**_CALL, "description": "what a window says: sum(samples)"}, **_REACH}
        | {"from": _source(value={**_CALL, "description": "what its points say: count(value)"})},
        "`{every: 1m, value: sum(samples), from: {tier: …, table: …, value: count(value)}}`",
    ),
    "outside_retention": body(
        (), {"ahead": {**_DURATION, "description": "how far in the future a point may be; else 1h"}}, "`{}`"
    ),
}
TABLE: dict[str, dict[str, object]] = {
    "database": {**_TEXT, "description": "the database of the measurement"},
    "tier": {**_TEXT, "description": "the retention policy (1.x) or bucket `database/tier` (2.x) of the measurement"},
}
LANGUAGES: Mapping[str, Callable[[Ask], Language]] = {"influxql": CheckInfluxql, "flux": CheckFlux}
# A server looks for what is past its time twice an hour, and drops whole shard groups.
_CHECKED = HOUR
_OUTSIDE: Mapping[str, str] = {"min": "<", "max": ">", "above": "<=", "below": ">="}


@dataclass(frozen=True, slots=True)
class _Look:
    """One table of one scope: what is asked, where, until when, and the fields that it has."""

    language: Language
    table: Table
    span: Span
    tier: Tier
    fields: Mapping[str, FieldSort]
    scope: Scope
    deadline: Deadline

    def points(self, span: Span) -> int:
        """How many there are: those that have the field that most have."""
        return max(self.language.counts(span, list(self.fields)).values(), default=0)


class InfluxChecks:
    """`provision.ports.validate.Checks`; a table is a measurement of a tier, a row is a point."""

    keyed = None
    queries = None

    def __init__(self, server: Callable[[], Server]) -> None:
        self._server = server
        self._samples = Samples()
        self.timed = InfluxTimed(lambda text, deadline: _answered(server(), text, deadline))

    def refused(self, table: Table) -> Sequence[ProvisionError]:
        server, deadline = self._server(), Deadline(Scope(seconds=60))
        language = LANGUAGES[server.language](lambda text: _answered(server, text, deadline))
        return list(refused(server, language, table))

    def tally(self, table: Table, scope: Scope) -> Sequence[Tally]:
        begun, look = time.monotonic(), self._look(table, scope)
        whole = Tally(0, look.points(look.span), duration_ms=since(begun))
        ranges = [str(cast(Mapping[str, Any], each.body)["column"]) for each in table.checks if each.kind == "range"]
        extremes = look.language.extremes(look.span, [each for each in dict.fromkeys(ranges) if each in look.fields])
        found = [whole]
        for check in table.checks:
            begun = time.monotonic()
            tally, rows = _KINDS[check.kind](look, check, whole.total, extremes)
            self._samples.keep(table, check, scope, rows)
            found.append(replace(tally, duration_ms=since(begun)))
        return found

    def samples(self, table: Table, check: Check, scope: Scope, limit: int) -> Sequence[Row]:
        if check.kind not in _SAMPLED:
            return self._samples.of(table, check, scope, limit)
        look = self._look(table, scope)
        found: list[Row] = []
        for span, name, tests in _SAMPLED[check.kind](look, check):
            usual = ("time", *look.language.tags(span), name)
            wanted = [each for each in check.sample or usual if each not in check.mask]
            rows = look.language.rows(span, name, tests, wanted, limit - len(found))
            found += [shown(check, _told(row), usual) for row in rows]
            if len(found) >= limit:
                break
        return found[:limit]

    def _look(self, table: Table, scope: Scope) -> _Look:
        server, deadline = self._server(), Deadline(scope)
        database, tier = (str(table.options.get(key, "")) for key in ("database", "tier"))
        tags = {table.tenant: scope.tenant} if table.tenant is not None and scope.tenant is not None else {}
        span = Span(database, tier, table.name, _nanoseconds(scope.since), _nanoseconds(scope.until), tags)
        language = LANGUAGES[server.language](lambda text: _answered(server, text, deadline))
        tiers = server.tiers(database) or {}
        fields = language.fields(Span(database, tier, table.name))
        return _Look(language, table, span, tiers[tier], fields, scope, deadline)


_Found = tuple[Tally, Sequence[Row]]


def _range(look: _Look, check: Check, _total: int, extremes: Mapping[str, tuple[float, float]]) -> _Found:
    """The extremes say for most fields that nothing is outside; only of others are the bad values counted."""
    name, bounds = _column(check), _bounds(check)
    if name not in look.fields:
        return Tally(0, 0, f"no point has {name}"), ()
    total = look.language.counts(look.span, [name])[name]
    if name not in extremes or not any(_holds(each, bound) for each in extremes[name] for bound in bounds):
        return Tally(0, total), ()
    return Tally(look.language.outside(look.span, name, bounds), total), ()


def _not_null_share(look: _Look, check: Check, total: int, _extremes: Mapping[str, tuple[float, float]]) -> _Found:
    name = _column(check)
    have = look.language.counts(look.span, [name])[name] if name in look.fields else 0
    return Tally(total - have, total), ()


def _max_length(look: _Look, check: Check, _total: int, _extremes: Mapping[str, tuple[float, float]]) -> _Found:
    name = _column(check)
    if name not in look.fields:
        return Tally(0, 0, f"no point has {name}"), ()
    bad = look.language.outside(look.span, name, _tests(check))
    return Tally(bad, look.language.counts(look.span, [name])[name]), ()


def _freshness(look: _Look, check: Check, total: int, _extremes: Mapping[str, tuple[float, float]]) -> _Found:
    late = int(time.time() + ahead(check.body)) * BILLION
    ends = [each for each in (look.span.stop, late) if each is not None]
    newest = look.language.newest(replace(look.span, stop=min(ends)), list(look.fields))
    future = look.points(replace(look.span, start=max(look.span.start or late, late))) if late == min(ends) else 0
    age = None if newest is None else time.time() - newest / BILLION
    return age_tally(check.body, age, future, total), ()


def _missing(look: _Look, check: Check, _total: int, _extremes: Mapping[str, tuple[float, float]]) -> _Found:
    windows = _windows(look, check)
    bad = total = 0
    rows: list[Row] = []
    for (tags, begin), there in windows.expected(look.language, look.deadline):
        total += 1
        if not there:
            bad += 1
            if len(rows) < KEPT:
                row = {**dict(zip(windows.per, tags, strict=True)), "time": begin}
                rows.append(shown(check, _told(row), names(windows.per)))
    return Tally(bad, total), rows


def _stale(look: _Look, check: Check, _total: int, _extremes: Mapping[str, tuple[float, float]]) -> _Found:
    asked = cast(Mapping[str, Any], check.body)
    made = _windows(look, check)
    source = made.source or made.span
    windows = StaleWindows(made.span, asked["value"], source, asked["from"]["value"], made.every, made.per)
    bad = total = 0
    rows: list[Row] = []
    for (tags, begin), says, given in windows.compared(look.language, look.deadline):
        total += 1
        if not math.isclose(says, given, rel_tol=1e-9):  # sums of the same numbers in another order
            bad += 1
            if len(rows) < KEPT:
                row = {**dict(zip(made.per, tags, strict=True)), "time": begin, "says": says, "source": given}
                rows.append(shown(check, _told(row), (*names(made.per), "says", "source")))
    return Tally(bad, total), rows


def _outside(look: _Look, check: Check, total: int, _extremes: Mapping[str, tuple[float, float]]) -> _Found:
    return Tally(sum(look.points(span) for span in _spans(look, check)), total), ()


def _windows(look: _Look, check: Check) -> EmptyWindows:
    asked = cast(Mapping[str, Any], check.body)
    every = seconds(asked["every"])
    now = int(time.time() * BILLION)
    within = seconds(asked["within"]) if "within" in asked else look.tier.duration or DAY
    start = look.span.start if look.span.start is not None else now - within * BILLION
    stop = min(look.span.stop or now, now - seconds(asked.get("late", every)) * BILLION)
    # Windows that are cut by the ends of the range are left out: nobody knows whether points lay in the rest.
    begin, end = aligned(start + every * BILLION - 1, every), aligned(stop, every)
    span = replace(look.span, start=begin, stop=end)
    source = asked.get("from")
    made_of = replace(span, tier=source["tier"], measurement=source["table"]) if source else None
    return EmptyWindows(span, made_of, every, columns(asked.get("per")))


def _spans(look: _Look, check: Check) -> Iterator[Span]:
    """What is past the time of the tier and what is too far in the future, as far as the scope goes."""
    now = int(time.time() * BILLION)
    ahead = seconds(cast(Mapping[str, Any], check.body).get("ahead", HOUR))
    if look.tier.duration:
        oldest = now - (look.tier.duration + look.tier.shard + _CHECKED) * BILLION
        yield replace(look.span, stop=min(look.span.stop or oldest, oldest))
    newest = now + ahead * BILLION
    if look.span.stop is None or look.span.stop > newest:
        yield replace(look.span, start=max(look.span.start or newest, newest))


def _column(check: Check) -> str:
    return str(cast(Mapping[str, Any], check.body)["column"])


def _bounds(check: Check) -> list[tuple[str, float]]:
    asked = cast(Mapping[str, Any], check.body)
    return [(sign, float(asked[key])) for key, sign in _OUTSIDE.items() if key in asked]


def _tests(check: Check) -> Sequence[Test]:
    """What holds for a bad value."""
    if check.kind == "max_length":
        return [(LONGER, cast(Mapping[str, Any], check.body)["max"])]
    return _bounds(check)


def _holds(value: float, test: tuple[str, float]) -> bool:
    sign, bound = test
    return {"<": value < bound, "<=": value <= bound, ">": value > bound, ">=": value >= bound}[sign]


def _bad_values(look: _Look, check: Check) -> Iterator[tuple[Span, str, Sequence[Test]]]:
    yield look.span, _column(check), _tests(check)


def _bad_points(look: _Look, check: Check) -> Iterator[tuple[Span, str, Sequence[Test]]]:
    for span in _spans(look, check):
        counts = look.language.counts(span, list(look.fields))
        if any(counts.values()):
            yield span, max(counts, key=lambda name: counts[name]), ()


_KINDS: Mapping[str, Callable[[_Look, Check, int, Mapping[str, tuple[float, float]]], _Found]] = {
    "not_null_share": _not_null_share,
    "range": _range,
    "max_length": _max_length,
    "freshness": _freshness,
    "missing_windows": _missing,
    "stale_windows": _stale,
    "outside_retention": _outside,
}
_SAMPLED: Mapping[str, Callable[[_Look, Check], Iterator[tuple[Span, str, Sequence[Test]]]]] = {
    "range": _bad_values,
    "max_length": _bad_values,
    "outside_retention": _bad_points,
}
"""Kinds whose bad points can be asked for: where, by which field, and what holds for a bad value."""


def _answered(server: Server, text: str, deadline: Deadline) -> Iterator[Record]:
    """Raises UnreachableError, FailedError (check-timeout, check-failed)."""
    try:
        yield from server.records(text, deadline.check())
    except UnreachableError:
        deadline.check()
        raise
    except ConfigError as error:
        if error.code != "server-refused":
            raise
        raise FailedError("check-failed", error.what, where=error.where, fix="correct the check") from None


def _told(row: Record) -> Record:
    return {**row, "time": datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(row["time"]) // 1000)}


def _nanoseconds(moment: datetime | None) -> int | None:
    if moment is None:
        return None
    passed = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (passed.days * DAY + passed.seconds) * BILLION + passed.microseconds * 1000
