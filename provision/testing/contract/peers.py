"""What the other tool did is adopted, what it undid is noted; in both, its own table decides."""

from __future__ import annotations

import pytest

from provision.core.standing import Flag
from provision.errors import RefusedError
from provision.model import Direction, EventKind, Step
from provision.testing.contract.bench import Bench
from provision.testing.contract.moves import ids
from provision.testing.contract.running import needs


def flags(bench: Bench) -> list[list[str]]:
    return [sorted(each.flags) for each in bench.standings()[bench.case.name].standings.values()]


@needs("peer")
def test_up_applied_outside_is_adopted_and_not_run_again(bench: Bench) -> None:
    first, second, third = ids(bench)
    bench.case.apply_outside(bench.folder, "002")
    assert flags(bench) == [[Flag.APPLIED_OUTSIDE], [Flag.APPLIED_OUTSIDE], []]

    report = bench.up()

    assert [(event.revision, event.kind) for event in report.recorded] == [
        (first, EventKind.ADOPTED),
        (second, EventKind.ADOPTED),
    ]
    assert [done.step.id for done in report.done] == [third]
    assert flags(bench) == [[], [], []]
    assert bench.net() == dict.fromkeys(ids(bench), 1)


@needs("peer")
def test_up_all_applied_outside_and_no_ledger_yet_records_them(bench: Bench) -> None:
    bench.case.apply_outside(bench.folder, "003")

    report = bench.up()

    assert (report.done, [event.kind for event in report.recorded]) == ((), [EventKind.ADOPTED] * 3)
    assert bench.up().recorded == ()


@needs("peer")
def test_up_reverted_outside_is_noted_and_applied_again(bench: Bench) -> None:
    bench.up()
    full = bench.case.seen()
    bench.case.revert_outside(bench.folder, "001")
    assert flags(bench) == [[], [Flag.REVERTED_OUTSIDE], [Flag.REVERTED_OUTSIDE]]

    report = bench.up()

    assert [event.kind for event in report.recorded] == [EventKind.REVERTED] * 2
    assert [done.step.id for done in report.done] == ids(bench)[1:]
    assert bench.case.seen() == full
    assert bench.net() == dict.fromkeys(ids(bench), 1)


@needs("peer")
def test_up_peer_that_lost_everything_is_refused_and_runs_nothing_again(bench: Bench) -> None:
    bench.up()
    bench.case.forget_outside()

    with pytest.raises(RefusedError) as refused:
        bench.up()

    assert refused.value.code == "versions-lost"
    assert bench.net() == dict.fromkeys(ids(bench), 1)
    assert flags(bench) == [[Flag.REVERTED_OUTSIDE]] * 3


@needs("peer")
def test_peer_finds_what_we_applied_and_reverted(bench: Bench) -> None:
    bench.up()
    full = bench.case.seen()
    bench.case.apply_outside(bench.folder, "003")
    assert bench.case.seen() == full

    bench.down()
    bench.case.apply_outside(bench.folder, "003")

    assert bench.case.seen() == full
    assert flags(bench) == [[Flag.APPLIED_OUTSIDE]] * 3


@needs("peer")
def test_peer_stamp_moves_its_table_alone(bench: Bench) -> None:
    with bench.store() as store:
        assert store.peer is not None
        first, second, _ = store.revisions()
        store.peer.stamp([Step(first), Step(second)])
        assert dict(store.peer.applied()) == {first.id: True, second.id: True}
        store.peer.stamp([Step(second, Direction.DOWN)])
        assert dict(store.peer.applied()) == {first.id: True}

    assert bench.case.seen() == []
