"""Parts of a store: found by what they define, and held to their place."""

from __future__ import annotations

import pytest

from tests.house.conftest import Tree
from tests.house.parts import Part, evidence, misplaced, strays
from tests.house.source import Modules

LEASE = Part("lease", ports=("Leases",), everywhere=False)
PORTS = """
    from typing import Protocol

    class Reading(Protocol):
        def read(self): ...

    class Leases(Reading, Protocol):
        @property
        def name(self): ...
        def take(self): ...
        def _private(self): ...
"""
WHOLE = """
    class OneLeases:
        name = ""
        def take(self): ...
        def read(self): ...
"""
BASE = {
    "provision/": "",
    "provision/ports/": PORTS,
    "provision/stores/": "",
    "provision/stores/one/": "",
    "provision/stores/two/": "",
}


def wrong(modules: Modules, part: Part, kind: str = "one") -> list[str]:
    return misplaced(part, kind, modules, evidence(modules, [part])[part.name])


@pytest.mark.parametrize("path", ["lease.py", "lease/", "lease/inner.py"])
def test_a_part_in_the_file_or_folder_of_its_name_is_right(tree: Tree, path: str) -> None:
    assert wrong(tree({**BASE, f"provision/stores/one/{path}": WHOLE}), LEASE) == []


@pytest.mark.parametrize("path", ["leases.py", "deep/lease.py", "__init__.py"])
def test_a_part_elsewhere_is_named_with_its_place(tree: Tree, path: str) -> None:
    modules = tree({**BASE, f"provision/stores/one/{path}": WHOLE})
    sentence = f"provision/stores/one/{path}: OneLeases implements Leases, which belongs in lease"
    assert wrong(modules, LEASE) == [sentence]
    assert wrong(modules, LEASE, "two") == []


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("class A:\n    def take(self): ...\n    def read(self): self.name = 1", id="set on self"),
        pytest.param("class A:\n    name: str\n    def take(self): ...\n    async def read(self): ...", id="annotated"),
        pytest.param("from provision.base import Half\nclass A(Half[int]):\n    def read(self): ...", id="base class"),
        pytest.param("from provision import base\nclass A(base.Half):\n    def read(self): ...", id="base by module"),
        pytest.param("from provision.handed import Half\nclass A(Half):\n    def read(self): ...", id="handed on"),
        pytest.param("from provision.base import Half\nclass B(Half): ...\nclass A(B):\n    read = 1", id="two up"),
    ],
)
def test_members_may_be_set_inherited_and_handed_on(tree: Tree, text: str) -> None:
    base = "class Half:\n    def __init__(self): self.name, self.x = 1, 2\n    def take(self): ...\n"
    more = {"provision/base.py": base, "provision/handed/": "from provision.base import Half"}
    found = wrong(tree({**BASE, **more, "provision/stores/one/a.py": text}), LEASE)
    assert found == ["provision/stores/one/a.py: A implements Leases, which belongs in lease"]


def test_a_class_that_lacks_a_member_of_a_base_protocol_is_no_part(tree: Tree) -> None:
    text = "class Half:\n    name = 1\n    def take(self): ...\n"
    assert wrong(tree({**BASE, "provision/stores/one/a.py": text}), LEASE) == []


def test_a_protocol_that_asks_for_more_is_no_part(tree: Tree) -> None:
    text = "from provision.ports import Leases\nclass Wider(Leases, Protocol):\n    def more(self): ...\n"
    assert wrong(tree({**BASE, "provision/stores/one/a.py": text}), LEASE) == []


def test_a_file_that_has_nothing_of_its_name_is_wrong(tree: Tree) -> None:
    found = wrong(tree({**BASE, "provision/stores/one/lease.py": "x = 1"}), LEASE)
    assert found == ["provision/stores/one/lease.py: is called lease and has nothing of it"]


def test_a_part_that_every_store_has_is_missed(tree: Tree) -> None:
    part = Part("server", constants=("OLDEST",))
    modules = tree({**BASE, "provision/stores/one/server.py": "OLDEST: int = 1"})
    assert wrong(modules, part) == []
    assert wrong(modules, part, "two") == ["provision/stores/two: nothing is its server"]


def test_a_constant_shows_a_part(tree: Tree) -> None:
    modules = tree({**BASE, "provision/stores/one/link.py": "def f():\n    OLDEST = 1\nOTHER = OLDEST = 2"})
    found = wrong(modules, Part("server", constants=("OLDEST",)))
    assert found == ["provision/stores/one/link.py: it states OLDEST, which belongs in server"]


def test_what_a_public_function_returns_shows_a_part(tree: Tree) -> None:
    text = "def _own() -> Sequence[Path]: ...\ndef other() -> Path: ...\ndef write() -> Sequence[Path]: ...\n"
    found = wrong(tree({**BASE, "provision/stores/one/a.py": text}), Part("setup", returns=("Sequence[Path]",)))
    assert found == ["provision/stores/one/a.py: write() returns Sequence[Path], which belongs in setup"]


def test_a_base_class_shows_a_part_wherever_it_is_defined(tree: Tree) -> None:
    texts = {"provision/deep.py": "class Kind: ...\nclass Ensured(Kind): ...\n"}
    text = "from provision.deep import Ensured\nclass Make(Ensured): ...\n"
    found = wrong(tree({**BASE, **texts, "provision/stores/one/make.py": text}), Part("migrate", bases=("Kind",)))
    assert found == ["provision/stores/one/make.py: Make is one of Kind, which belongs in migrate"]


@pytest.mark.parametrize(
    ("part", "message"),
    [
        (Part("lease", ports=("Locks",)), "provision.ports has 0 protocols called Locks"),
        (Part("migrate", bases=("Locks",)), "no class is called Locks"),
    ],
)
def test_a_part_that_names_what_is_not_there_is_refused(tree: Tree, part: Part, message: str) -> None:
    with pytest.raises(LookupError, match=message):
        evidence(tree(BASE), [part])


def test_strays_are_what_is_no_part(tree: Tree) -> None:
    names = ("store.py", "migrate/lane.py", "names.py", "extra.py", "odd/a.py", "odd/b.py", "allowed.py")
    modules = tree({**BASE, **{f"provision/stores/one/{each}": "" for each in names}})
    assert strays("one", modules, ["allowed"]) == ["extra", "odd"]
    assert strays("two", modules) == []
