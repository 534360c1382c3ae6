"""Finding the rows that differ, on snapshots in memory: what is asked of them, and what becomes of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from provision.errors import FailedError
from provision.model.comparable import JSON, ComparableTable, ComparedRow, Digest, Key, Span
from provision.validate import bisect
from provision.validate.bisect import Bisection, Differences

SHEET = ComparableTable("t", ("id", "v"), ("text", "text"), ("bytes",))


class Listed:
    """`provision.ports.validate.Snapshot` of rows in a list, in an order of its own."""

    def __init__(self, rows: dict[str, str], order: Callable[[str], str] = str) -> None:
        self._rows, self._order = rows, order
        self.fetched = 0

    def cuts(self, span: Span, _rows: int | None, parts: int) -> Sequence[Key]:
        keys = sorted(self._within(span), key=self._order)
        return [(keys[n * len(keys) // parts],) for n in range(1, parts)] if len(keys) > parts else []

    def digests(self, span: Span, cuts: Sequence[Key]) -> Sequence[Digest]:
        parts: list[list[str]] = [[] for _ in (*cuts, span.high)]
        for key in self._within(span):  # each in one part, whatever the order of the cuts
            parts[sum(self._order(cut[0]) <= self._order(key) for cut in cuts)].append(key)
        return [*(Digest(len(each), sum(hash((key, self._rows[key])) for key in each)) for each in parts), Digest()]

    def rows(self, span: Span, limit: int) -> Sequence[ComparedRow]:
        found = [ComparedRow(str(hash((key, self._rows[key]))), (key, self._rows[key])) for key in self._within(span)]
        self.fetched += len(found)
        return sorted(found)[:limit]

    def stop(self) -> None:
        """Nothing is ever waited for."""

    def _within(self, span: Span) -> list[str]:
        low, high = ("" if end is None else self._order(end[0]) for end in (span.low, span.high))
        return [
            key
            for key in self._rows
            if not span.keyless and self._order(key) >= low and (span.high is None or self._order(key) < high)
        ]


def rows(count: int) -> dict[str, str]:
    return {f"{number:05}": f"v{number}" for number in range(count)}


def compared(here: Listed, there: Listed, sheet: ComparableTable = SHEET) -> Differences:
    return Bisection(here, there, sheet, 8).differences()


def test_bisect_one_row_among_many_is_found_and_few_are_fetched() -> None:
    here, there = Listed(rows(20_000)), Listed(rows(20_000) | {"12345": "other"})

    found = compared(here, there)

    assert ([row.values for row in found.here], [row.values for row in found.there]) == (
        [("12345", "v12345")],
        [("12345", "other")],
    )
    assert found.rows == (20_000, 20_000)
    assert not found.cut
    assert here.fetched <= bisect.FEW


def test_bisect_equal_rows_fetch_nothing() -> None:
    here, there = Listed(rows(9_000)), Listed(rows(9_000))

    assert not compared(here, there).counts
    assert here.fetched == there.fetched == 0


def test_bisect_equal_tables_that_the_sides_sort_otherwise_have_no_differences() -> None:
    backwards = Listed(rows(9_000), lambda key: key[::-1])

    found = compared(Listed(rows(9_000)), backwards)

    assert not found.counts
    assert backwards.fetched == 0


def test_bisect_stops_after_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bisect, "ENOUGH", 3_000)

    found = compared(Listed(rows(40_000)), Listed({}))

    assert found.cut
    assert 3_000 <= len(found.here) < 6_000


def test_bisect_what_differed_and_does_no_more_is_no_pass() -> None:
    class Written(Listed):
        """Its rows are as the others' by the time they are fetched."""

        def rows(self, span: Span, limit: int) -> Sequence[ComparedRow]:
            self._rows = rows(50)
            return super().rows(span, limit)

    with pytest.raises(FailedError) as caught:
        compared(Listed(rows(50)), Written(rows(50) | {"00001": "x"}))
    assert caught.value.code == "check-failed"


def test_bisect_json_that_is_only_written_otherwise_is_equal() -> None:
    sheet = ComparableTable("t", ("id", "v"), ("text", JSON), ("bytes",))

    class Documents(Listed):
        def rows(self, span: Span, limit: int) -> Sequence[ComparedRow]:
            return [row._replace(checksum=row.values[0] or "") for row in super().rows(span, limit)]

    here, there = Documents({"a": '{"b": 1.0, "a": null}'}), Documents({"a": '{"a":null,"b":1}'})
    assert not compared(here, there, sheet).counts
    assert compared(here, Documents({"a": '{"a":0,"b":1}'}), sheet).counts == {("a",): (1, 1)}
    assert compared(here, Documents({"a": '{"b":true,"a":null}'}), sheet).counts == {("a",): (1, 1)}
