"""What `up` plans, what it holds back and what it refuses."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from provision.core.graph import Graph
from provision.core.plan import MoveRequest, first_moved, held_back, moved, plan_up, refuse_trouble
from provision.errors import ProvisionError
from provision.model import Direction, Event, EventKind, Plan
from tests.unit.core.builders import Told, applied, chain, event, revision, standings, told

TWO = Graph([*chain("a", 3), *chain("b", 2, requires={1: ("a/2",)})])


def up(graph: Graph, events: Iterable[Event] = (), wanted: MoveRequest | None = None) -> Plan:
    return plan_up(graph, standings(graph, events), wanted or MoveRequest())


def ids(plan: Plan) -> list[str]:
    return [step.id for step in plan.steps]


def refused(graph: Graph, events: Iterable[Event] = (), wanted: MoveRequest | None = None) -> Told:
    with pytest.raises(ProvisionError) as caught:
        up(graph, events, wanted)
    return told(caught.value)


def test_plan_up_takes_all_that_is_pending_in_the_order_of_the_graph() -> None:
    plan = up(TWO, applied("a/1"))

    assert ids(plan) == ["a/2", "a/3", "b/1", "b/2"]
    assert {step.direction for step in plan.steps} == {Direction.UP}
    assert [step.id for step in plan.lane("b")] == ["b/1", "b/2"]


def test_plan_up_target_brings_what_it_stands_on() -> None:
    assert ids(up(TWO, wanted=MoveRequest(targets=("b/1",)))) == ["a/1", "a/2", "b/1"]


def test_plan_up_steps_takes_the_next_ones() -> None:
    assert ids(up(TWO, wanted=MoveRequest(steps=2))) == ["a/1", "a/2"]


def test_plan_up_steps_does_not_count_what_is_held() -> None:
    graph = Graph([*chain("a", 1, requires={1: ("backfill/fill",)}), *chain("b", 2)])

    plan = up(graph, wanted=MoveRequest(steps=1))

    assert (ids(plan), [held.step.id for held in plan.held]) == (["b/1"], ["a/1"])


def test_plan_up_only_takes_the_named_stores() -> None:
    assert ids(up(TWO, applied("a/1", "a/2"), MoveRequest(only=frozenset({"b"})))) == ["b/1", "b/2"]


def test_plan_up_only_without_what_it_requires_is_refused() -> None:
    assert refused(TWO, applied("a/1"), MoveRequest(only=frozenset({"b"}))) == [
        (
            "requirement-not-met",
            "b/1 requires a/2, which is not applied and not part of this run",
            "b/1.sql",
            "add --only a, or run without --only",
        )
    ]


def test_plan_up_requirement_of_a_store_not_configured_is_refused() -> None:
    known = standings(TWO)
    del known["a"]

    with pytest.raises(ProvisionError) as caught:
        plan_up(TWO, known, MoveRequest())

    assert told(caught.value) == [
        (
            "requirement-not-configured",
            "b/1 requires a/2, and a is not configured here",
            "b/1.sql",
            "set the url of a, or leave b out too",
        )
    ]


def test_plan_up_unknown_target_names_the_nearest() -> None:
    assert refused(TWO, wanted=MoveRequest(targets=("c/2",))) == [
        ("no-such-revision", "no revision is called c/2", "argument c/2", "did you mean a/2 or b/2?")
    ]


def test_plan_up_unknown_target_like_no_other_says_where_ids_are_listed() -> None:
    assert refused(TWO, wanted=MoveRequest(targets=("nine",))) == [
        ("no-such-revision", "no revision is called nine", "argument nine", "`provision status --all` lists the ids")
    ]


def test_plan_up_gate_holds_what_stands_on_it_through_the_chain() -> None:
    graph = Graph([*chain("a", 3, requires={2: ("backfill/fill",)}), *chain("b", 2, requires={2: ("a/3",)})])

    plan = up(graph)

    assert ids(plan) == ["a/1", "b/1"]
    assert [(held.step.id, held.waits_for) for held in plan.held] == [
        ("a/2", ("backfill/fill",)),
        ("a/3", ("backfill/fill",)),
        ("b/2", ("backfill/fill",)),
    ]


def test_plan_up_complete_gate_holds_nothing() -> None:
    graph = Graph(chain("a", 2, requires={2: ("backfill/fill",)}))

    plan = up(graph, [event("backfill/fill", EventKind.APPLIED)])

    assert (ids(plan), plan.held) == (["a/1", "a/2"], ())


def test_plan_up_edited_revision_is_refused() -> None:
    graph = Graph([revision("a/1", slug="ttl", checksum="81c07e99")])

    assert refused(graph, [event("a/1", EventKind.APPLIED, 0, checksum="3fa91c00")]) == [
        (
            "revision-changed",
            "a/1_ttl was edited after it was applied",
            "a/1.sql; applied 2026-03-02 09:14 UTC by ci@runner; checksum 3fa91c… is now 81c07e…",
            "restore the file from version control, or write a new revision that makes the change;"
            " `provision resolve a/1 --accept-change` records an edit that changes nothing",
        )
    ]


def test_plan_up_another_file_of_the_same_number_is_refused_by_its_name() -> None:
    was = event("a/1", EventKind.APPLIED, checksum="3fa91c", detail={"file": "1_other.sql"})

    (code, what, _, fix) = refused(Graph(chain("a", 1)), [was])[0]

    assert (code, what) == (
        "number-taken",
        "another revision had the number of a/1: 1_other.sql was applied, here is 1.sql",
    )
    assert fix == (
        "give 1.sql the next free number, and keep 1_other.sql beside it; if it is the same revision,"
        " renamed and edited: `provision resolve a/1 --accept-change`, which runs nothing of 1.sql"
    )


def test_plan_up_revision_edited_after_another_tool_applied_it_is_refused() -> None:
    graph = Graph(chain("a", 1))

    with pytest.raises(ProvisionError) as caught:
        plan_up(graph, standings(graph, peers={"a": {"a/1": False}}), MoveRequest())

    assert told(caught.value)[0][:3] == (
        "revision-changed",
        "a/1 was edited after it was applied",
        "a/1.sql; applied by another tool",
    )


def test_plan_up_edited_revision_that_is_not_strict_goes_on() -> None:
    graph = Graph(chain("a", 2, strict=False))

    assert ids(up(graph, [event("a/1", EventKind.APPLIED, checksum="x")])) == ["a/2"]


def test_plan_up_unknown_in_the_middle_is_refused() -> None:
    assert refused(Graph([revision("a/2")]), applied("a/1", "a/2")) == [
        (
            "revision-unknown",
            "a/1 is applied, but no file has that id",
            "ledger of a; applied 2026-03-02 09:15 UTC by ci@runner",
            "restore the file, or `provision resolve a/1 --reverted` if it was undone by hand",
        )
    ]


def test_plan_up_future_revision_is_no_obstacle() -> None:
    assert ids(up(Graph(chain("a", 1)), applied("a/1", "a/2"))) == []


def test_plan_up_begun_revision_without_a_file_is_refused() -> None:
    assert refused(Graph(chain("a", 1)), [event("a/2", EventKind.STARTED, statement=1)]) == [
        (
            "revision-unknown",
            "a/2 was begun and not ended, and its file is gone",
            "ledger of a, begun by ci@runner",
            "restore the file, or settle it with `provision resolve a/2 --applied` or"
            " `provision resolve a/2 --pending`",
        )
    ]


def test_plan_up_trouble_of_a_store_left_out_is_no_obstacle() -> None:
    graph = Graph([*chain("a", 1), *chain("b", 1)])

    assert ids(up(graph, [event("a/1", EventKind.APPLIED, checksum="x")], MoveRequest(only=frozenset({"b"})))) == [
        "b/1"
    ]


OUT_OF_ORDER = (
    "out-of-order",
    "a/2 is pending, but a/3 after it is applied",
    "a/2.sql",
    "give the file the next free number, or run with --out-of-order if the order does not matter",
)


@pytest.mark.parametrize("strict", [True, False])
def test_plan_up_pending_before_applied_is_refused(strict: bool) -> None:
    assert refused(Graph(chain("a", 3, strict=strict)), applied("a/1", "a/3")) == [OUT_OF_ORDER]


def test_plan_up_out_of_order_is_allowed_on_request() -> None:
    assert ids(up(Graph(chain("a", 3)), applied("a/1", "a/3"), MoveRequest(out_of_order=True))) == ["a/2"]


def test_plan_up_out_of_order_in_a_store_left_out_is_no_obstacle() -> None:
    graph = Graph([*chain("a", 3), *chain("b", 1)])

    assert ids(up(graph, applied("a/1", "a/3"), MoveRequest(only=frozenset({"b"})))) == ["b/1"]


def test_plan_up_branches_have_no_order_between_them() -> None:
    """a/1 ── a/2 (left)
    ╲── a/3 (right)"""
    graph = Graph([revision("a/1"), revision("a/2", "a/1"), revision("a/3", "a/1")], many_heads=["a"])

    assert ids(up(graph, applied("a/1", "a/3"))) == ["a/2"]


def test_plan_up_begun_revision_before_an_applied_one_is_finished() -> None:
    events = [*applied("a/1"), event("a/2", EventKind.STARTED, 2, statement=1), event("a/3", EventKind.APPLIED, 3)]

    assert ids(up(Graph(chain("a", 3)), events)) == ["a/2"]


def test_plan_up_everything_that_is_wrong_is_told_at_once() -> None:
    graph = Graph([*chain("a", 3), *chain("b", 1)])
    events = [*applied("a/1", "a/3"), event("b/1", EventKind.APPLIED, checksum="x")]

    assert [code for code, *_ in refused(graph, events)] == ["revision-changed", "out-of-order"]


def test_moved_names_the_stores_whose_state_or_files_differ() -> None:
    plan = up(TWO)
    edited = Graph([*chain("a", 3), *chain("b", 2, requires={1: ("a/2",)}, checksum="edited")])

    assert moved(plan, standings(TWO)) == []
    assert moved(plan, standings(TWO, applied("a/1"))) == ["a"]
    assert moved(plan, standings(edited)) == ["b"]
    assert moved(plan, {"b": standings(TWO)["b"]}) == ["a"]


def test_first_moved_names_the_revision_and_both_states() -> None:
    plan = up(TWO, applied("a/1"))
    longer = Graph([*chain("a", 4), *chain("b", 2, requires={1: ("a/2",)})])

    assert first_moved(plan, standings(TWO, applied("a/1")), "a") is None
    assert first_moved(plan, standings(TWO, applied("a/1", "a/2")), "a") == ("a/2", "pending", "applied")
    assert first_moved(plan, standings(longer, applied("a/1")), "a") == ("a/4", "", "pending")
    assert first_moved(plan, {}, "b") == ("b/1", "pending", "")


def test_held_back_shows_what_waits_in_any_state() -> None:
    graph = Graph(chain("a", 3, requires={2: ("backfill/fill",)}))

    found = held_back(graph, standings(graph, [event("a/1", EventKind.APPLIED, checksum="edited")]))

    assert [held.step.id for held in found] == ["a/2", "a/3"]


def test_refuse_trouble_tells_what_plan_up_would() -> None:
    known = standings(TWO, [event("a/1", EventKind.APPLIED, checksum="x")])

    with pytest.raises(ProvisionError, match="revision-changed"):
        refuse_trouble(known)
    refuse_trouble(known, frozenset({"b"}))
