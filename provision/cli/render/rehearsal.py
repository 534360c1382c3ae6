"""Every word that `verify` and `drift` print of their own."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from provision.cli.render.lint import annotation, lines_of
from provision.cli.render.paper import Paper, print_document, print_form
from provision.cli.render.report_files import JunitCase
from provision.cli.render.ticker import Ticker
from provision.flows.forecast import HISTORY, RehearsedRevision
from provision.flows.predictions import REFUTED, strongest
from provision.flows.rehearsal import Drift, Rehearsal
from provision.model import Began, RunEvent
from provision.model.lint import LintFinding
from provision.model.trial import LOCKS, STOPS_WRITES, RevisionSeen

SLOWEST = 5
STRONG = LOCKS[STOPS_WRITES:]


class RehearsalRender:
    """Shows what is rehearsed as it goes, at a terminal, and what was found at the end."""

    def __init__(self, project: str, form: str) -> None:
        self._project, self._form = project, form
        self._paper = Paper(sys.stdout if form == "text" else sys.stderr)
        self._ticker = Ticker(self._paper)

    @contextmanager
    def under_way(self) -> Iterator[None]:
        self._paper.transient("  … starting engines")
        try:
            yield
        finally:
            self._ticker.stop()
            self._paper.transient("")

    def happened(self, event: RunEvent) -> None:
        """A step that begins is shown while it lasts."""
        if isinstance(event, Began):
            self._paper.transient(f"  … {event.step.direction} {event.step.id}")

    def report(self, done: Rehearsal, exit_code: int, *, write: bool) -> None:
        """The findings, or that all is the same after up, down and up."""
        if self._form == "json":
            print_document(as_json(done, exit_code))
            return
        _told(self._paper, done.findings, self._form)
        for store, why in done.left_out.items():
            self._paper.write(f"  {store}: not rehearsed, {why}", "dim")
        for name in done.base:
            self._paper.write(f"  {name} has no way down: it stayed, and what it stands on", "dim")
        for each in _slowest(done.revisions):
            self._paper.write(f"  {each.id}  up {_ms(each.up_ms)}, down {_ms(each.down_ms)}", "dim")
        _seen(self._paper, done)
        _forecast(self._paper, done)
        if write and not any(each.rule.endswith("fails") for each in done.findings):
            self._paper.write(f"schema/ holds what {len(done.objects)} stores are made of")
        ups = sum(each.up_ms is not None for each in done.revisions)
        downs = sum(each.down_ms is not None for each in done.revisions)
        objects = sum(done.objects.values())
        if done.findings:
            count = len(done.findings)
            self._paper.write(f"{count} finding{'' if count == 1 else 's'}", "error")
        else:
            self._paper.write(f"{ups} applied, {downs} reverted, applied again: {objects} objects are the same", "done")


def drifted(done: Drift, exit_code: int, form: str) -> None:
    """A line a difference, or that there is none."""
    if form == "json":
        told: dict[str, object] = {
            "findings": [dict(each.told()) for each in done.findings],
            "objects": dict(done.objects),
        }
        told |= {"not_compared": list(done.left_out), "written": list(done.written), "by_hand": list(done.by_hand)}
        print_document({**told, "exit": exit_code})
        return
    paper = Paper(sys.stdout)
    _told(paper, done.findings, form)
    for store in done.left_out:
        paper.write(f"  {store}: not compared, schema/{store}.json is not there", "dim")
    for file in done.written:
        paper.write(f"{file} is written", "done")
    for each in done.by_hand:
        paper.write(f"  not accepted, {each}", "warn")
    count, objects = len(done.findings), sum(done.objects.values())
    words = f"{count} difference{'' if count == 1 else 's'}" if count else "all are as the snapshots say"
    paper.write(f"{objects} objects of {', '.join(done.objects)}: {words}", "error" if count else "done")


def rehearsed(done: Rehearsal) -> list[JunitCase]:
    """A case that passed for each revision that no finding is about."""
    wrong = {each.object for each in done.findings}
    fine = [each for each in done.revisions if each.id not in wrong and each.up_ms is not None]
    return [JunitCase("provision.verify", each.id, (each.up_ms or 0) / 1000) for each in fine]


def compared(done: Drift) -> list[JunitCase]:
    """A case that passed for each store that is as its snapshot says, one that was skipped for each without one."""
    wrong = {each.store for each in done.findings}
    fine = [JunitCase("provision.drift", each) for each in done.objects if each not in wrong]
    return [*fine, *(JunitCase("provision.drift", each, skipped="no snapshot") for each in done.left_out)]


def as_json(done: Rehearsal, exit_code: int) -> dict[str, object]:
    """The document of `verify --output json`."""
    return {
        "findings": [dict(each.told()) for each in done.findings],
        "revisions": [each._asdict() for each in done.revisions],
        "base": list(done.base),
        "not_rehearsed": dict(done.left_out),
        "objects": dict(done.objects),
        "seen": {id: seen_as_json(each) for id, each in done.seen.items()},
        "predictions": [each._asdict() for each in done.predictions],
        "forecasts": [each._asdict() for each in done.forecasts],
        "exit": exit_code,
    }


def seen_as_json(found: RevisionSeen) -> dict[str, object]:
    """What a revision did to tables with rows: the strongest lock of each, how long, what was rewritten or read."""
    tables = [table for each in found.statements for table in each.tables]
    return {
        "locks": {name: {"lock": lock, "held_ms": held} for name, (lock, held) in strongest(found).items()},
        "rewritten": sorted({each.table for each in tables if each.rewritten}),
        "scanned": sorted({each.table for each in tables if each.scanned >= max(each.rows, 1)}),
        "not_seen": [{"line": line, "why": why} for line, why in found.not_seen],
        "fails_on_rows": found.failed,
    }


def _seen(paper: Paper, done: Rehearsal) -> None:
    """What lint said and the engine did, and what stops a table that was there before."""
    for each in done.predictions:
        style = "warn" if each.verdict == REFUTED else "dim"
        paper.write(f"  {each.file}:{each.line}  {each.rule} ({each.predicts}): {each.verdict}, {each.seen}", style)
    for id, found in done.seen.items():
        if found.failed:
            paper.write(f"  {id}  does not go through on sample rows, line {found.failed}", "warn")
    held = [(held, id, name, lock) for id, each in done.seen.items() for name, (lock, held) in strongest(each).items()]
    for held_ms, id, name, lock in sorted(held, reverse=True)[:SLOWEST]:
        if lock in STRONG:
            paper.write(f"  {id}  {lock} of {name} for {held_ms:.0f} ms", "dim")


def _forecast(paper: Paper, done: Rehearsal) -> None:
    """How long what is not applied yet will take, per environment."""
    for each in done.forecasts:
        if each.basis != HISTORY:
            rows = f", {each.rows:,} rows" if each.rows else ""
            why = f"; {each.why}" if each.why else ""
            paper.write(f"  {each.id}  {each.environment}: about {_long(each.ms)}{rows}{why}", "dim")


def _told(paper: Paper, findings: Sequence[LintFinding], form: str) -> None:
    for each in findings:
        if form == "github":
            print_form(annotation(each))
        else:
            lines_of(paper, each)


def _slowest(revisions: Sequence[RehearsedRevision]) -> Sequence[RehearsedRevision]:
    return sorted(revisions, key=lambda each: -(each.up_ms or 0))[:SLOWEST]


def _long(ms: int) -> str:
    return f"{ms} ms" if ms < 1000 else f"{ms / 1000:.1f} s" if ms < 120_000 else f"{ms / 60_000:.0f} min"


def _ms(duration: int | None) -> str:
    return "–" if duration is None else f"{duration} ms"
