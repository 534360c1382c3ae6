"""Every fix of `doctor` is a command or a setting that somebody can follow as it stands."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2] / "provision"
FILES = (
    *sorted(ROOT.glob("stores/*/setup/health.py")),
    *(ROOT / "stores" / each for each in ("postgres/setup/hygiene.py", "postgres/setup/pooler.py")),
    ROOT / "stores/clickhouse/setup/replicas.py",
    *(ROOT / each for each in ("text/clock.py", "wiring/machine.py", "flows/doctor.py")),
)
# A command stands in backticks; a setting is named with its file, its section or its value.
COMMAND = re.compile(r"`[^`]+`")
SETTING = re.compile(r"provision\.toml|the url|configuration|PGOPTIONS|\w+ ?= ?\S+|image of|in its package|as the name")
VAGUE = re.compile(r"\b(check|look|see|correct|make sure|free some|give the|put .* right|let both)\b")


def fixes(tree: ast.Module) -> Iterator[ast.expr]:
    """What is called a fix, and what stands last in a finding that is not fine."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]).lower() == "fix":
            yield node.value
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("Finding", "_warning", "_error"):
            yield from [] if "Severity.FINE" in ast.unparse(node) else node.args[-1:]


def texts(node: ast.expr) -> Iterator[str]:
    """The texts that an expression may come to; what is put into them is X."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        yield "".join(str(each.value) if isinstance(each, ast.Constant) else "X" for each in node.values)
    elif isinstance(node, ast.IfExp):
        yield from (*texts(node.body), *texts(node.orelse))


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_fix_can_be_followed_as_it_stands(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = [text for node in fixes(tree) for text in texts(node)]
    whole = [each for each in found if not re.fullmatch(r"X[,;] .*|X; .*", each)]  # it begins with one
    assert [each for each in whole if not (COMMAND.search(each) or SETTING.search(each))] == []
    assert [each for each in found if VAGUE.search(COMMAND.sub("", each))] == []


def test_what_is_vague_is_found() -> None:
    tree = ast.parse('fix = "check the disk"\nyield_ = Finding("disk", Severity.ERROR, "x", "y", f"free some {z}")')
    assert [text for node in fixes(tree) for text in texts(node)] == ["check the disk", "free some X"]
    assert all(VAGUE.search(each) for each in ("check the disk", "free some X"))
