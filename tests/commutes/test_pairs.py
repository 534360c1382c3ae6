"""Every pair of branches is judged right, and what commutes is the same in both orders on real servers."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import pytest

from provision import kinds
from provision.flows.commutes import BranchConflict, compared
from provision.project import Project
from provision.wiring import branches
from tests.commutes.pairs import PAIRS, Pair
from tests.commutes.projects import side
from tests.stores.postgres.projects import database

STORES = list(dict.fromkeys(each.store for each in PAIRS))
NUMBERS = itertools.count()


def of(store: str, *, unknown: bool) -> list[Pair]:
    return [each for each in PAIRS if each.store == store and each.unknown is unknown]


def conflicts(pairs: Sequence[Pair]) -> tuple[BranchConflict, ...]:
    """What is said of branches that have the left, and the right, sides of all these pairs."""
    with TemporaryDirectory() as folder:
        trees = {
            name: branches.read(
                side(Path(folder) / name, pairs, sides, "One" if pairs[0].store == "weaviate" else "one")
            )
            for name, sides in (("base", ()), ("left", ("left",)), ("right", ("right",)))
        }
        ours, theirs = (branches.added(trees[name], trees["base"]) for name in ("left", "right"))
        return compared("main", "feature", ours, theirs).conflicts


@cache
def known(store: str) -> frozenset[tuple[str, str]]:
    """The pairs of revisions of a store's readable pairs that are in conflict: left and right by their slugs."""
    return frozenset((each.left.slug, each.right.slug) for each in conflicts(of(store, unknown=False)))


@pytest.mark.parametrize(
    "pair", [each for each in PAIRS if not each.unknown], ids=lambda each: f"{each.store}, {each.title}"
)
def test_pair_is_judged_right(pair: Pair) -> None:
    number = of(pair.store, unknown=False).index(pair)
    assert ((f"left_{number}", f"right_{number}") in known(pair.store)) is not pair.commutes


@pytest.mark.parametrize("store", STORES)
def test_pairs_of_different_objects_are_in_nobodys_way(store: str) -> None:
    assert [each for each in known(store) if each[0].split("_")[1] != each[1].split("_")[1]] == []


@pytest.mark.parametrize(
    "pair", [each for each in PAIRS if each.unknown], ids=lambda each: f"{each.store}, {each.title}"
)
def test_pair_that_cannot_be_read_is_a_conflict_and_says_so(pair: Pair) -> None:
    [found] = conflicts([pair])
    assert found.unknown
    assert found.why


def test_there_are_forty_pairs_over_six_stores() -> None:
    assert (len(PAIRS) >= 40, len(STORES)) == (True, 6)


@pytest.fixture
def url_of(request: pytest.FixtureRequest) -> Iterator[Callable[[str], str]]:
    """Makes the url of a place of its own on the server of a kind of store."""
    with ExitStack() as stack:

        def made(store: str) -> str:
            name = f"commutes_{os.getpid()}_{next(NUMBERS)}"
            if store == "postgres":
                return stack.enter_context(database(request.getfixturevalue("postgres_18"), name))
            fixture = {"clickhouse": "clickhouse_embedded", "redis": "redis_6", "influx": "influx_1"}.get(store, store)
            url: str = request.getfixturevalue(fixture)
            return urlsplit(url)._replace(path=f"/{name}").geturl() if store in ("clickhouse", "arango") else url

        yield made


@pytest.mark.parametrize("store", STORES)
def test_what_commutes_is_the_same_in_both_orders(store: str, tmp_path: Path, url_of: Callable[[str], str]) -> None:
    pairs = [each for each in of(store, unknown=False) if each.commutes]
    seen = []
    for name, sides in (("One", ("left", "right")), ("Two", ("right", "left"))):
        name = name if store == "weaviate" else name.lower()
        root = side(tmp_path / name, pairs, sides, name)
        project = Project.open(root, "test", variables={"URL": url_of(store)})
        report = project.up(allow_destructive=True, run_lock=False)
        assert (report.failures, report.remaining) == ((), ())
        seen.append(
            {each.replace(name, "any"): text.replace(name, "any") for each, text in taken(project, store, name)}
        )
    assert seen[0] == seen[1]
    assert len(seen[0]) >= len(pairs)


def taken(project: Project, store: str, name: str) -> Iterator[tuple[str, str]]:
    """The objects of the project's own names."""
    kind = kinds.named(store, store).snapshot()
    assert kind is not None
    [options] = branches.read(project.root).stores.values()
    for key, text in kind.taken(options, project.url(store)).items():
        if name in key:
            yield key, text
