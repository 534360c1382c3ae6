"""Compares what a database is made of before and after a rehearsal, and with what is written down of it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from provision.core.graph import Graph
from provision.errors import FailedError, ProvisionError, UnreachableError, parts
from provision.flows.forecast import RehearsedRevision, RevisionForecast
from provision.flows.predictions import Prediction
from provision.flows.validate import Validation
from provision.model import Direction, Failure, Revision, Severity, Step
from provision.model.backfills import Backfill
from provision.model.checks import Status
from provision.model.lint import LintFinding
from provision.model.trial import RevisionSeen
from provision.ports.kind import Change, Objects

Snapshots = Mapping[str, Objects]
"""Name of a store → what it is made of."""


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What a rehearsal found. `base`: the newest revisions that stayed; `left_out`: stores and revisions, and why.

    `seen`: revision → what it did to tables with rows; `predictions`: what lint said of that; `forecasts`: how long
    each revision will take in each environment that statistics were given of.
    """

    findings: tuple[LintFinding, ...] = ()
    revisions: tuple[RehearsedRevision, ...] = ()
    base: tuple[str, ...] = ()
    left_out: Mapping[str, str] = field(default_factory=dict)
    objects: Mapping[str, int] = field(default_factory=dict)
    seen: Mapping[str, RevisionSeen] = field(default_factory=dict)
    predictions: tuple[Prediction, ...] = ()
    forecasts: tuple[RevisionForecast, ...] = ()

    @property
    def failed(self) -> bool:
        return any(each.severity is Severity.ERROR for each in self.findings)


class Difference(NamedTuple):
    """An object that two snapshots do not share: its definitions, None where it is not there."""

    store: str
    name: str
    before: str | None
    after: str | None


class Drift(NamedTuple):
    """What differs, of how many objects a store; `left_out`: stores that no snapshot says anything of.

    `differences` are the definitions of what differs, `written` the files that were written where the differences were
    accepted, `by_hand` what no file makes.
    """

    findings: tuple[LintFinding, ...]
    objects: Mapping[str, int]
    left_out: tuple[str, ...]
    written: tuple[str, ...] = ()
    by_hand: tuple[str, ...] = ()
    differences: tuple[Difference, ...] = ()


def differences(before: Snapshots, after: Snapshots) -> list[Difference]:
    """Every object that is not the same in both, store by store, in the order of their names."""
    found = []
    for store in dict.fromkeys((*before, *after)):
        left, right = before.get(store, {}), after.get(store, {})
        names = sorted(name for name in {*left, *right} if left.get(name) != right.get(name))
        found += [Difference(store, name, left.get(name), right.get(name)) for name in names]
    return found


def irreversible(graph: Graph) -> list[str]:
    """The newest revision of each store that says it has no way down."""
    newest = {each.store: each.id for each in graph.order if each.irreversible is not None}
    return list(newest.values())


def heads(graph: Graph, ids: Collection[str]) -> list[str]:
    """Of these revisions, those of each store that no other of them in it stands on."""
    beneath = {parent for name in ids for parent in graph.revisions[name].parents}
    return [each.id for each in graph.order if each.id in ids and each.id not in beneath and not each.repeatable]


def timed(graph: Graph, took: Mapping[Step, int]) -> tuple[RehearsedRevision, ...]:
    """The revisions that were rehearsed, in their order."""
    found = {(step.id, step.direction): duration for step, duration in took.items()}
    pairs = [
        (each.id, found.get((each.id, Direction.UP)), found.get((each.id, Direction.DOWN))) for each in graph.order
    ]
    return tuple(RehearsedRevision(*each) for each in pairs if each[1:] != (None, None))


def failures(failed: Sequence[Failure], error: FailedError) -> Iterator[LintFinding]:
    """The steps that failed, at the line that raised where that is known; of a run without any, its own error."""
    for each in failed:
        step, why = each.step, each.error
        what = why.what if isinstance(why, ProvisionError) else str(why)
        where = why.where if isinstance(why, ProvisionError) else ""
        line = next((int(found) for found in re.findall(rf"{re.escape(step.revision.path)}:(\d+)", where)), 1)
        rule = "up-fails" if step.direction is Direction.UP else "down-fails"
        fix = (why.fix if isinstance(why, ProvisionError) else "") or "correct the revision"
        yield LintFinding(
            rule, Severity.ERROR, step.revision.store, step.revision.path, line, 1, step.id, f"{step.id}: {what}", fix
        )
    if not failed:
        yield LintFinding("not-rehearsed", Severity.ERROR, "", "provision.toml", 1, 1, "", error.what, error.fix)


def of_backfill(backfill: Backfill, error: ProvisionError) -> Iterator[LintFinding]:
    """A backfill that did not go through; rows that are made up are no proof that it cannot."""
    for each in parts(error):
        severity = Severity.WARNING if isinstance(each, FailedError | UnreachableError) else Severity.ERROR
        what = f"the backfill did not go through on sample rows: {each.what}"
        fix = each.fix or "correct the document"
        yield LintFinding("backfill-fails", severity, backfill.store, backfill.shown, 1, 1, backfill.name, what, fix)


def of_checks(found: Validation) -> Iterator[LintFinding]:
    """Checks that could not be made on what the revisions make; what they say of made-up rows is nothing."""
    for each in found.results:
        if each.status is Status.ERROR:
            file, _, line = each.place.partition(":")
            at = int(line.partition(":")[0]) if line.partition(":")[0].isdigit() else 1
            what, fix = f"{each.suite}.{each.check} cannot be made: {each.message}", "correct the check"
            yield LintFinding(
                "check-fails", Severity.WARNING, each.store, file or "checks", at, 1, each.table, what, fix
            )


def after_down(graph: Graph, root: Path, before: Snapshots, after: Snapshots) -> Iterator[LintFinding]:
    """What a way down left, took or changed that was there before the way up."""
    for each in differences(before, after):
        if each.before is None:
            rule, message = "down-leaves", f"{each.name} is left when every revision is reverted"
            fix = "let the way down of the revision that makes it remove it"
        elif each.after is None:
            rule, message = "down-takes", f"{each.name} was there before the revisions went up, and is not afterwards"
            fix = "let the way down make it again"
        else:
            rule, message = "down-changes", f"{each.name} is another after up and down: {changed(each)}"
            fix = "let the way down put back what was there"
        yield finding(rule, each, message, fix, graph, root)


def after_second_up(graph: Graph, root: Path, first: Snapshots, second: Snapshots) -> Iterator[LintFinding]:
    """What the same revisions made otherwise the second time."""
    for each in differences(first, second):
        message = f"{each.name} is not the same after up, down and up: {changed(each)}"
        fix = "let no name or default come from a clock, a random number or what is there"
        yield finding("not-repeatable", each, message, fix, graph, root)


def against_files(graph: Graph, root: Path, written: Snapshots, made: Snapshots) -> Iterator[LintFinding]:
    """What the revisions make that the snapshots in `schema/` do not say, of the stores that were rehearsed."""
    for each in differences({store: each for store, each in written.items() if store in made}, made if written else {}):
        message = f"{each.name} is not what schema/{each.store}.json says: {changed(each)}"
        yield finding(
            "snapshot-old", each, message, "run `provision verify --write`, and review the change", graph, root
        )


def drifted(
    graph: Graph, root: Path, written: Snapshots, live: Snapshots, back: Mapping[str, Sequence[Change]]
) -> Iterator[LintFinding]:
    """What a database has otherwise than the snapshots say, and what would bring it back; that is never run here."""
    how = {(store, each.object): each for store, found in back.items() for each in found}
    for each in differences(written, live):
        if each.after is None:
            rule, message, fix = "missing", f"{each.name} is not there", "make it again"
        elif each.before is None:
            rule, message, fix = "not-ours", f"{each.name} is there and no revision makes it", "drop it"
        else:
            rule, message, fix = "changed", f"{each.name} is another: {changed(each)}", "change it back"
        yield finding(rule, each, message, f"{fix}{_back(how.get((each.store, each.name)))}", graph, root)


def _back(how: Change | None) -> str:
    if how is None or not (how.statements or how.within or how.by_hand):
        return ", or `provision drift --accept`"
    if how.within:
        return f" with {how.within}"
    return f": {'; '.join(how.statements) or how.by_hand}"


def accepted(written: Objects, live: Objects, taken: Collection[Change]) -> Objects:
    """What a snapshot says once the changes are a revision: those that no statement makes are left as they were."""
    named = {each.object for each in taken if not each.by_hand}
    kept = {name: text for name, text in written.items() if name not in named}
    return dict(sorted({**kept, **{name: live[name] for name in named if name in live}}.items()))


def changed(found: Difference) -> str:
    """The first lines that differ, in words."""
    before, after = (text.splitlines() if text is not None else [] for text in (found.before, found.after))
    if not before or not after:
        return "it is new" if found.before is None else "it is gone"
    gone = [line.strip() for line in before if line not in after]
    new = [line.strip() for line in after if line not in before]
    return f"{_some(gone) or 'nothing'} became {_some(new) or 'nothing'}"


def _some(lines: Sequence[str]) -> str:
    text = "; ".join(lines[:2])
    return f"{text[:117]}…" if len(text) > 118 else text


def finding(rule: str, found: Difference, message: str, fix: str, graph: Graph, root: Path) -> LintFinding:
    """A finding at the newest place in the store's files that names the object, else at its newest file."""
    file, line = place(graph.of(found.store), root, found.name)
    return LintFinding(rule, Severity.ERROR, found.store, file, line, 1, found.name, message, fix)


def place(revisions: Iterable[Revision], root: Path, name: str) -> tuple[str, int]:
    """File and line that speak of an object last."""
    words = [word.strip('"`') for word in re.split(r"[\s.()]+", name) if word.strip('"`')]
    newest = [each.path for each in reversed(list(revisions))]
    wanted = [word for word in words[1:] if word not in ("of", "public")] or words
    for word in wanted:
        pattern = re.compile(rf"(?<!\w){re.escape(word)}(?!\w)")
        for path in newest:
            for number, line in enumerate(_lines(root / path), 1):
                if pattern.search(line):
                    return path, number
    return (newest[0] if newest else "provision.toml"), 1


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return []
