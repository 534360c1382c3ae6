"""What `python -m tests.house` prints."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.house.__main__ import main
from tests.house.conftest import Tree

FILES = {
    "provision/a.py": "from provision import b\n\nclass Thing:\n    def one(self):\n        return 1\n",
    "provision/b.py": "class Thing: ...\ndef two():\n    from provision import a\n",
    "provision/stores/": "",
    "provision/stores/one/": "",
    "provision/stores/one/store.py": "",
    "provision/stores/one/extra.py": "",
    "provision/stores/two/": "",
    "provision/stores/two/store.py": "",
}
PAGE = """\
provision/: 8 files, 8 lines

lines of    count median 9 of 10 ≤ longest
files           8      0         5       5  provision/a.py
functions       2      2         2       2  provision/a.py:4 Thing.one

files of more than 4 lines: 1
     5  provision/a.py

functions of more than 40 lines: none

names of files and folders in provision/stores/*/ (2 stores)

                      names in all in one  in one store alone
the store's folder        2      1      1  one 1, two 0
and the ones below        2      1      1  one 1, two 0

in all: store
in one alone: extra
What is in a folder `operations` is left out: an operation is a store's own by nature.

import circles: 1
  2 files
    provision/a.py:1 → provision/b.py:3 (in a function) → provision/a.py
Imports in functions count, those under `if TYPE_CHECKING` do not.

class names with two meanings: 1
  Thing  provision/a.py, provision/b.py
A public class name has two meanings when several files define it; \
the same file of several stores, such as stores/*/server.py, is one.
"""


@pytest.fixture(autouse=True)
def files(tree: Tree) -> None:
    tree(FILES)


def test_the_page_with_everything(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["--all", "--file-lines", "4", "--root", str(tmp_path)])
    assert capsys.readouterr().out == PAGE


def test_names_in_one_store_alone_are_counted_unless_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["--root", str(tmp_path)])
    printed = capsys.readouterr().out
    assert "files of more than 400 lines: none\n" in printed
    assert "one 1, two 0\n" in printed
    assert "in one alone: extra" not in printed


def test_json_has_every_list_whole(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["--json", "--function-lines", "1", "--root", str(tmp_path)])
    one = {"lines": 2, "name": "Thing.one", "place": "provision/a.py:4"}
    two = {"lines": 2, "name": "two", "place": "provision/b.py:2"}
    shared = {"names": 2, "in_all": ["store"], "in_one": {"one": ["extra"], "two": []}}
    a, b = "provision.a", "provision.b"
    chain = [
        {"importer": a, "imported": b, "line": 1, "lazy": False},
        {"importer": b, "imported": a, "line": 3, "lazy": True},
    ]
    longest = {"lines": 5, "name": "provision/a.py", "place": "provision/a.py"}
    assert json.loads(capsys.readouterr().out) == {
        "lines": 8,
        "files": {"count": 8, "median": 0, "p90": 5, "longest": longest, "above": {"limit": 400, "list": []}},
        "functions": {"count": 2, "median": 2, "p90": 2, "longest": one, "above": {"limit": 1, "list": [one, two]}},
        "stores": ["one", "two"],
        "names": {"own_folder": shared, "every_folder": shared},
        "circles": [{"members": [a, b], "chains": [chain]}],
        "two_meanings": {"Thing": [a, b]},
    }
