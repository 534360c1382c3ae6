"""What the server itself said of a finding: the measured judgement, where there is one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from provision.model.lint import LintFinding

# Rule → what PostgreSQL says at level DEBUG1 when it does what the rule warns of.
_SAID = {
    "index-not-concurrent": r'building index "{name}" on table "(?P<table>[^"]+)"',
    "key-builds-index": r'building index "{name}(?:_\w+key)?" on table "(?P<table>[^"]+)"',
    "constraint-without-not-valid": r'validating foreign key constraint "{name}(?:_\w+_fkey)?"|verifying table "',
    "set-not-null": r'(?:verifying|rewriting) table "{table}"',
    "column-type-change": r'rewriting table "{table}"',
}
_RENAMES = re.compile(r'ALTER TABLE "?(?P<old>\w+)"? RENAME TO "?(?P<new>\w+)"?', re.IGNORECASE)
_DROPS = re.compile(r"drops column (?P<column>\S+) of (?P<of>\S+) and|drops table (?P<table>\S+) and")


class Judged(NamedTuple):
    """Whether a finding is right, and why."""

    right: bool
    why: str


class Sent(NamedTuple):
    """A revision on a real server: tables with their columns before it and after it, statements, what was said."""

    before: dict[str, list[str]]
    after: dict[str, list[str]]
    statements: list[tuple[int, str, list[str]]]


def revisions(captured: Sequence[dict[str, Any]]) -> dict[str, Sent]:
    """File → what happened; one that goes on after another file is taken together."""
    found: dict[str, Sent] = {}
    for number, each in enumerate(captured):
        after = captured[number + 1]["before"] if number + 1 < len(captured) else {}
        old = found.get(each["file"])
        statements = [(line, text, said) for line, text, said in each["statements"]]
        found[each["file"]] = Sent(
            old.before if old else each["before"], after, [*(old.statements if old else ()), *statements]
        )
    return found


def judged(finding: LintFinding, sent: Sent | None) -> Judged | None:
    """None where only a reader can say."""
    if sent is None:
        return None
    if finding.rule == "destructive-not-declared":
        return _lost(finding.message, sent)
    if finding.rule == "update-whole-table":
        return _waited_for(finding, sent)
    if finding.rule not in _SAID:
        return None
    name = finding.object.rpartition(".")[2]
    table = finding.object.rpartition(".")[0] or name
    wanted = re.compile(_SAID[finding.rule].format(name=re.escape(name), table=re.escape(table)))
    for _, text, said in sent.statements:
        hits = [hit for one in said if (hit := wanted.search(one))]
        if hits and re.search(rf"\b{re.escape(name)}\b", text):
            on = hits[0].groupdict().get("table") or table
            if finding.rule != "constraint-without-not-valid" and on not in _there(sent):
                return Judged(False, f"{on} is made by the same revision")
            return Judged(True, f"the server: {hits[0].string.removesuffix(' serially')}")
    return None


def _there(sent: Sent) -> set[str]:
    """The tables that were there before, under every name that the revision gives them."""
    names = set(sent.before)
    for _, text, _said in sent.statements:
        if (found := _RENAMES.search(text)) is not None and found["old"] in names:
            names.add(found["new"])
    return names


def _lost(message: str, sent: Sent) -> Judged | None:
    gone = [each for each in _named(message) if _is_gone(*each, sent)]
    if gone:
        return Judged(True, f"there before, gone after: {', '.join('.'.join(filter(None, each)) for each in gone)}")
    for line, text, _ in sent.statements:
        found = re.match(r'\s*DELETE\s+FROM\s+"?(?P<table>\w+)', text, re.IGNORECASE)
        if found is not None and found["table"] in _there(sent):
            return Judged(True, f"DELETE FROM {found['table']} was sent by line {line}")
    return None


def _waited_for(finding: LintFinding, sent: Sent) -> Judged | None:
    """The whole table was changed in one statement, while the lock of an ALTER TABLE before it was held."""
    altered = 0
    for line, text, _ in sent.statements:
        if re.match(rf'\s*ALTER TABLE "?{finding.object}\b', text, re.IGNORECASE):
            altered = altered or line
        change = re.match(rf'\s*(UPDATE|DELETE\s+FROM)\s+"?{finding.object}\b', text, re.IGNORECASE)
        whole = not re.search(r"\bWHERE\b(?! \S+ IS NULL\s*$)", text, re.IGNORECASE)
        if change and whole and altered and finding.object in _there(sent):
            return Judged(
                True, f"all rows by one {change[1].split()[0].upper()}, behind the ALTER TABLE of line {altered}"
            )
    return None


def _named(message: str) -> Iterator[tuple[str, str]]:
    for each in _DROPS.finditer(message):
        yield (each["table"] or each["of"]).strip('"'), (each["column"] or "").strip('"')


def _is_gone(table: str, column: str, sent: Sent) -> bool:
    if table not in sent.before or not sent.after:
        return False
    if not column:
        return table not in sent.after
    return column in sent.before[table] and column not in sent.after.get(table, [])


def short(path: str) -> str:
    return Path(path).name
