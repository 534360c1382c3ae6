"""Order, heads, and everything that a set of files can be refused for."""

from __future__ import annotations

import pytest

from provision.core.graph import Graph, edges
from provision.errors import ConfigError, ProvisionError
from tests.unit.core.builders import Told, chain, revision, told


def refused(*revisions: object, **options: object) -> Told:
    with pytest.raises(ProvisionError) as caught:
        Graph(revisions, **options)  # type: ignore[arg-type]
    return told(caught.value)


def test_graph_requires_across_stores_come_first() -> None:
    """a/1 ── a/2 ── a/3
    ╲         ╱
     b/1 ── b/2"""
    graph = Graph([*chain("a", 3, requires={3: ("b/2",)}), *chain("b", 2, requires={1: ("a/1",)})])

    assert [each.id for each in graph.order] == ["a/1", "a/2", "b/1", "b/2", "a/3"]
    assert [each.id for each in graph.of("b")] == ["b/1", "b/2"]
    assert (graph.heads("a"), graph.heads("b"), graph.heads("c")) == (("a/3",), ("b/2",), ())
    assert graph.position["b/2"] == 3
    assert graph.needs(["b/2"]) == {"b/2", "b/1", "a/1"}
    assert graph.dependents(["b/1"]) == {"b/1", "b/2", "a/3"}
    assert edges(graph.revisions["a/3"]) == ("a/2", "b/2")


def test_graph_empty_project_has_no_order() -> None:
    assert Graph([]).order == ()


def test_graph_backfill_requirement_needs_no_file() -> None:
    graph = Graph([revision("a/1", requires=("backfill/fill",))])

    assert graph.needs(["a/1"]) == {"a/1", "backfill/fill"}


def test_graph_missing_parent_is_refused() -> None:
    assert refused(revision("a/2", "a/1", slug="ttl")) == [
        (
            "missing-parent",
            "a/2_ttl follows a/1, which does not exist",
            "a/2.sql",
            "restore the file of a/1, or correct what a/2 follows",
        )
    ]


def test_graph_missing_requirement_is_refused() -> None:
    assert refused(revision("a/1", requires=("b/7",))) == [
        (
            "missing-requirement",
            "a/1 requires b/7, which does not exist",
            "a/1.sql",
            "write the id (store/number) of a revision that exists",
        )
    ]


def test_graph_duplicate_id_is_refused() -> None:
    twice = [revision("a/1", path="a/1_x.sql"), revision("a/1", path="a/1_y.sql")]

    assert refused(*twice) == [
        ("duplicate-id", "2 files are a/1", "a/1_x.sql, a/1_y.sql", "give one of them the next free number")
    ]


TWO_HEADS = (
    "two-heads",
    "a has 2 heads: a/2, a/3",
    "a/2.sql, a/3.sql",
    'merge them (`alembic merge heads`), or set heads = "many" for a in provision.toml',
)


def test_graph_two_heads_are_refused() -> None:
    assert refused(revision("a/1"), revision("a/2", "a/1"), revision("a/3", "a/1")) == [TWO_HEADS]


def test_graph_two_heads_are_allowed_where_many_are() -> None:
    forked = [revision("a/1"), revision("a/2", "a/1"), revision("a/3", "a/1")]

    assert Graph(forked, many_heads=["a"]).heads("a") == ("a/2", "a/3")


def test_graph_branches_with_labels_of_their_own_may_stay_apart() -> None:
    """a/1 ── a/2 (left) ── a/4
    ╲── a/3 (right)"""
    left, right = revision("a/2", "a/1", labels=("left",)), revision("a/3", "a/1", labels=("right",))

    assert Graph([revision("a/1"), left, right, revision("a/4", "a/2")]).heads("a") == ("a/3", "a/4")


def test_graph_one_label_below_a_fork_does_not_name_both_sides() -> None:
    forked = [revision("a/1", labels=("main",)), revision("a/2", "a/1"), revision("a/3", "a/1")]

    assert refused(*forked) == [TWO_HEADS]


def test_graph_merged_branches_have_one_head() -> None:
    forked = [revision("a/1"), revision("a/2", "a/1"), revision("a/3", "a/1"), revision("a/4", "a/2", "a/3")]

    assert Graph(forked).heads("a") == ("a/4",)


def test_graph_cycle_across_stores_is_refused_in_the_order_people_read() -> None:
    stores = [*chain("a", 2, requires={1: ("b/2",)}), *chain("b", 2, requires={1: ("a/2",)})]

    assert refused(*stores) == [
        (
            "cycle",
            "revisions require each other: a/1 → b/2 → b/1 → a/2 → a/1",
            "a/1.sql, b/2.sql, b/1.sql, a/2.sql",
            "remove one `requires`, or split the revision that needs both sides",
        )
    ]


def test_graph_revision_that_requires_itself_is_refused() -> None:
    assert refused(revision("a/1", requires=("a/1",)))[0][:2] == ("cycle", "revisions require each other: a/1 → a/1")


def test_graph_all_that_is_wrong_is_told_at_once() -> None:
    found = refused(revision("a/2", "a/1"), revision("b/1", requires=("c/1",)), revision("b/1"))

    assert [code for code, *_ in found] == ["duplicate-id", "missing-parent"]


def test_graph_error_is_a_configuration_error() -> None:
    with pytest.raises(ConfigError):
        Graph([revision("a/2", "a/1")])
