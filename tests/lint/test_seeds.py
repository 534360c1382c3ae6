"""The design documents' own statements, as written: what docs/lint-coverage.md says is found, is found there."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.lint.pages import PAGES, found
from tests.servers.required import not_run

SEEDS = Path(__file__).resolve().parents[3] / "shared" / "seeds"
FILES = {"D1": "000_518bdf0520b0d9c1.txt", "D2": "004_15478316da667711.txt"}
PAGE = PAGES.parent / "lint-coverage.md"
# Kind → the fences that are its statements: document, language, which of them (None: all but those of others).
FENCES = {
    "postgres": [("D1", "sql", {8}), ("D2", "sql", {1, 2})],
    "clickhouse": [("D2", "sql", None)],
    "influx": [("D1", "sql", None)],
    "redis": [("D1", "redis", None)],
    "weaviate": [("D2", "python", None)],
    "arango": [("D2", "javascript", None)],
}
ONLY = {"clickhouse": {1, 2}, "influx": {8}, "redis": {1}, "weaviate": {3}, "arango": {1}}


def statements(document: str, language: str, wanted: Iterable[int] | None, unwanted: Iterable[int]) -> str:
    """What stands in the fences of a language, every line at its own number."""
    path = SEEDS / FILES[document]
    if not path.is_file():
        not_run("the design documents", f"../shared/seeds/{FILES[document]}")
    lines, number, inside, shown = [], 0, False, False
    for line in path.read_text(encoding="utf-8").split("\n"):
        if line.startswith("```"):
            number += not inside and line.strip() == f"```{language}"
            shown = not inside and line.strip() == f"```{language}" and number not in unwanted
            shown = shown and (wanted is None or number in wanted)
            inside = not inside
            lines.append("")
        else:
            lines.append(line if shown else "")
    return "\n".join(lines)


@cache
def everything() -> frozenset[tuple[str, str, int]]:
    """(rule, document, line) of every finding, each kind's statements taken as one history."""
    made = set()
    for kind, fences in FENCES.items():
        texts = [statements(name, language, ONLY.get(kind), unwanted or ()) for name, language, unwanted in fences]
        documents = {f"{number}.txt": name for number, (name, _, _) in enumerate(fences, 1)}
        made |= {(each.rule, documents[each.file], each.line) for each in found(kind, texts)}
    return frozenset(made)


def rows() -> Iterator[tuple[int, list[tuple[str, str, int]], str]]:
    """Number, what is found, and why the rest is not."""
    for line in PAGE.read_text(encoding="utf-8").split("\n"):
        if re.match(r"\| \d+ \|", line):
            number, _, where, why = (cell.strip() for cell in line.strip("|").split("|"))
            named = re.findall(r"`([\w-]+)` (D\d) ([\d, ]+)", where)
            yield int(number), [(rule, of, int(at)) for rule, of, at in _each(named)], why


def _each(named: list[tuple[str, str, str]]) -> Iterator[tuple[str, str, str]]:
    for rule, document, lines in named:
        yield from ((rule, document, line) for line in lines.split(","))


ROWS = list(rows())


def test_all_64_are_listed_and_more_than_45_are_found() -> None:
    assert [number for number, _, _ in ROWS] == [*range(1, 65)]
    assert sum(bool(places) for _, places, _ in ROWS) >= 45
    assert [number for number, places, why in ROWS if not places and not why] == []


@pytest.mark.parametrize("places", [pytest.param(places, id=str(number)) for number, places, _ in ROWS if places])
def test_defect_is_found_on_its_lines(places: list[tuple[str, str, int]]) -> None:
    assert [each for each in places if each not in everything()] == []


def test_migration_of_the_document_is_found_too() -> None:
    wanted = {("update-whole-table", "D2", 561), ("half-rerunnable", "D2", 572), ("half-rerunnable", "D2", 586)}
    assert wanted <= everything()
