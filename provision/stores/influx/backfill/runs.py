"""The log of backfill runs, in the ledger's database: points of a measurement of their own, none over another."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from provision.backfill.log import RunLogEntry
from provision.documents.refused import Refused
from provision.errors import ConfigError, FailedError, UnreachableError
from provision.stores.influx import annotated
from provision.stores.influx.migrate import flux
from provision.stores.influx.migrate.influxql import quoted, text
from provision.stores.influx.names import OWN
from provision.stores.influx.server import LOG_TIER, Server

MEASUREMENT = "backfills"
SECONDS = 60.0  # for one answer


class RunEntries:
    """`provision.backfill.log.Entries`: a series for each run and part, the version of an entry as its time in ns.

    The server writes one point over another of the same time without a word, so that `add` looks first. Between the
    look and the write the lease of the run is all there is.
    """

    def __init__(self, project: str, store: str, server: Callable[[], Server]) -> None:
        self._server = server
        self._tags = {"project": project, "store": store}
        self._database = f"{OWN}{project}"
        self._made = False

    def create(self) -> None:
        """Make the database if it is absent. Raises ConfigError (not-allowed), UnreachableError."""
        server = self._server()
        try:
            with sending():
                server.make_log(self._database)
        except Refused as refused:
            what = f"the log's database {self._database} cannot be made: {refused}"
            fix = refused.fix or "give the user the right to make databases"
            raise ConfigError("not-allowed", what, where=server.shown, fix=fix) from None

    def newest(self, run: str | None = None) -> Iterator[RunLogEntry]:
        if not self._there():
            return
        server = self._server()
        only = self._tags | ({"run": run} if run is not None else {})
        asked = _influxql(self._database, only) if server.language == "influxql" else _flux(self._database, only)
        found: dict[tuple[str, int], dict[str, Any]] = {}
        for row in server.records(asked, SECONDS):
            # One row of 1.x has both fields, one of 2.x has one of them.
            fields = {row["_field"]: row["_value"]} if "_field" in row else row
            found.setdefault((str(row["run"]), int(row["n"])), {}).update(fields)
        for (of, n), fields in sorted(found.items()):
            yield RunLogEntry(of, n, int(fields["version"]), json.loads(fields["body"]))

    def add(self, entry: RunLogEntry) -> bool:
        if any(each.n == entry.n and each.version >= entry.version for each in self.newest(entry.run)):
            return False
        server = self._server()
        try:
            with sending():
                server.write(self._database, _line({**self._tags, "run": entry.run, "n": str(entry.n)}, entry))
        except Refused as refused:
            what, fix = (
                f"the server refused an entry of the run's log: {refused}",
                "see to the cause, then `provision backfill resume NAME`",
            )
            raise FailedError("server-refused", what, where=server.shown, fix=fix) from None
        return True

    def _there(self) -> bool:
        self._made = self._made or LOG_TIER in (self._server().tiers(self._database) or {})
        return self._made


@contextmanager
def sending() -> Iterator[None]:
    """A lost answer raises UnreachableError: what backfills send does no harm when it is sent again."""
    try:
        yield
    except FailedError as error:
        if error.code != "server-lost":
            raise
        raise UnreachableError("unreachable", error.what, where=error.where, fix=error.fix) from None


def _influxql(database: str, only: Mapping[str, str]) -> str:
    place = f"{quoted(database)}.{quoted(LOG_TIER)}.{quoted(MEASUREMENT)}"
    where = " AND ".join(f"{quoted(name)} = {text(value)}" for name, value in only.items())
    return f"SELECT version, body FROM {place} WHERE {where} GROUP BY run, n ORDER BY time DESC LIMIT 1"


def _flux(database: str, only: Mapping[str, str]) -> str:
    tests = " and ".join(
        f"r.{name} == {flux.text(value)}" for name, value in {"_measurement": MEASUREMENT, **only}.items()
    )
    bucket = flux.text(flux.bucket(database, LOG_TIER))
    return f"from(bucket: {bucket}) |> range(start: {annotated.time(0)}) |> filter(fn: (r) => {tests}) |> last()"


def _line(tags: Mapping[str, str], entry: RunLogEntry) -> str:
    """The entry in line protocol; its JSON holds no line break."""
    tagged = "".join(f",{name}={_escaped(value, ',= ')}" for name, value in sorted(tags.items()))
    body = _escaped(json.dumps(dict(entry.body), ensure_ascii=False).replace("\\", "\\\\"), '"')
    return f'{MEASUREMENT}{tagged} version={entry.version}i,body="{body}" {entry.version}'


def _escaped(value: str, signs: str) -> str:
    return "".join(f"\\{each}" if each in signs else each for each in value)
