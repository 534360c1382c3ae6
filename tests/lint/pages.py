"""The pages of the rules: their sections, and the examples that are run."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from provision import kinds
from provision.lint.engine import findings
from provision.lint.names import rules_of
from provision.model.lint import LintFinding, Rule
from provision.stores.clickhouse.lint import reader as clickhouse
from provision.stores.clickhouse.lint import tree

PAGES = Path(__file__).parents[2] / "docs" / "lint"
SECTIONS = ("Problem", "Instead of", "Use", "When to allow it")


class RuleOf(NamedTuple):
    """A rule and the kind that has it."""

    kind: str
    rule: Rule

    def __str__(self) -> str:
        return self.rule.name


def every() -> list[RuleOf]:
    return [RuleOf(kind.name, rule) for kind in kinds.every() for rule in rules_of(kind.package)]


def sections(rule: str) -> dict[str, str]:
    """Heading → text of a page."""
    parts = re.split(r"^## (.+)\n", (PAGES / f"{rule}.md").read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {name: text.strip() for name, text in zip(parts[1::2], parts[2::2], strict=True)}


def example(rule: str, section: str) -> str:
    """The block of code of a section."""
    found = re.search(r"^```\w+\n(.*?)^```", sections(rule)[section], re.MULTILINE | re.DOTALL)
    assert found is not None, f"{rule}: {section} has no example"
    return found[1]


def found(kind: str, texts: Sequence[str], *, complete: bool = True) -> list[LintFinding]:
    """What lint finds in plain files of a kind."""
    of = kinds.named(kind, "a test")
    reader = of.lint()
    assert reader is not None
    world = reader.world()
    world.complete = complete
    scripts = reader.plain({f"{number}.txt": text for number, text in enumerate(texts, 1)})
    return findings(kind, scripts, world, rules_of(of.package), {})


_TREES: dict[str, tuple[str, str]] = {}


def explained_once(statements: Sequence[str]) -> list[tuple[str, str]]:
    """What ClickHouse's parser says of each, which is asked once for each text: its process takes a second to start."""
    new = [each for each in dict.fromkeys(statements) if each not in _TREES]
    _TREES.update(zip(new, tree.explained(new), strict=True))
    return [_TREES[each] for each in statements]


def learn(texts: Sequence[str]) -> None:
    """Ask for all statements of these texts together, so that none of them needs a process of its own later."""
    clickhouse.ClickhouseReader().plain({str(number): text for number, text in enumerate(texts)})


def rules_in(kind: str, text: str) -> set[str]:
    return {each.rule for each in found(kind, [text])}
