"""Import circles."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from itertools import pairwise

from tests.house.circles import circles
from tests.house.conftest import Tree
from tests.house.imports import Import, imports


def drawn(pairs: str) -> list[Import]:
    """`a>b b>c` as imports."""
    split = (pair.split(">") for pair in pairs.split())
    return [Import(importer, imported, 1, lazy=False) for importer, imported in split]


def chains(pairs: str) -> list[list[str]]:
    """The ways round, circle by circle, as `a>b>a`."""
    return [
        [">".join([*(one.importer for one in chain), chain[0].importer]) for chain in circle.chains]
        for circle in circles(drawn(pairs))
    ]


def found(tree: Tree, files: Mapping[str, str]) -> list[tuple[str, ...]]:
    return [each.members for each in circles(imports(tree(files)))]


def test_imports_in_one_direction_are_no_circle() -> None:
    assert circles(drawn("a>b b>c a>c d>c")) == []


def test_two_modules_that_import_each_other_are_one() -> None:
    assert chains("b>a a>b b>c") == [["a>b>a"]]


def test_a_long_way_round_is_told_whole() -> None:
    assert chains("x>a a>b b>c c>d d>a c>y") == [["a>b>c>d>a"]]


def test_circles_that_share_a_module_are_one_with_a_chain_for_each_way() -> None:
    assert chains("a>b b>a b>c c>b") == [["a>b>a", "b>c>b"]]


def test_every_import_inside_is_in_a_chain() -> None:
    assert chains("a>b b>c c>a a>c") == [["a>c>a", "a>b>c>a"]]


def test_circles_apart_are_told_apart_and_the_largest_first() -> None:
    assert chains("p>q q>p a>p m>n n>o o>m") == [["m>n>o>m"], ["p>q>p"]]


def test_a_chain_deeper_than_calls_may_be_is_walked() -> None:
    names = [f"m{number:05}" for number in range(sys.getrecursionlimit() + 100)]
    ahead = [Import(one, other, 1, lazy=False) for one, other in pairwise(names)]
    assert circles(ahead) == []
    assert [len(each.members) for each in circles([*ahead, Import(names[-1], names[0], 1, lazy=False)])] == [len(names)]


def test_a_lazy_import_closes_a_circle(tree: Tree) -> None:
    files = {
        "provision/a.py": "from provision import b",
        "provision/b.py": "def late():\n    from provision.a import x\n",
    }
    assert found(tree, files) == [("provision.a", "provision.b")]


def test_an_import_for_type_checkers_closes_none(tree: Tree) -> None:
    text = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from provision.a import x\n"
    assert found(tree, {"provision/a.py": "from provision import b", "provision/b.py": text}) == []


def test_a_module_that_takes_a_name_of_its_package_closes_a_circle(tree: Tree) -> None:
    files = {
        "provision/deep/": "from provision.deep.a import x\ny = 1\n",
        "provision/deep/a.py": "from provision.deep import y",
    }
    assert found(tree, files) == [("provision.deep", "provision.deep.a")]


def test_a_module_beside_another_in_the_package_that_imports_both_is_in_none(tree: Tree) -> None:
    files = {
        "provision/deep/": "from . import a, b\n",
        "provision/deep/a.py": "from . import b",
        "provision/deep/b.py": "",
    }
    assert found(tree, files) == []


def test_a_circle_through_the_init_of_a_package_goes_over_relative_imports(tree: Tree) -> None:
    files = {
        "provision/": "",
        "provision/a.py": "from .deep import thing",
        "provision/deep/": "from .inner import thing",
        "provision/deep/inner.py": "from ..a import other",
    }
    assert found(tree, files) == [("provision.a", "provision.deep", "provision.deep.inner")]
