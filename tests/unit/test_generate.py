"""Generators refuse what they cannot do, and write over nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from docs.generate.new import main
from docs.generate.tree import Name, Refused, Tree


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


@pytest.mark.parametrize("written", ["freeze_keys", "freeze-keys"])
def test_name_has_the_forms_that_files_classes_and_sentences_need(written: str) -> None:
    assert Name.of(written).forms == {
        "snake": "freeze_keys",
        "Class": "FreezeKeys",
        "CAPS": "FREEZE_KEYS",
        "kebab": "freeze-keys",
        "words": "freeze keys",
    }


@pytest.mark.parametrize("written", ["", "FreezeKeys", "1st", "a__b", "a_", "../a", "a b"])
def test_name_that_is_none_is_refused(written: str) -> None:
    with pytest.raises(Refused, match=r"is no name: write lower-case words with _ or - between them$"):
        Name.of(written)


def test_new_file_that_is_there_stays_as_it_is(tree: Tree) -> None:
    (tree.root / "a.py").write_text("mine")
    with pytest.raises(Refused, match=r"^a\.py is there already$"):
        tree.new("a.py", "check/check.txt", Name.of("a").forms)
    assert (tree.root / "a.py").read_text() == "mine"
    assert tree.written == []


@pytest.mark.parametrize(("text", "places"), [("nothing", 0), ("| x |\n| x |\n", 2)])
def test_place_that_is_not_the_only_one_is_refused(tree: Tree, text: str, places: int) -> None:
    (tree.root / "a.md").write_text(text)
    with pytest.raises(Refused, match=rf"^a\.md has {places} places like "):
        tree.insert("a.md", r"^\| x \|", "| y |\n")
    assert (tree.root / "a.md").read_text() == text


def test_text_goes_before_its_place(tree: Tree) -> None:
    (tree.root / "a.md").write_text("| w |\n| x |\n")
    tree.insert("a.md", r"^\| x \|", "| y |\n")
    assert (tree.root / "a.md").read_text() == "| w |\n| y |\n| x |\n"


def test_program_that_fails_is_told_with_its_own_words(tree: Tree) -> None:
    with pytest.raises(Refused, match=r"ValueError: why"):
        tree.ran("-c", "raise ValueError('why')")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["operation", "--store", "postgres", "--name", "a"],
            "'postgres' has no YAML files of operations: STORE is one of",
        ),
        (["command", "--name", "a", "--group", "Nowhere"], "'Nowhere' is no group of commands: Move, Look, "),
        (["check", "--of", "table", "--name", "volume"], "volume is taken: docs/schemas/checks.json has it"),
        (["check", "--of", "rows", "--name", "acyclic"], "acyclic is taken: docs/schemas/checks.json has it"),
        (["check", "--of", "table", "--name", "Volume"], "'Volume' is no name"),
        (["check", "--name", "a"], "'' is no sort of check: OF=rows for what makes one row bad, OF=table for what"),
    ],
)
def test_command_line_that_cannot_be_done_is_refused_and_writes_nothing(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 1
    out, err = capsys.readouterr()
    assert (out, err.startswith(f"nothing more was written: {said}")) == ("", True)
