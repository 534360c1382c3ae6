"""What a revision kept for a while goes at the end of a later `up`: announced first, never without the lease."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from provision.core.plan import MoveRequest
from provision.errors import FailedError
from provision.model import EventKind, Leftover, Note, StoreOptions
from provision.testing.contract.bench import Bench
from provision.testing.fake_store import FakeStore
from tests.contract.case_fake import FakeCase

OLD = Leftover("fake", "b_1", "replaced by b_2, kept until 2026-03-09", datetime(2026, 3, 9, tzinfo=UTC))


class Kept:
    """`provision.ports.Leftovers` over a list; `removed` says what went and how many events were there by then."""

    def __init__(self, store: FakeStore, found: list[Leftover], removed: list[tuple[str, int]]) -> None:
        self._store, self._found, self._removed = store, found, removed

    def due(self) -> Sequence[Leftover]:
        return list(self._found)

    def remove(self, leftover: Leftover) -> None:
        self._store.server.passes("before-remove")
        self._removed.append((leftover.name, len(self._store.ledger.read())))
        self._found.remove(leftover)


class KeepingCase(FakeCase):
    def __init__(self) -> None:
        super().__init__("")
        self.found: list[Leftover] = []
        self.removed: list[tuple[str, int]] = []

    def build(self, options: StoreOptions) -> FakeStore:
        store = super().build(options)
        store.leftovers = Kept(store, self.found, self.removed)
        return store


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(KeepingCase(), tmp_path)


def kept(bench: Bench) -> KeepingCase:
    assert isinstance(bench.case, KeepingCase)
    return bench.case


def notes(bench: Bench) -> list[str]:
    return [each.text for each in bench.told if isinstance(each, Note)]


def test_up_removes_what_is_due_after_its_last_step(bench: Bench) -> None:
    kept(bench).found.append(OLD)
    report = bench.up()
    assert report.removed == (OLD,)
    assert kept(bench).removed == [("b_1", len(bench.events()))]
    assert notes(bench) == ["removed b_1: replaced by b_2, kept until 2026-03-09"]


def test_up_with_nothing_else_to_do_removes_what_is_due(bench: Bench) -> None:
    bench.up()
    before = len(bench.events())
    kept(bench).found.append(OLD)
    assert bench.up().removed == (OLD,)
    assert (len(bench.events()), bench.up().removed) == (before, ())


def test_dry_run_announces_and_keeps(bench: Bench) -> None:
    kept(bench).found.append(OLD)
    assert bench.up(dry_run=True).removed == ()
    assert kept(bench).found == [OLD]
    assert notes(bench) == ["would remove b_1: replaced by b_2, kept until 2026-03-09"]


def test_down_and_other_stores_keep_what_is_due(bench: Bench) -> None:
    bench.up()
    kept(bench).found.append(OLD)
    assert bench.up(MoveRequest(only=frozenset({"home"}))).removed == ()
    assert bench.down().removed == ()
    assert kept(bench).found == [OLD]


def test_up_that_failed_keeps_what_is_due(bench: Bench) -> None:
    kept(bench).found.append(OLD)
    bench.case.spoil(bench.folder)
    report = bench.up()
    assert (len(report.failures), report.removed, kept(bench).found) == (1, (), [OLD])


def test_removal_that_fails_leaves_every_step_applied(bench: Bench) -> None:
    kept(bench).found.append(OLD)
    kept(bench).fake.fault("before-remove", FailedError("server-lost", "gone"))
    with pytest.raises(FailedError, match="gone"):
        bench.up()
    assert [each.kind for each in bench.events()].count(EventKind.APPLIED) == 3
    assert bench.up().removed == (OLD,)
