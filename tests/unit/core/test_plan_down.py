"""What `down` reverts, newest first, and what it refuses."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from provision.core.graph import Graph
from provision.core.plan import MoveRequest, plan_down
from provision.errors import ProvisionError
from provision.model import Event, EventKind
from tests.unit.core.builders import Told, applied, chain, event, revision, standings, told

# a/1 ── a/2 ── a/3      b/1 requires a/2
TWO = Graph([*chain("a", 3), *chain("b", 2, requires={1: ("a/2",)})])
ALL = applied("a/1", "a/2", "a/3", "b/1", "b/2")


def down(wanted: MoveRequest, events: Iterable[Event] = ALL, graph: Graph = TWO) -> list[str]:
    return [step.id for step in plan_down(graph, standings(graph, events), wanted).steps]


def refused(wanted: MoveRequest, events: Iterable[Event] = ALL, graph: Graph = TWO) -> Told:
    with pytest.raises(ProvisionError) as caught:
        down(wanted, events, graph)
    return told(caught.value)


def test_plan_down_all_reverts_everything_newest_first() -> None:
    assert down(MoveRequest(everything=True)) == ["b/2", "b/1", "a/3", "a/2", "a/1"]


def test_plan_down_without_a_target_is_refused() -> None:
    assert refused(MoveRequest()) == [
        (
            "down-without-target",
            "down needs a target",
            "provision down",
            "name a revision to go back to (it stays applied), or --steps N, or --all",
        )
    ]


@pytest.mark.parametrize(("steps", "expected"), [(1, ["b/2"]), (3, ["b/2", "b/1", "a/3"]), (9, None)])
def test_plan_down_steps_reverts_the_last_ones(steps: int, expected: list[str] | None) -> None:
    assert down(MoveRequest(steps=steps)) == (expected or ["b/2", "b/1", "a/3", "a/2", "a/1"])


def test_plan_down_target_stays_applied() -> None:
    assert down(MoveRequest(targets=("a/2",))) == ["a/3"]


def test_plan_down_under_what_others_require_is_refused() -> None:
    assert refused(MoveRequest(targets=("a/1",))) == [
        (
            "required-by-others",
            "b/1, b/2 stand on what would be reverted",
            "a/2, a/3",
            "add --cascade to revert them first, or choose a later target",
        )
    ]


def test_plan_down_under_a_single_other_says_so_in_the_singular() -> None:
    assert refused(MoveRequest(targets=("a/1",)), applied("a/1", "a/2", "b/1"))[0][1] == (
        "b/1 stands on what would be reverted"
    )


def test_plan_down_cascade_reverts_the_others_first() -> None:
    assert down(MoveRequest(targets=("a/1",), cascade=True)) == ["b/2", "b/1", "a/3", "a/2"]


def test_plan_down_targets_of_two_stores_keep_both() -> None:
    assert down(MoveRequest(targets=("a/2", "b/1"))) == ["b/2", "a/3"]


def test_plan_down_target_that_stands_on_what_another_target_reverts_is_refused() -> None:
    assert refused(MoveRequest(targets=("a/1", "b/1"))) == [
        (
            "required-by-others",
            "b/1 stands on what would be reverted",
            "a/2, a/3, b/2",
            "add --cascade to revert them first, or choose a later target",
        )
    ]


def test_plan_down_only_reverts_the_named_store() -> None:
    assert down(MoveRequest(everything=True, only=frozenset({"b"}))) == ["b/2", "b/1"]


def test_plan_down_only_under_what_others_require_is_refused() -> None:
    assert refused(MoveRequest(everything=True, only=frozenset({"a"})))[0][0] == "required-by-others"


def test_plan_down_store_that_is_off_is_no_obstacle() -> None:
    known = standings(TWO, ALL)
    del known["b"]

    plan = plan_down(TWO, known, MoveRequest(everything=True))

    assert [step.id for step in plan.steps] == ["a/3", "a/2", "a/1"]


def test_plan_down_what_is_not_applied_is_left_out() -> None:
    assert down(MoveRequest(everything=True), applied("a/1", "a/2")) == ["a/2", "a/1"]


def test_plan_down_half_reverted_revision_is_finished() -> None:
    begun = event("a/2", EventKind.STARTED, 9, statement=1, detail={"direction": "down"})

    assert down(MoveRequest(steps=1), [*applied("a/1", "a/2"), begun]) == ["a/2"]


def test_plan_down_irreversible_revision_is_refused() -> None:
    graph = Graph([revision("a/1"), revision("a/2", "a/1", slug="purge", irreversible="the rows are gone")])

    assert refused(MoveRequest(everything=True), applied("a/1", "a/2"), graph) == [
        (
            "irreversible",
            "a/2_purge has no way down: the rows are gone",
            "a/2.sql",
            "choose a later target, or write a new revision that undoes it",
        )
    ]


def test_plan_down_unknown_target_is_refused() -> None:
    assert refused(MoveRequest(targets=("a/9",)))[0][:2] == ("no-such-revision", "no revision is called a/9")


def test_plan_down_edited_revision_is_refused() -> None:
    assert refused(MoveRequest(steps=1), [event("a/1", EventKind.APPLIED, checksum="x")])[0][0] == "revision-changed"


def test_plan_down_beneath_a_future_revision_is_refused() -> None:
    graph = Graph(chain("a", 1))

    assert refused(MoveRequest(everything=True), applied("a/1", "a/2"), graph) == [
        (
            "revision-unknown",
            "a/2 is applied, but no file has that id",
            "ledger of a; applied 2026-03-02 09:16 UTC by ci@runner",
            "restore the file, or `provision resolve a/2 --reverted` if it was undone by hand",
        )
    ]
