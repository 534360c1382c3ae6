"""What a newer release wrote is refused by its number, what it added is passed by, what is none of ours is named."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum

import pytest

from provision.errors import ConfigError, ProvisionError, RefusedError
from provision.model import Event, schema
from provision.testing.contract.bench import Bench, passing_owner
from provision.testing.contract.leases import leases
from provision.testing.contract.ledger import event
from provision.testing.contract.running import needs

NEWER = "written by a newer provision (schema 3, this one knows 2)"


class OtherKind(StrEnum):
    PAUSED = "paused"


@contextmanager
def release(monkeypatch: pytest.MonkeyPatch, number: int) -> Iterator[None]:
    """The block is the work of a release with that schema number."""
    with monkeypatch.context() as patch:
        patch.setattr(schema, "SCHEMA", number)
        yield


def of_another_kind(bench: Bench, n: int) -> Event:
    return event(bench, 90, n, OtherKind.PAUSED)  # type: ignore[arg-type]


def refusal(bench: Bench) -> ProvisionError:
    """How `up` refuses; it has written nothing."""
    before = bench.case.everything()
    with pytest.raises(ProvisionError) as refused:
        bench.up()
    assert bench.case.everything() == before
    return refused.value


def test_ledger_of_a_newer_release_is_refused_before_anything_is_written(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    with release(monkeypatch, 3), bench.store() as store:
        store.ledger.append(of_another_kind(bench, 1))

    error = refusal(bench)

    assert isinstance(error, RefusedError)
    assert (error.code, error.what, bool(error.where), bool(error.fix)) == ("newer-schema", NEWER, True, True)
    with pytest.raises(RefusedError, match="newer-schema"):
        bench.standings()


def test_ledger_of_an_earlier_release_is_gone_on_with(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    with release(monkeypatch, 1):
        bench.up()

    assert bench.up().done == ()
    assert len(bench.down().done) == 3
    assert bench.case.seen() == []


def test_ledger_entry_of_an_unknown_kind_is_named(bench: Bench) -> None:
    with bench.store() as store:
        store.ledger.append(of_another_kind(bench, 1))

    error = refusal(bench)

    assert isinstance(error, ConfigError)
    assert (error.code, "'paused' is no kind of entry" in error.what) == ("ledger-unreadable", True)


def test_ledger_entry_with_more_in_it_is_read_and_kept(bench: Bench) -> None:
    written = event(bench, 1, 1, detail={"of a later release": [1, {"a": None}]})

    with bench.store() as store:
        store.ledger.append(written)
        store.ledger.append(event(bench, 1, 2))
        assert next(iter(store.ledger.read())) == written


@needs("leases")
def test_lock_of_a_newer_release_is_refused(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    with bench.store() as store:
        table = leases(store)
        with release(monkeypatch, 3):
            table.take("run", passing_owner(), 30, 0)
        with pytest.raises(RefusedError) as shown:
            table.read("run")
        with pytest.raises(RefusedError) as taken:
            table.take("run", passing_owner(), 30, 0)
    assert [(each.value.code, each.value.what) for each in (shown, taken)] == [("newer-schema", NEWER)] * 2


@needs("leases")
def test_lock_of_an_earlier_release_can_be_asked_back_and_released(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = passing_owner()
    with bench.store() as store:
        table = leases(store)
        with release(monkeypatch, 1):
            token = table.take("run", owner, 30, 0).token
        assert table.ask_back("run", owner, token, "dba@host")
        assert table.release("run", owner, token)
