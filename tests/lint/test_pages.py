"""Every rule has a page, whose example of what to avoid is found and whose example of what to do is not."""

from __future__ import annotations

import pytest

from provision.lint.names import COMMON
from tests.lint import pages
from tests.lint.pages import PAGES, SECTIONS, RuleOf

EVERY = pages.every()
ids = [each.rule.name for each in EVERY]


def texts() -> list[str]:
    """Those of ClickHouse, which are parsed together."""
    mine = [each.rule.name for each in EVERY if each.kind == "clickhouse"]
    return [pages.example(name, section) for name in mine for section in ("Instead of", "Use")]


def test_every_rule_has_a_name_of_its_own() -> None:
    assert sorted([*ids, *COMMON]) == sorted({*ids, *COMMON})


def test_every_page_is_of_a_rule_and_every_rule_has_one() -> None:
    assert sorted(each.stem for each in PAGES.glob("*.md") if each.stem != "README") == sorted({*ids, *COMMON})


@pytest.mark.parametrize("each", EVERY, ids=ids)
def test_rule_is_named_as_its_file(each: RuleOf) -> None:
    function = each.rule.check or each.rule.whole
    assert function is not None
    assert function.__module__.rpartition(".")[2].replace("_", "-") == each.rule.name


@pytest.mark.parametrize("name", [*ids, *COMMON])
def test_page_has_all_its_sections(name: str) -> None:
    found = pages.sections(name)
    assert tuple(found) == SECTIONS
    assert all(found.values())


@pytest.mark.parametrize("each", EVERY, ids=[f"{name}_err" for name in ids])
def test_example_of_what_to_avoid_is_found(each: RuleOf) -> None:
    found = pages.found(each.kind, [pages.example(each.rule.name, "Instead of")])
    mine = [finding for finding in found if finding.rule == each.rule.name]
    assert mine, [finding.rule for finding in found]
    assert all(finding.severity is each.rule.level and finding.fix and finding.line >= 1 for finding in mine)


@pytest.mark.parametrize("each", EVERY, ids=[f"{name}_ok" for name in ids])
def test_example_of_what_to_do_is_not_found(each: RuleOf) -> None:
    found = pages.found(each.kind, [pages.example(each.rule.name, "Use")])
    assert each.rule.name not in {finding.rule for finding in found}
    assert "syntax" not in {finding.rule for finding in found}
