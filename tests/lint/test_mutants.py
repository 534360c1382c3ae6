"""A defect of each rule, planted in a copy of the shipped migrations, is found on its line."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pytest

from provision import settings
from provision.flows.lint import LintScope, linted
from provision.model.lint import LintFinding
from provision.wiring import lint
from tests.lint import pages
from tests.lint.mutants import NOT_PLANTED, PLANTS, Plant

ROOT = Path(__file__).parents[2]
FOLDERS = {"postgres": "alembic"}
EVERY = [(kind, each) for kind, plants in PLANTS.items() for each in plants]


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped project, with every defect in it at once."""
    root = tmp_path_factory.mktemp("planted")
    for name in ("alembic", "clickhouse", "influx", "redis", "weaviate", "arango", "checks", "backfills"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("provision.toml", "alembic.ini"):
        shutil.copy(ROOT / name, root)
    for _, plant in EVERY:
        path = root / plant.file
        path.write_text(planted(path.read_text(encoding="utf-8"), plant), encoding="utf-8")
    return root


def planted(text: str, plant: Plant) -> str:
    """The text with the defect in it. What it replaces must be there."""
    if not plant.old:
        return text.rstrip().rstrip(";") + plant.new
    assert plant.old in text, f"{plant.rule}: {plant.file} has no {plant.old!r}"
    return text.replace(plant.old, plant.new, 1)


@cache
def findings(root: Path, kind: str) -> Sequence[LintFinding]:
    found, wrong = lint.of_project(settings.load(root), [kind])
    return [*linted(found, LintScope()).findings, *wrong]


@pytest.mark.parametrize(("kind", "plant"), [pytest.param(*each, id=each[1].rule) for each in EVERY])
def test_planted_defect_is_found_on_its_line(kind: str, plant: Plant, copy: Path) -> None:
    text = (copy / plant.file).read_text(encoding="utf-8")
    mine = [each for each in findings(copy, kind) if each.rule == plant.rule and each.file == plant.file]
    assert mine, [(each.rule, each.line, each.message) for each in findings(copy, kind) if each.file == plant.file]
    if plant.defect:
        first = text.count("\n", 0, text.index(plant.defect)) + 1
        last = first + plant.defect.count("\n")
        # What a statement says as a whole is told where it begins.
        assert any(_statement(text, first) <= each.line <= last for each in mine), (first, last, mine)


def _statement(text: str, line: int) -> int:
    """The line where the statement that covers this line begins."""
    lines = text.split("\n")[:line]
    begins = ("CREATE ", "ALTER ", '"""', "up:", "  - ", "def ")
    return next((n for n in range(len(lines), 0, -1) if any(word in lines[n - 1] for word in begins)), 1)


def test_every_rule_is_planted_or_cannot_be() -> None:
    rules = sorted(each.rule.name for each in pages.every())
    assert sorted([*(plant.rule for _, plant in EVERY), *NOT_PLANTED]) == rules
    assert all(NOT_PLANTED.values())
