"""docs/lint-corpus.md: the cases, and what each linter says of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from tests.corpus.cases import LINTERS, Case, without

PAGE = Path(__file__).parents[2] / "docs" / "lint-corpus.md"
_BEGIN, _END = "<!-- cases: begin -->\n", "<!-- cases: end -->\n"
Scores = Mapping[str, Mapping[str, Sequence[str]]]


def written(outages: Sequence[Case], defects: Sequence[Case], scores: Scores) -> str:
    """The page with its tables anew. `scores`: name of a case → linter → rules that name the harm."""
    text = PAGE.read_text(encoding="utf-8")
    body = "\n".join(
        [
            *_sums(outages, defects, scores),
            "",
            "## Reported by people",
            "",
            *_table(outages, scores),
            "",
            "## Of the design documents",
            "",
            *_table(defects, scores),
            "",
            "Defects of the design documents that are no case:",
            "",
            *(f"- {number}: {why}" for number, why in without().items()),
        ]
    )
    return text.split(_BEGIN)[0] + _BEGIN + body + "\n" + _END + text.split(_END)[1]


def _sums(outages: Sequence[Case], defects: Sequence[Case], scores: Scores) -> Iterator[str]:
    yield "| linter | reported by people | of the design documents |"
    yield "| --- | --- | --- |"
    for linter in LINTERS:
        cells = [
            _share([each for each in cases if _reads(linter, each)], linter, scores) for cases in (outages, defects)
        ]
        yield f"| {linter} | {cells[0]} | {cells[1]} |"


def _share(cases: Sequence[Case], linter: str, scores: Scores) -> str:
    return f"{sum(bool(scores[each.name][linter]) for each in cases)} of {len(cases)}"


def _reads(linter: str, case: Case) -> bool:
    return linter == "provision" or case.kind == "postgres"


def _table(cases: Sequence[Case], scores: Scores) -> Iterator[str]:
    yield f"| case | kind | what happened | harm | {' | '.join(LINTERS)} |"
    yield "| --- | --- | --- | --- |" + " --- |" * len(LINTERS)
    for each in cases:
        source = f"[{each.name}]({each.source})" if each.source.startswith("http") else f"{each.name} ({each.source})"
        cells = [_cell(linter, each, scores) for linter in LINTERS]
        yield f"| {source} | {each.kind} | {each.fact} | {_harm(each)} | {' | '.join(cells)} |"


def _cell(linter: str, case: Case, scores: Scores) -> str:
    if not _reads(linter, case):
        return "not its kind"
    return ", ".join(f"`{rule}`" for rule in scores[case.name][linter]) or "**missed**"


def _harm(case: Case) -> str:
    ((what, value),) = case.harm.items()
    shown = {
        "blocks": "others wait",
        "queues": "others wait behind it",
        "rewrites": "the table is rewritten",
        "slow": "the server stands still",
        "says": "the server says so",
        "shows": "wrong, and no error",
    }
    if what == "fails":
        return f"fails: {value}"
    return f"later statements fail: {value[1]}" if what == "breaks" else shown[what]
