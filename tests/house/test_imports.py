"""Who imports whom."""

from __future__ import annotations

import pytest

from tests.house.conftest import Tree
from tests.house.imports import Import, imports

# Every test adds what `a` imports; `deep/` is a package with two modules.
PLACES = {
    "provision/": "",
    "provision/b.py": "",
    "provision/deep/": "def there(): ...\n",
    "provision/deep/one.py": "",
    "provision/deep/two.py": "",
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("import provision.b", ["b"]),
        ("import provision.deep.one as one, os", ["deep.one"]),
        ("from provision import b", ["b"]),
        ("from provision.b import anything", ["b"]),
        ("from provision.deep import one, two as second", ["deep.one", "deep.two"]),
        ("from provision.deep import there", ["deep"]),
        ("from provision.deep import *", ["deep"]),
        ("from . import b", ["b"]),
        ("from .deep import one", ["deep.one"]),
        ("from .deep.two import name", ["deep.two"]),
        ("import os\nfrom pathlib import Path", []),
        ("import provision.a", []),
    ],
)
def test_an_import_is_of_the_module_that_it_names(tree: Tree, text: str, expected: list[str]) -> None:
    found = imports(tree({**PLACES, "provision/a.py": text}))
    assert [(each.importer, each.imported) for each in found] == [("provision.a", f"provision.{x}") for x in expected]


def test_dots_lead_up_from_the_package_also_in_its_init(tree: Tree) -> None:
    found = imports(
        tree(
            {
                **PLACES,
                "provision/deep/": "from . import one\nfrom .. import b\n",
                "provision/deep/two.py": "from ..b import x",
            }
        )
    )
    assert [(each.importer, each.imported) for each in found] == [
        ("provision.deep", "provision.deep.one"),
        ("provision.deep", "provision.b"),
        ("provision.deep.two", "provision.b"),
    ]


def test_what_a_package_defines_comes_before_its_module_of_that_name(tree: Tree) -> None:
    defining = {
        **PLACES,
        "provision/deep/": "from provision.b import one\n",
        "provision/a.py": "from provision.deep import one",
    }
    found = {(each.importer, each.imported) for each in imports(tree(defining))}
    assert found == {("provision.deep", "provision.b"), ("provision.a", "provision.deep")}


@pytest.mark.parametrize("test", ["TYPE_CHECKING", "typing.TYPE_CHECKING"])
def test_imports_for_type_checkers_are_left_out_and_their_else_is_not(tree: Tree, test: str) -> None:
    text = f"""
        if {test}:
            from provision import b
        else:
            from provision.deep import one
    """
    assert [each.imported for each in imports(tree({**PLACES, "provision/a.py": text}))] == ["provision.deep.one"]


def test_imports_in_functions_classes_and_blocks_are_found(tree: Tree) -> None:
    text = """
        try:
            from provision import b
        except ImportError:
            import provision.deep.one
        class Some:
            async def method(self):
                with self:
                    from provision.deep import two
    """
    assert imports(tree({**PLACES, "provision/a.py": text})) == [
        Import("provision.a", "provision.b", 3, lazy=False),
        Import("provision.a", "provision.deep.one", 5, lazy=False),
        Import("provision.a", "provision.deep.two", 9, lazy=True),
    ]


def test_an_import_that_runs_at_once_is_named_before_an_earlier_lazy_one(tree: Tree) -> None:
    text = "def late():\n    from provision import b\n\nfrom provision.b import x\n"
    assert imports(tree({**PLACES, "provision/a.py": text})) == [Import("provision.a", "provision.b", 4, lazy=False)]
