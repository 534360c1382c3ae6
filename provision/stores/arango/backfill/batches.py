"""Backfills in ArangoDB: edges made of the rows of another store, page by page of its key.

An edge's `_key` comes of its row and an edge that is there stays as it is, so that a page done again does no harm.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from provision.backfill import advice
from provision.backfill.log import LoggedBatches, LoggedRuns, LoggedWork, Stepped, schema_changed
from provision.documents.refused import Refused
from provision.errors import BatchFailed, FailedError, ProvisionError
from provision.model.backfills import NAMED, SMALL, Backfill, Left, Source, SourceRow
from provision.ports.backfill import FROM
from provision.stores.arango.backfill.edges import Edge, Pattern, Unfit
from provision.stores.arango.backfill.refused import refused
from provision.stores.arango.backfill.runs import ArangoLog
from provision.stores.arango.backfill.write import missing, write
from provision.stores.arango.names import Keys
from provision.stores.arango.server import NO_COLLECTION, PAGE, Server, ServerRefused

_VALUE = {"type": ["string", "number", "boolean"], "description": "a constant, or a text with columns: {tenant_id}"}
_VERTEX = {
    "type": "string",
    "pattern": "^[^/{}]+/[^/]+$",
    "description": "a vertex by collection and _key, with columns of `from`: nodes/{name}",
}
KEYS: Mapping[str, Mapping[str, Any]] = {
    "from": FROM,
    "edges": {"type": "string", "minLength": 1, "description": "the collection of edges to fill"},
    "_from": _VERTEX,
    "_to": _VERTEX,
    "_key": {
        "type": "string",
        "pattern": "\\{[^{}]+\\}",
        "description": "the key of the edge, with columns of `from` that tell every edge from the others",
    },
    "set": {
        "type": "object",
        "minProperties": 1,
        "description": "`attribute: value` for each further attribute of the edge",
        "additionalProperties": _VALUE,
    },
    "ends": {
        "type": "object",
        "minProperties": 1,
        "description": "`attribute: value` for each attribute that both vertices must have with that value",
        "additionalProperties": _VALUE,
    },
}
REQUIRED = ("from", "edges", "_from", "_to", "_key")
_FIX = "write the vertex or correct the row, or pass such rows over with --skip-failed N"


class ArangoBatches(LoggedBatches):
    """`provision.ports.backfill.Batches`."""

    def __init__(self, keys: Keys, server: Callable[[], Server]) -> None:
        self._server = server
        self.runs = LoggedRuns(ArangoLog(keys, server), self.now, keys.store)

    def work(self, backfill: Backfill) -> ArangoWork:
        return ArangoWork(self.runs, backfill, self._server)

    def now(self) -> datetime:
        with self._server().reading():
            return datetime.fromtimestamp(self._server().now() / 1000, UTC)


class ArangoWork(LoggedWork):
    """`provision.ports.backfill.Work`: a cursor is the key of the last row; `but` are rows that it passes by unsaid."""

    def __init__(self, runs: LoggedRuns, backfill: Backfill, server: Callable[[], Server]) -> None:
        super().__init__(runs)
        self._backfill, self._server = backfill, server
        self._pattern = Pattern(backfill)
        self._opened: Source | None = None
        self._but: list[str] = []

    def refused(self) -> Sequence[ProvisionError]:
        with self._server().reading():
            return [*refused(self._server(), self._backfill, self._pattern), *self._source().refused()]

    def total(self) -> int | None:
        return self._source().count()

    def size(self) -> int | None:
        return self._source().count(SMALL)

    def cursors(self, _parts: int) -> Sequence[object]:
        return [{"after": None, "but": self._but}]

    def left(self, run: str) -> Left:
        """Reads every row again: one may have come before the place that a cursor had reached."""
        self._but = [key for key, _ in self._runs.skipped(run)]
        left, after, named = 0, None, list[str]()
        while page := self._source().page(after, PAGE):
            after = page[-1].key
            wanted = [row for row in page if _named(row) not in self._but]
            found = self._missing(wanted)
            left += found
            if found and len(named) < NAMED:
                named += [_named(row) for row in wanted if self._missing([row])][: NAMED - len(named)]
        # Only the first rows that were passed over are kept by their keys.
        return Left(max(left - self._skipped(run) + len(self._but), 0), tuple(named))

    def step(self, cursor: object, rows: int) -> Stepped:
        """As far as the first row that cannot be filled, which then comes first. Raises BatchFailed for that one."""
        assert isinstance(cursor, dict)
        page = self._source().page(cursor["after"], rows)
        if not page:
            return Stepped(cursor, True, 0, 0)
        wanted = [row for row in page if _named(row) not in cursor["but"]]
        edges, why = self._edges(wanted)
        with self._writing():
            good, said = write(self._server(), self._pattern.collection, edges)
        looked_at = page.index(wanted[good]) if said or why else len(page)
        if not looked_at:
            what = f"row {_named(page[0])}: {said or why}"
            fix = advice.resume_or_anew(self._backfill.name, _FIX, "the template is to change")
            raise BatchFailed(what, rows=1, where=self._backfill.shown, fix=fix)
        return Stepped({**cursor, "after": list(page[looked_at - 1].key)}, False, looked_at, good)

    def pass_over(self, cursor: object) -> Stepped:
        try:
            return self.step(cursor, 1)
        except BatchFailed as error:
            assert isinstance(cursor, dict)
            [row] = self._source().page(cursor["after"], 1)
            why = error.what.removeprefix(f"row {_named(row)}: ")
            return Stepped({**cursor, "after": list(row.key)}, False, 1, 0, ((_named(row), why),))

    def close(self) -> None:
        if self._opened is not None:
            self._opened.close()
        self._opened = None

    def _edges(self, rows: Sequence[SourceRow]) -> tuple[list[Edge], str]:
        """The edges of the rows before the first that makes none, and why that one does not."""
        edges: list[Edge] = []
        for row in rows:
            try:
                edges.append(self._pattern.edge(row))
            except Unfit as unfit:
                return edges, str(unfit)
        return edges, ""

    def _missing(self, rows: Sequence[SourceRow]) -> int:
        edges: list[Edge] = []
        for row in rows:
            some, _ = self._edges([row])
            edges += some
        with self._writing():
            return len(rows) - len(edges) + missing(self._server(), self._pattern.collection, edges)

    def _skipped(self, run: str) -> int:
        return next((each.rows_skipped for each in self._runs.read(self._backfill.name) if each.run == run), 0)

    def _source(self) -> Source:
        if self._opened is None:
            assert self._backfill.source is not None
            self._opened = self._backfill.source()
        return self._opened

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Raises UnreachableError, since all of it can be done again, FailedError (schema-changed, batch-refused)."""
        server, where = self._server(), self._backfill.shown
        try:
            with server.http.reading():
                yield
        except Refused as no:
            if isinstance(no, ServerRefused) and no.number == NO_COLLECTION:
                raise schema_changed(str(no), self._backfill) from None
            what = f"{self._backfill.store}: {no}"
            fix = advice.resume_or_anew(self._backfill.name, "remove the cause")
            raise FailedError("batch-refused", what, where=where, fix=fix) from None


def _named(row: SourceRow) -> str:
    return ", ".join(row.key)
