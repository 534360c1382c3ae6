"""Data checks in ArangoDB: one query counts for all checks of single documents; the server ends what takes too long."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, cast

from provision.errors import FailedError, ProvisionError
from provision.model.checks import Check, Row, Scope, Table, Tally
from provision.net.http import Unanswered, path_of
from provision.stores.arango.server import PAGE, Server, ServerRefused
from provision.stores.arango.validate import aql, graph
from provision.stores.arango.validate.aql import CheckAql
from provision.stores.arango.validate.refused import refused
from provision.text.plain import MASKED, plain
from provision.validate.columns import (
    ACCEPTED_VALUES,
    BAD,
    COLUMNS,
    FRESHNESS,
    MAX_LENGTH,
    NOT_NULL,
    NOT_NULL_SHARE,
    RANGE,
    UNIQUE,
    age_tally,
    body,
    columns,
)
from provision.validate.scan import Deadline, Samples, since

KINDS: dict[str, Mapping[str, Any]] = {
    "bad": BAD,
    "not_null": NOT_NULL,
    "not_null_share": NOT_NULL_SHARE,
    "range": RANGE,
    "accepted_values": ACCEPTED_VALUES,
    "max_length": MAX_LENGTH,
    "unique": UNIQUE,
    "freshness": FRESHNESS,
    "dangling_edge": body((), {}, "`{}`"),
    "acyclic": body(
        (),
        {
            "within": {
                **COLUMNS,
                "description": "the attribute, or attributes, of which each value is a graph of its own",
            }
        },
        "`{}`, or `{within: decision_id}`",
    ),
}
TABLE: dict[str, dict[str, object]] = {}
KILLED = 1500
# The server ends a query by itself; a little later its answer is not waited for any more.
_GRACE = 5.0


class ArangoChecks:
    """`provision.ports.validate.Checks`; a table is a collection, a row is a document or an edge."""

    keyed = None
    queries = None
    timed = None

    def __init__(self, server: Callable[[], Server]) -> None:
        self._server = server
        self._samples = Samples()

    def refused(self, table: Table) -> Sequence[ProvisionError]:
        with self._server().reading():
            return list(refused(self._server(), table))

    def tally(self, table: Table, scope: Scope) -> Sequence[Tally]:
        scanned = tuple(each for each in table.checks if each.kind not in _OTHERS)
        found = dict(zip(("", *(each.name for each in scanned)), self._scan(table, scanned, scope), strict=True))
        whole = found[""]
        for check in table.checks:
            if check.kind in _OTHERS:
                begun = time.monotonic()
                tally = _OTHERS[check.kind](self, table, check, scope, whole.total)
                found[check.name] = replace(tally, duration_ms=since(begun))
        return [whole, *(found[each.name] for each in table.checks)]

    def samples(self, table: Table, check: Check, scope: Scope, limit: int) -> Sequence[Row]:
        if kept := self._samples.of(table, check, scope, limit):
            return kept
        made = CheckAql(table.name)
        if check.kind == "unique":
            return self._repeated(table, check, scope, limit)
        if check.kind not in aql.ROWS:
            return ()
        query = made.narrowed(table, scope) + f" FILTER {aql.ROWS[check.kind](check, made)} LIMIT {limit:d}"
        return self._sample(query, made, check, scope)

    def _scan(self, table: Table, checks: tuple[Check, ...], scope: Scope) -> Iterator[Tally]:
        """The tally of the table, and of each check that the one query counts."""
        begun, made = time.monotonic(), CheckAql(table.name)
        text = aql.scan(replace(table, checks=checks), scope, made)
        [[total, *counts]] = self._rows(text, made.bind, scope)
        total = int(total or 0)  # the sum of nothing is null
        now, at = time.time() * 1000, iter(counts)
        yield Tally(0, total, duration_ms=since(begun))
        for check in checks:
            count = next(at)
            if check.kind in aql.ROWS:
                tally = Tally(int(count or 0), total)
            else:
                age = None if count is None else (now - count) / 1000
                tally = age_tally(check.body, age, int(next(at) or 0), total)
            yield replace(tally, duration_ms=since(begun))

    def _unique(self, table: Table, check: Check, scope: Scope, total: int) -> Tally:
        made = CheckAql(table.name)
        text = f"{aql.repeated(check, table, scope, made)} COLLECT AGGREGATE found = SUM(n) RETURN found"
        [found] = self._rows(text, made.bind, scope)
        return Tally(int(found or 0), total)

    def _repeated(self, table: Table, check: Check, scope: Scope, limit: int) -> Sequence[Row]:
        made = CheckAql(table.name)
        keys = list(self._rows(f"{aql.repeated(check, table, scope, made)} LIMIT {limit:d} RETURN k", made.bind, scope))
        made = CheckAql(table.name)
        narrowed = made.narrowed(table, scope)
        key = f"[{', '.join(made.keys(check))}]"
        return self._sample(f"{narrowed} FILTER {key} IN {made.value(keys)} LIMIT {limit:d}", made, check, scope)

    def _acyclic(self, table: Table, check: Check, scope: Scope, total: int) -> Tally:
        """How many edges lie on cycles. A graph of its own for each value of `within`: its vertices bear that value."""
        within = columns(cast(Mapping[str, Any], check.body).get("within"))
        made, deadline = CheckAql(table.name), Deadline(scope)
        text = made.narrowed(table, scope)
        listed = ", ".join(("doc._from", "doc._to", *(made.attribute(each) for each in within)))
        rows = self._rows(f"{text} RETURN [{listed}]", made.bind, scope)
        edges = ((_vertex(row[0], row[2:]), _vertex(row[1], row[2:])) for row in rows)
        found = list(graph.cycles(edges, deadline))
        self._samples.keep(table, check, scope, [_cycle_row(check, within, each) for each in found])
        bad = sum(each.edges for each in found)
        return Tally(bad, total, "at least as many edges" if len(found) == graph.ENOUGH else "")

    def _sample(self, query: str, made: CheckAql, check: Check, scope: Scope) -> Sequence[Row]:
        names = check.sample or tuple(dict.fromkeys(("_key", *aql.used(check))))
        rows = self._rows(f"{query} RETURN {made.row(check, names)}", made.bind, scope)
        return [{name: plain(row[name]) for name in names} for row in rows]

    def _rows(self, query: str, bind: Mapping[str, object], scope: Scope) -> Iterator[Any]:
        """What a query answers, a page at a time: neither here nor on the server is all of it held.

        Raises UnreachableError, FailedError (check-timeout, check-failed).
        """
        server, deadline = self._server(), Deadline(scope)
        options = {"stream": True, "maxRuntime": scope.seconds}
        sent = {"query": query, "bindVars": dict(bind), "batchSize": PAGE, "options": options}
        with _explained(server, deadline):
            answer = server.ask("POST", "/_api/cursor", sent, seconds=deadline.check() + _GRACE)
        rest = ""
        try:
            while True:
                rest = "/_api/cursor" + path_of(str(answer["id"])) if answer["hasMore"] else ""
                yield from answer["result"]
                if not rest:
                    return
                with _explained(server, deadline):
                    answer = server.ask("POST", rest, seconds=deadline.check() + _GRACE)
        finally:
            if rest:  # nobody wants what is left of it
                with _explained(server, deadline):
                    server.ask("DELETE", rest, missing=(NO_CURSOR,))


NO_CURSOR = 1600
_OTHERS: Mapping[str, Callable[[ArangoChecks, Table, Check, Scope, int], Tally]] = {
    "unique": ArangoChecks._unique,
    "acyclic": ArangoChecks._acyclic,
}
"""Kinds that take a query of their own."""


@contextmanager
def _explained(server: Server, deadline: Deadline) -> Iterator[None]:
    """What an answer that says no means, or none that came in time."""
    try:
        yield
    except ServerRefused as no:
        if no.number == KILLED:
            raise deadline.over() from None
        if no.answer.status in (401, 403) or no.answer.status >= 500:
            with server.reading():
                raise
        raise FailedError("check-failed", str(no), fix="correct the check") from None
    except Unanswered:
        deadline.check()
        with server.reading():
            raise


def _vertex(name: str, within: Sequence[object]) -> str:
    return json.dumps([name, *within], ensure_ascii=False)


def _cycle_row(check: Check, within: Sequence[str], cycle: graph.Cycle) -> Row:
    vertices = [json.loads(each) for each in cycle.path]
    path = [*(each[0] for each in vertices), *(["…"] if cycle.cut else [])]
    row = {**dict(zip(within, vertices[0][1:], strict=True)), "cycle": " → ".join(path)}
    return {name: MASKED if name in check.mask else plain(value) for name, value in row.items()}
