"""What the server's log of queries says of a statement that leaves no other trace."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from provision.model import Event, EventKind
from provision.model.statements import Fate, Outcome
from provision.stores.clickhouse.migrate.parse.touched import parse
from provision.stores.clickhouse.migrate.probe.answered import cut_short, logged
from provision.stores.clickhouse.server import ServerRefused

COPY, MAKE = "INSERT INTO a SELECT * FROM b", "CREATE TABLE a ENGINE = MergeTree ORDER BY x AS SELECT x FROM b"
OPEN = Fate(Outcome.CANNOT_TELL, "open")
EVENT = Event("shop", "clickhouse/007", EventKind.AT, "", 4, 2, datetime(2026, 3, 2, tzinfo=UTC), "ci", statement=2)


class Server:
    """A server whose log has these ends, or that keeps none."""

    def __init__(self, *ends: str, flushes: bool = True, reads: bool = True) -> None:
        self.ends, self.flushes, self.reads = ends, flushes, reads
        self.asked: list[object] = []

    def command(self, _sql: str) -> None:
        if not self.flushes:
            raise ServerRefused(497, "not allowed")

    def rows(self, _sql: str, parameters: dict[str, object]) -> list[tuple[str]]:
        if not self.reads:
            raise ServerRefused(60, "no such table")
        self.asked.append(parameters["mark"])
        return [(end,) for end in self.ends]


@pytest.mark.parametrize(
    ("ends", "text", "expected"),
    [
        (("QueryFinish",), MAKE, Outcome.DONE),
        (("QueryFinish",), COPY, Outcome.DONE),
        (("ExceptionWhileProcessing", "QueryFinish"), COPY, Outcome.DONE),
        (("ExceptionBeforeStart",), COPY, Outcome.NOT_DONE),
        (("ExceptionBeforeStart",), MAKE, Outcome.CANNOT_TELL),  # the table is made before its rows are read
        (("ExceptionWhileProcessing",), COPY, Outcome.CANNOT_TELL),
        ((), COPY, Outcome.CANNOT_TELL),
    ],
)
@pytest.mark.parametrize("flushes", [True, False])
def test_logged_end_settles_what_it_can(ends: tuple[str, ...], text: str, expected: Outcome, flushes: bool) -> None:
    server: Any = Server(*ends, flushes=flushes)
    assert logged(server, parse(text), EVENT, OPEN).outcome is expected
    assert server.asked == ["provision/shop/4/clickhouse/007/2"]


def test_logged_without_a_log_is_as_open_as_before() -> None:
    server: Any = Server("QueryFinish", reads=False)
    assert logged(server, parse(COPY), EVENT, OPEN) is OPEN


@pytest.mark.parametrize(
    ("text", "number", "expected"),
    [(COPY, 159, True), (MAKE, 241, True), (COPY, 60, False), ("DROP TABLE a", 159, False)],
)
def test_cut_short_is_what_may_have_left_rows(text: str, number: int, expected: bool) -> None:
    assert cut_short(parse(text), number) is expected
