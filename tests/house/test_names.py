"""Class names with two meanings, and names that stores share."""

from __future__ import annotations

from tests.house.conftest import Tree
from tests.house.names import Meanings, Shared, every_folder, own_folder, stores, two_meanings

CLASS = "class Thing: ...\n"
STORES = {
    "provision/stores/": "",
    "provision/stores/shared.py": "",
    "provision/stores/one/": "",
    "provision/stores/one/store.py": CLASS,
    "provision/stores/one/deep/": "",
    "provision/stores/one/deep/own.py": "",
    "provision/stores/one/deep/operations/": "",
    "provision/stores/one/deep/operations/make.py": "",
    "provision/stores/one/deep/operations/further/": "",
    "provision/stores/two/": "",
    "provision/stores/two/store.py": CLASS,
    "provision/stores/two/deep/": "",
    "provision/stores/two/other.py": "",
}


def test_a_name_that_two_files_define_has_two_meanings(tree: Tree) -> None:
    found = two_meanings(tree({"provision/b.py": CLASS, "provision/a.py": f"if 1:\n    {CLASS}", "provision/c.py": ""}))
    assert found == [Meanings("Thing", ("provision.a", "provision.b"))]


def test_the_same_file_of_two_stores_gives_one_meaning(tree: Tree) -> None:
    assert two_meanings(tree(STORES)) == []


def test_another_file_of_a_store_gives_a_second_meaning_and_all_are_named(tree: Tree) -> None:
    found = two_meanings(tree({**STORES, "provision/stores/two/other.py": CLASS}))
    places = ("provision.stores.one.store", "provision.stores.two.other", "provision.stores.two.store")
    assert found == [Meanings("Thing", places)]


def test_private_inner_and_imported_classes_have_no_second_meaning(tree: Tree) -> None:
    texts = {
        "provision/a.py": f"class _Own: ...\n{CLASS}",
        "provision/b.py": "class _Own: ...\nfrom provision.a import Thing\n",
        "provision/c.py": "class Outer:\n    class Thing: ...\ndef f():\n    class Thing: ...\n",
    }
    assert two_meanings(tree(texts)) == []


def test_stores_are_the_packages_below_stores(tree: Tree) -> None:
    assert stores(tree({**STORES, "provision/stores/loose/a.py": ""})) == ["one", "two"]


def test_names_of_a_stores_own_folder_are_its_files_and_folders(tree: Tree) -> None:
    assert own_folder(tree(STORES)) == Shared(3, ("deep/", "store"), {"one": (), "two": ("other",)})


def test_names_of_every_folder_leave_out_what_operations_there_are(tree: Tree) -> None:
    alone = {"one": ("deep/operations/", "deep/own"), "two": ("other",)}
    assert every_folder(tree(STORES)) == Shared(5, ("deep/", "store"), alone)
