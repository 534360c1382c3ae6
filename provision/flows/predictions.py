"""Holds what lint predicts of locks, rewrites and scans against what was seen of tables with rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from provision.model import Revision, Severity
from provision.model.lint import LintFinding
from provision.model.trial import LOCKS, STOPS_READS, STOPS_WRITES, RevisionSeen, TableSeen

CONFIRMED, REFUTED, NOT_SEEN = "confirmed", "refuted", "not seen"
FEW = 20
"""Rows below which a table tells nothing."""


class Prediction(NamedTuple):
    """What a rule said of a statement, and whether it did so. `seen` are the words of what it did."""

    rule: str
    predicts: str
    file: str
    line: int
    verdict: str
    seen: str


def judged(
    findings: Iterable[LintFinding], predicts: Mapping[str, str], seen: Mapping[str, RevisionSeen]
) -> Iterator[Prediction]:
    """Each finding of a rule that predicts something. `predicts`: rule → what; `seen`: file → its revision."""
    for each in findings:
        wanted = predicts.get(each.rule, "")
        if wanted:
            found = seen.get(each.file, RevisionSeen(not_seen=((each.line, "the revision was not tried"),)))
            verdict, words = _verdict(wanted, each, found)
            yield Prediction(each.rule, wanted, each.file, each.line, verdict, words)


def _verdict(wanted: str, finding: LintFinding, found: RevisionSeen) -> tuple[str, str]:
    there = [each for each in found.statements if each.line <= finding.line <= each.last]
    tables = [table for each in there for table in each.tables]
    if any(_does(wanted, each) for each in tables):
        return CONFIRMED, words(tables)
    if not there:
        reasons = [why for line, why in found.not_seen if line == finding.line] or [
            why for _, why in found.not_seen[:1]
        ]
        return NOT_SEEN, reasons[0] if reasons else "no statement stands there"
    if all(each.rows < FEW for each in tables):
        return NOT_SEEN, "its tables took no rows"
    return REFUTED, words(tables)


def _does(wanted: str, seen: TableSeen) -> bool:
    lock = LOCKS.index(seen.lock) if seen.lock else -1
    return {
        "rewrite": seen.rewritten,
        "scan": seen.scanned >= max(seen.rows, 1),
        "stops writes": lock >= STOPS_WRITES,
        "stops reads": lock >= STOPS_READS,
    }[wanted]


def words(tables: Iterable[TableSeen]) -> str:
    """What was done to each table, in words."""
    return "; ".join(
        ", ".join(
            (
                f"{each.table}: {each.lock or 'no stronger lock'}",
                *(("written anew",) if each.rewritten else ()),
                *((f"{each.scanned} rows read",) if each.scanned else ()),
            )
        )
        for each in tables
    )


def rewrites(
    revision: Revision, found: RevisionSeen, known: Iterable[LintFinding], allowed: Iterable[tuple[int, int]]
) -> Iterator[LintFinding]:
    """Tables that were written anew, or read whole while nobody could use them, where lint says nothing of it.

    `allowed` are first and last lines that a comment allows such a thing on.
    """
    told = [(each.line, each.line) for each in known if each.file == revision.path]
    spans = [*told, *allowed]
    for each in found.statements:
        if any(first <= each.last and each.line <= last for first, last in spans):
            continue
        for table in each.tables:
            if (table.rewritten and table.rows >= FEW) or _read_alone(table):
                rule, does = ("rewrites", "written anew") if table.rewritten else ("reads", "read whole")
                what = f"{revision.id}: {table.table} is {does} under {table.lock or 'a lock that it has'}"
                fix = "split the change so that no large table is stopped: see docs/lint"
                place = (revision.store, each.file, each.line, 1, table.table)
                yield LintFinding(f"{rule}-table", Severity.WARNING, *place, what, fix)


def _read_alone(table: TableSeen) -> bool:
    strong = bool(table.lock) and LOCKS.index(table.lock) >= STOPS_READS
    return strong and table.rows >= FEW and table.scanned >= table.rows


def strongest(found: RevisionSeen) -> Mapping[str, tuple[str, float]]:
    """Table → its strongest lock in a revision, and the milliseconds from there to the end of the transaction."""
    locks: dict[str, tuple[str, float]] = {}
    for each in found.statements:
        for table in each.tables:
            before = locks.get(table.table)
            if table.lock and (before is None or LOCKS.index(before[0]) < LOCKS.index(table.lock)):
                locks[table.table] = (table.lock, each.held_ms)
    return locks
