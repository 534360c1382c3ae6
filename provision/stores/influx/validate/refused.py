"""Asks InfluxDB about a measurement and its checks before points are read: names of databases, tiers, fields, tags."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from provision.errors import ConfigError, ProvisionError
from provision.model.checks import Check, Table
from provision.stores.influx.migrate.model import Tier
from provision.stores.influx.server import Server
from provision.stores.influx.validate.place import FieldSort, Language, Span
from provision.text.nearest import alike, near
from provision.validate.columns import columns, no_text

# Closer than two names of one meaning, such as probability_up and probability_down.
_CLOSE = 0.9
# A regular expression counts characters, which makes it as long as a text may be.
_MOST = 1_000_000
_BOUNDS = ("min", "max", "above", "below")


def refused(server: Server, language: Language, table: Table) -> Iterator[ProvisionError]:
    """A measurement without points has no names of fields and tags: then those cannot be wrong."""
    missing = [key for key in ("database", "tier") if key not in table.options]
    if missing:
        what, fix = f"{table.name} has no `{missing[0]}`", "name the database and the tier of the measurement"
        yield ConfigError("document-invalid", what, where=table.place, fix=fix)
        return
    database = str(table.options["database"])
    tiers = server.tiers(database)
    if tiers is None:
        fix = near(database, server.databases(), "its databases")
        yield ConfigError("unknown-table", f"{table.store} has no database {database}", where=table.place, fix=fix)
        return
    unknown = list(_unknown_tiers(table, tiers))
    yield from unknown
    if not unknown:
        yield from _of_measurement(language, table, Span(database, str(table.options["tier"]), table.name))


def _unknown_tiers(table: Table, tiers: Mapping[str, Tier]) -> Iterator[ConfigError]:
    named = [(str(table.options["tier"]), table.place)]
    for check in table.checks:
        source = check.body.get("from") if isinstance(check.body, Mapping) else None
        named += [(str(source["tier"]), check.place)] if isinstance(source, Mapping) else []
    for tier, place in named:
        if tier not in tiers:
            what = f"{table.options['database']} has no tier {tier}"
            yield ConfigError("unknown-table", what, where=place, fix=near(tier, list(tiers), "its tiers"))


def _of_measurement(language: Language, table: Table, span: Span) -> Iterator[ProvisionError]:
    for check in table.checks:
        if check.kind == "max_length" and cast(Mapping[str, Any], check.body)["max"] > _MOST:
            what = f"{check.name}: of a field no more than {_MOST:,} characters are counted"
            yield ConfigError("document-invalid", what, where=check.place, fix=f"write at most {_MOST}")
    for place, body in ((each.place, each.body) for each in table.checks if each.kind == "range"):
        if any(not _number(cast(Mapping[str, Any], body).get(key, 0)) for key in _BOUNDS):
            what = "a bound of a field is a number"
            yield ConfigError("document-invalid", what, where=place, fix="write it without quotes")
    fields = language.fields(span)
    if not fields:
        return
    tags = language.tags(span)
    if table.time not in (None, "time"):
        what = f"the time of a point is called time, not {table.time}"
        yield ConfigError("unknown-column", what, where=table.place, fix="write `time: time`")
    yield from _misspelt(table, (*tags, *fields))
    for check in table.checks:
        sort = fields.get(_used(check)[0]) if check.kind in ("range", "max_length") else None
        if check.kind == "range" and sort not in (None, FieldSort.NUMBER):
            what = f"{check.name}: {_used(check)[0]} is no number"
            yield ConfigError("bad-expression", what, where=check.place, fix="name a field of numbers")
        if check.kind == "max_length" and sort not in (None, FieldSort.TEXT):
            yield no_text(check, str(sort))


def _misspelt(table: Table, known: Sequence[str]) -> Iterator[ConfigError]:
    """An error for every name that is almost one of a field or tag. Any other may come with the next point."""
    named = [(table.tenant, table.place)] if table.tenant is not None else []
    named += [(name, check.place) for check in table.checks for name in (*_used(check), *check.sample, *check.mask)]
    for name, place in dict.fromkeys(named):
        close = () if name in (*known, "time") else alike(name, known, at_least=_CLOSE)
        if close:
            what = f"no point of {table.name} has {name}"
            yield ConfigError("unknown-column", what, where=place, fix=f"did you mean {close[0]}?")


def _used(check: Check) -> tuple[str, ...]:
    body = check.body if isinstance(check.body, Mapping) else {}
    return (*columns(body.get("column")), *columns(body.get("per")))


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
