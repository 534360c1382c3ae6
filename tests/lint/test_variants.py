"""Every rule finds its defect under other names, in another layout and in other capitals too."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest

from tests.lint import pages
from tests.lint.pages import RuleOf

EVERY = pages.every()
ids = [each.rule.name for each in EVERY]
# What may not be touched: texts, quoted names, bodies between dollars.
_KEPT = re.compile(r"""'(?:[^']|'')*'|"[^"]*"|\$\w*\$.*?\$\w*\$""", re.DOTALL)
_NAMED = re.compile(
    r"\b(?:TABLE|INDEX|ON|INTO|FROM|VIEW|UPDATE|TO|OF|CONCURRENTLY|REFERENCES|EXISTS)\s+(?:public\.)?([a-z]\w*)\b"
)


def outside(text: str, change: Callable[[str], str]) -> str:
    """The text with everything changed that is not kept."""
    parts, at = [], 0
    for found in _KEPT.finditer(text):
        parts += [change(text[at : found.start()]), found[0]]
        at = found.end()
    return "".join([*parts, change(text[at:])])


def renamed(_each: RuleOf, text: str) -> str:
    names = {name for name in _NAMED.findall(text) if not name.startswith("pg_")}
    for name in sorted(names, key=len, reverse=True):
        text = re.sub(rf"\b{name}\b", f"zz_{name}", text)
    return text


def in_another_layout(each: RuleOf, text: str) -> str:
    if each.kind == "redis":
        return "\n".join(re.sub(r" +", "   ", line) for line in text.split("\n"))
    if each.kind == "weaviate":
        return json.dumps(json.loads(text), indent=4)
    if each.kind == "arango":
        return "\n" + text
    return outside(text, lambda part: re.sub(r"\s+", "\n      ", part).replace("(", "( "))


def in_other_capitals(each: RuleOf, text: str) -> str:
    if each.kind == "postgres":
        return outside(text, lambda part: part.upper() if part == part.lower() else part.swapcase())
    if each.kind in ("clickhouse", "influx", "redis"):
        return outside(text, lambda part: re.sub(r"\b(?!UUID)[A-Z_]{2,}\b", lambda word: word[0].lower(), part))
    return text


VARIANTS = (renamed, in_another_layout, in_other_capitals)


def texts() -> list[str]:
    """Those of ClickHouse, which are parsed together."""
    mine = [each for each in EVERY if each.kind == "clickhouse"]
    return [vary(each, pages.example(each.rule.name, "Instead of")) for each in mine for vary in VARIANTS]


@pytest.mark.parametrize("vary", VARIANTS)
@pytest.mark.parametrize("each", EVERY, ids=ids)
def test_rule_finds_its_defect_in_another_form(each: RuleOf, vary: Callable[[RuleOf, str], str]) -> None:
    text = vary(each, pages.example(each.rule.name, "Instead of"))
    assert each.rule.name in pages.rules_in(each.kind, text), text
