"""docs/lint-false-alarms.md: read, written, and held against what is found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.lint.histories import oracle
from tests.lint.histories.projects import History

PAGE = Path(__file__).parents[3] / "docs" / "lint-false-alarms.md"
LEAST = 0.95
_BEGIN, _END = "<!-- judged: begin -->\n", "<!-- judged: end -->\n"


class Row(NamedTuple):
    """A judged finding; `verdict` is `right`, `wrong` or `?`."""

    rule: str
    place: str
    object: str
    verdict: str
    why: str

    @property
    def key(self) -> tuple[str, str, str]:
        return self.rule, self.place, self.object


def judgements() -> dict[str, dict[tuple[str, str, str], Row]]:
    """History → what the page says of each of its findings."""
    found: dict[str, dict[tuple[str, str, str], Row]] = {}
    name = ""
    for line in _table().split("\n"):
        if line.startswith("## "):
            name = line.removeprefix("## ").strip()
            found[name] = {}
        elif name and line.startswith("| `"):
            rule, place, of, verdict, why = (cell.strip() for cell in line.strip("|").split(" | "))
            row = Row(rule.strip("` "), place, of, verdict, why)
            found[name][row.key] = row
    return found


def rows(history: History, written: Mapping[str, Mapping[tuple[str, str, str], Row]]) -> list[Row]:
    """A row a finding: judged by what the server did, else by what a reader wrote."""
    before = written.get(history.name, {})
    made: dict[tuple[str, str, str], Row] = {}
    for each in history.findings:
        row = Row(each.rule, f"{each.file}:{each.line}", _plain(each.object), "?", _plain(each.message))
        measured = oracle.judged(each, history.sent.get(each.file))
        if measured is not None:
            row = row._replace(verdict="right" if measured.right else "wrong", why=_plain(measured.why))
        elif row.key in before:
            row = before[row.key]
        made.setdefault(row.key, row)
    return list(made.values())


def differences(found: Mapping[str, Sequence[Row]]) -> Iterator[str]:
    """What the page lacks, and what it has that is found no more."""
    written = judgements()
    for name, listed in found.items():
        known = written.get(name, {})
        yield from (f"not on the page: {name}, {row.key}" for row in listed if known.get(row.key) != row)
        yield from (f"found no more: {name}, {key}" for key in known if key not in {row.key for row in listed})


def shortfalls(found: Mapping[str, Sequence[Row]]) -> Iterator[str]:
    """What is not judged, and a share of right findings that is too small."""
    listed = [row for each in found.values() for row in each]
    yield from (f"not judged: {row.key}: {row.why}" for row in listed if row.verdict not in ("right", "wrong"))
    right = sum(row.verdict == "right" for row in listed)
    if right < LEAST * len(listed):
        yield f"{right} of {len(listed)} are right, fewer than {LEAST:.0%}"


def write(histories: Sequence[History], found: Mapping[str, Sequence[Row]]) -> None:
    """The page with the tables of these histories anew."""
    text = PAGE.read_text(encoding="utf-8")
    old = _sections(_table())
    for each in histories:
        old[each.name] = "".join(f"{line}\n" for line in _section(each, found[each.name]))
    body = "\n".join(old[name] for name in sorted(old))
    head, tail = text.split(_BEGIN)[0], text.split(_END)[1]
    PAGE.write_text(f"{head}{_BEGIN}{body}{_END}{tail}", encoding="utf-8")


def _section(history: History, listed: Sequence[Row]) -> Iterator[str]:
    right = sum(row.verdict == "right" for row in listed)
    yield f"## {history.name}"
    yield ""
    yield f"{history.files} files, {len(listed)} findings of level error, {right} right."
    if listed:
        yield ""
        yield "| rule | place | object | judged | why |"
        yield "| --- | --- | --- | --- | --- |"
    for row in listed:
        yield f"| `{row.rule}` | {row.place} | {row.object} | {row.verdict} | {row.why} |"


def _sections(text: str) -> dict[str, str]:
    parts = [each for each in text.split("## ") if each.strip()]
    return {each.split("\n", 1)[0].strip(): f"## {each.strip()}\n" for each in parts}


def _table() -> str:
    return PAGE.read_text(encoding="utf-8").split(_BEGIN)[1].split(_END)[0]


def _plain(text: str) -> str:
    return " ".join(text.replace("|", "/").split()) or "-"
