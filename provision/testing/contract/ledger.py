"""What every ledger keeps, and what it refuses."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from provision.core.execute import EventNumbering
from provision.errors import LeaseLost
from provision.flows.connect import Access
from provision.flows.verify import LedgerReport, verified
from provision.model import Direction, Event, EventKind, Revision, Step
from provision.testing.contract.bench import Bench

AT = datetime(2026, 3, 2, 9, 14, 0, 123456, UTC)


def event(bench: Bench, token: int, n: int, kind: EventKind = EventKind.APPLIED, **fields: Any) -> Event:
    given = {"at": AT, "checksum": "c" * 64, "actor": "ci@runner-4", "project": "vfr", **fields}
    return Event(revision=f"{bench.case.name}/001", kind=kind, token=token, n=n, **given)


def test_open_and_survey_create_nothing(bench: Bench) -> None:
    before = bench.case.everything()

    with bench.site(access=Access.READ) as site:
        store = site.stores[bench.case.name]
        assert list(store.ledger.read()) == []
        if store.peer is not None:
            assert store.peer.applied() == {}
        if store.marked is not None:
            assert store.marked.running() == []

    assert [*bench.standings()[bench.case.name].applied] == []
    assert bench.case.everything() == before


def test_ledger_event_comes_back_exactly(bench: Bench) -> None:
    written = event(
        bench,
        7,
        1,
        EventKind.STARTED,
        actor="müller@Prüfstand “7” ☃",
        duration_ms=41,
        statement=3,
        detail={"text": "select 'ü\\n\"☃\"'\n\t-- 中", "n": 3, "list": ["a", None, True], "direction": "down"},
    )

    with bench.store() as store:
        store.ledger.append(written)
        assert list(store.ledger.read()) == [written]


def test_ledger_order_is_of_token_and_n_not_of_the_clock(bench: Bench) -> None:
    keys = [(1, 1), (1, 2), (1, 11), (2, 1), (10, 1)]

    with bench.store() as store:
        for minutes, key in enumerate(keys):
            store.ledger.append(event(bench, *key, at=AT - timedelta(minutes=minutes)))
        assert [(each.token, each.n) for each in store.ledger.read()] == keys


def test_ledger_late_token_is_refused_where_the_store_can(bench: Bench) -> None:
    with bench.store() as store:
        store.ledger.append(event(bench, 1, 1))
        store.ledger.raise_fence(2)
        if bench.case.refuses_late:
            with pytest.raises(LeaseLost):
                store.ledger.append(event(bench, 1, 2))
            assert len(store.ledger.read()) == 1
        store.ledger.append(event(bench, 2, 1))
        assert store.ledger.read()[-1].token == 2


def test_ledger_same_key_is_refused_where_the_store_can(bench: Bench) -> None:
    with bench.store() as store:
        store.ledger.append(event(bench, 1, 1))
        if bench.case.refuses_duplicates:
            with pytest.raises(LeaseLost):
                store.ledger.append(event(bench, 1, 1, actor="another@host"))
        assert [each.actor for each in store.ledger.read()] == ["ci@runner-4"]


def test_ledger_created_twice_keeps_its_events(bench: Bench) -> None:
    with bench.store() as store:
        store.ledger.append(event(bench, 1, 1))
        store.ledger.create()
        assert len(store.ledger.read()) == 1


def test_ledger_two_projects_side_by_side_see_only_their_own(bench: Bench) -> None:
    with bench.store() as mine, bench.store("other") as theirs:
        mine.ledger.append(event(bench, 5, 1))
        mine.ledger.raise_fence(6)
        theirs.ledger.append(event(bench, 1, 1, project="other"))

        assert [each.token for each in mine.ledger.read()] == [5]
        assert [(each.project, each.token) for each in theirs.ledger.read()] == [("other", 1)]


def test_describe_and_losses_need_no_connection(bench: Bench) -> None:
    before = bench.case.everything()
    store = bench.build(bench.options())

    steps = [Step(revision, Direction.DOWN) for revision in reversed(store.revisions())]

    assert [len(each.statements or ()) >= 1 for each in store.describe(steps)] == [True, True, True]
    assert [bool(store.losses(step)) for step in steps][-1]
    assert bench.case.everything() == before


def test_ledger_of_an_up_and_a_down_is_legal_and_an_illegal_entry_is_found(bench: Bench) -> None:
    bench.up()
    bench.down()
    bench.up()
    (clean,) = _verified(bench)
    token = max(each.token for each in bench.events()) + 1

    with bench.store() as store:
        store.ledger.append(event(bench, token, 1, EventKind.BASELINED))
        store.ledger.append(event(bench, token, 2, EventKind.STARTED, statement=1, detail={"text": "again"}))

    assert (clean.wrong, clean.illegal, clean.runs, clean.revisions) == (False, (), token - 1, 3)
    (found,) = _verified(bench)
    assert [(each.n, each.rule, each.invariant) for each in found.illegal] == [
        (1, "transition", "ledger-legal"),
        (2, "done-again", "no-statement-twice"),
    ]
    assert found.wrong


def _verified(bench: Bench) -> tuple[LedgerReport, ...]:
    with bench.site(access=Access.READ) as site:
        return verified(site, [bench.case.name])


def test_ledger_keeps_no_secret_of_a_statement(bench: Bench) -> None:
    pen = EventNumbering("vfr", 1, "ci@runner-4")
    revision = Revision(bench.case.name, "001", "", "", "", "c" * 64)
    texts = (
        "CREATE ROLE a PASSWORD 'hunter2'",
        "SELECT * FROM s3('u', 'hunter2', 'hunter2')",
        "ACL SETUSER a >hunter2",
    )

    with bench.store() as store:
        for number, text in enumerate(texts, 1):
            kind = EventKind.STARTED if number == 1 else EventKind.AT
            store.ledger.append(pen.event(revision, kind, statement=number, text=text, error=f"refused: {text}"))
        kept = store.ledger.read()

    assert [each.detail["text"] for each in kept] == [text.replace("hunter2", "•••") for text in texts]
    assert "hunter2" not in repr(kept)
