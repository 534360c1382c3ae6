"""A code without a test that follows its fix, or without the reason why none does, fails here."""

from __future__ import annotations

import ast
import re
from collections import Counter
from pathlib import Path

import pytest

from provision.cli.render.problems import name_environment
from provision.errors import ConfigError
from tests.fixes.table import BY_PEOPLE, FOLLOWED

TESTS = Path(__file__).resolve().parents[1]
PAGE = (TESTS.parent / "docs" / "errors.md").read_text(encoding="utf-8")
CODES = re.findall(r"^\| `([a-z-]+)` \| [\d or]+ \|", PAGE, re.MULTILINE)
COMMAND = re.compile(r"(?<![`\w])provision (?:up|down|plan|status|history|init|lock|backfill|validate|resolve|local)\b")


def test_each_code_of_the_page_is_followed_or_says_why_not() -> None:
    told = [code for codes in (*FOLLOWED.values(), *BY_PEOPLE.values()) for code in codes.split()]

    assert [code for code, times in Counter(told).items() if times > 1] == []
    assert sorted(told) == sorted(CODES)


@pytest.mark.parametrize("test", FOLLOWED)
def test_test_is_there_and_asks_for_its_codes(test: str) -> None:
    file, name = test.split("::")
    text = (TESTS / file).read_text(encoding="utf-8")

    assert name in {each.name for each in ast.parse(text).body if isinstance(each, ast.FunctionDef)}
    assert [code for code in FOLLOWED[test].split() if code not in text] == []


def _fixes(file: Path) -> list[str]:
    """The texts that are given as a `fix`, or are kept under that name."""
    found = []
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        given = node.value if isinstance(node, ast.keyword) and node.arg == "fix" else None
        if isinstance(node, ast.Assign) and any(isinstance(to, ast.Name) and to.id == "fix" for to in node.targets):
            given = node.value
        if given is not None:
            found += [ast.unparse(each) for each in ast.walk(given) if isinstance(each, ast.JoinedStr)]
            found += [each.value for each in ast.walk(given) if isinstance(each, ast.Constant) and _text(each)]
    return found


def _text(constant: ast.Constant) -> bool:
    return isinstance(constant.value, str)


def test_commands_of_a_fix_stand_in_backquotes() -> None:
    """Outside of them, they do not name the environment that was asked for."""
    sources = (TESTS.parent / "provision").rglob("*.py")
    bare = [(file.name, fix) for file in sources for fix in _fixes(file) if COMMAND.search(fix)]

    assert bare == []


def test_commands_with_an_environment_are_given_it_in_a_fix() -> None:
    page = (TESTS.parent / "docs" / "commands.md").read_text(encoding="utf-8")
    parts = re.split(r"^## provision ", page, flags=re.MULTILINE)[1:]
    # `verify` takes an environment of its own, never the one with servers that was asked for; `graph` draws files.
    wanted = [part.splitlines()[0] for part in parts if "--env" in part and not part.startswith(("verify", "graph"))]
    for command in wanted:
        error = ConfigError("usage", "of the test", fix=f"`provision {command}`")
        name_environment(error, "test")
        assert error.fix == f"`provision {command} --env test`"
    assert len(wanted) > 15
