"""Every word that `status` prints."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from datetime import UTC
from typing import TYPE_CHECKING, Any

from provision.cli.render.paper import Paper, moment, print_document, print_form, short
from provision.cli.render.problems import command
from provision.cli.render.summary import table
from provision.core.standing import Flag, Standing
from provision.flows.connect import Reach, Site
from provision.flows.look import HELD, OPTIONAL, ProjectStatus
from provision.flows.peers import lost
from provision.model import Direction, StateName

if TYPE_CHECKING:
    from provision.flows.partitions import SetStanding

# What a flag means for the person who reads it; of an open attempt the notes say more.
MEANINGS = {
    Flag.CHANGED: "edited after it was applied",
    Flag.UNKNOWN: "applied, but no file has that id",
    Flag.FUTURE: "newer than every file here",
    Flag.APPLIED_OUTSIDE: "applied by another tool, `up` will record it",
    Flag.REVERTED_OUTSIDE: "reverted by another tool, `up` will record it",
}
_WORDS = {HELD: "blocked"}  # where people say it otherwise than programs read it
_SIGNS = {
    "applied": "✓",
    "pending": "·",
    "reverted": "·",
    "skipped": "-",
    HELD: "…",
    OPTIONAL: "-",
    "started": "▸",
    "failed": "✗",
}


class StatusRender:
    """Prints where every store stands; `shown` are the names of the stores asked for."""

    def __init__(
        self, site: Site, look: ProjectStatus, shown: tuple[str, ...], windows: Sequence[SetStanding] = ()
    ) -> None:
        self._site, self._look, self._shown = site, look, shown
        self._windows = windows  # of tables that a person must see to
        self._everything = False

    def text(self, *, everything: bool) -> None:
        """One line a store, under it what is not plainly applied (or all), at the end what to do next."""
        self._everything = everything
        paper = Paper(sys.stdout)
        paper.write(f"{self._site.project.name} · {self._site.environment.name}", "head")
        rows = [self._row(name) for name in self._shown]
        widths = [max((len(row[column]) for row in rows), default=0) for column in range(3)]
        for name, row in zip(self._shown, rows, strict=True):
            cells = [cell.ljust(width) for cell, width in zip(row[:3], widths, strict=True)]
            paper.write("  " + "  ".join((*cells, row[3])).rstrip())
            for each in self._listed(name, everything=everything):
                self._line(paper, each)
        if self._look.working is not None:
            paper.write(f"a run goes on: {self._look.working.owner}", "dim")
        for partitioned in self._windows:
            paper.write(_in_need(partitioned), "bad")
        if line := self._next():
            paper.write(line)

    def annotations(self) -> None:
        """A GitHub warning for each revision that is not plainly applied, and a line a store in the job's summary."""
        title = f"{self._site.project.name} · {self._site.environment.name}"
        table(title, ("store", "engine", "place", ""), [self._row(name) for name in self._shown])
        for name in self._shown:
            for each in self._listed(name, everything=False):
                place = {"file": each.revision.path} if each.revision else {}
                words = "; ".join((f"{each.id} is {self._look.state(each)}", *self._notes(each)))
                print_form(command("warning", words, **place, title=self._look.state(each)))
        for partitioned in self._windows:
            print_form(command("warning", _in_need(partitioned), file=partitioned.wanted.shown, title="partitions"))

    def json(self) -> None:
        document: dict[str, Any] = {
            "project": self._site.project.name,
            "environment": self._site.environment.name,
            "stores": [self._store(name) for name in self._shown],
        }
        if self._windows:
            tables = [(each.wanted, each.needs) for each in self._windows]
            document["partitions"] = [{"store": of.store, "table": of.table, "needs": needs} for of, needs in tables]
        print_document(document)

    def _row(self, name: str) -> tuple[str, str, str, str]:
        reached = self._site.reached[name]
        standing = self._look.standings.get(name)
        if standing is None:
            place = reached.error.where if reached.error is not None else reached.place
            return name, reached.reach.replace("_", " "), place, ""
        label = f"{reached.label}, not made yet" if reached.reach is Reach.ABSENT else reached.label
        return name, label, reached.place, self._counts(name)

    def _counts(self, name: str) -> str:
        standing = self._look.standings[name]
        words = [self._look.state(each) for each in standing.standings.values()]
        parts = [f"{words.count('applied')} applied"] if "applied" in words else []
        held = words.count(HELD)
        waiting = len(standing.pending) - held
        skipped = [
            each for each in standing.standings.values() if not each.pending and self._look.state(each) == "skipped"
        ]
        parts += [f"{waiting} to apply"] if waiting else []
        parts += [f"{held} blocked"] if held else []
        parts += [f"{len(skipped)} skipped"] if skipped else []
        return ", ".join(parts) or "no revisions"

    def _listed(self, name: str, *, everything: bool) -> Iterator[Standing]:
        standing = self._look.standings.get(name)
        for each in standing.standings.values() if standing is not None else ():
            plain = each.applied or self._look.state(each) == OPTIONAL
            if everything or not plain or each.pending or self._look.flags(each):
                yield each

    def _line(self, paper: Paper, each: Standing) -> None:
        flags = self._look.flags(each)
        state = self._look.state(each)
        sign = "!" if flags else _SIGNS[state]
        style = "bad" if Flag.DIRTY in flags else "odd" if flags else ""
        cells = [each.id.ljust(self._width), _WORDS.get(state, state).ljust(8)]
        if self._everything and each.applied:
            cells.append(_when(each))
        cells.append(each.revision.description if each.revision else "")
        paper.write(paper.fitted(f"    {sign} {'  '.join(cells)}".rstrip()), style)
        for note in self._notes(each):
            paper.write(f"      {' ' * self._width}  {note}", "dim")

    def _notes(self, each: Standing) -> Iterator[str]:
        """What is to be known of a revision beyond its state."""
        if each.revision is not None and each.revision.draft:
            yield f"draft, not filled in yet: {each.revision.draft}"
        number = each.state.events[-1].statement if each.state.open else None
        if self._look.live(each):
            yield f"in progress: statement {number}" if number else "in progress"
        elif each.state.name is StateName.FAILED:
            at = f"at statement {number}: " if number else ""
            yield f"{at}{short(self._site.environment.mask(each.state.error))}"
        elif each.state.open and "done_to" in each.state.events[-1].detail:
            yield f"goes on with statement {number}, as {each.state.actor} said"
        elif each.state.open:
            down = " of its down" if each.state.direction is Direction.DOWN else ""
            yield f"stopped in statement {number}{down}, {each.state.at:%Y-%m-%d %H:%M} UTC, {each.state.actor}"
        if each.unmet:
            yield each.unmet
        elif each.applied and each.pending:
            yield "the file has changed since; it is applied again"
        if each.id in self._look.held:
            yield f"waits for {', '.join(self._look.held[each.id])}"
        for flag in self._look.flags(each):
            if flag is Flag.REVERTED_OUTSIDE and self._lost(each.id.split("/", 1)[0]):
                yield "applied, but not in the version table"
            elif flag is Flag.CHANGED and each.other_file:
                yield f"another revision had this number: {each.other_file}"
            elif flag in MEANINGS:
                yield MEANINGS[flag]

    @property
    def _width(self) -> int:
        names = [each.id for name in self._shown for each in self._listed(name, everything=self._everything)]
        return max(map(len, names), default=0)

    def _next(self) -> str:
        """What a person would do now; empty when the errors that follow say it."""
        env = f"--env {self._site.environment.name}"
        states = {self._look.state(each) for each in self._every()}
        if name := self._first(Flag.CHANGED, strict=True):
            if any(each.id == name and each.other_file for each in self._every()):
                return f"next: give the file of {name} the next free number"
            return f"next: restore the file of {name}, or provision resolve {name} --accept-change {env}"
        if name := self._first(Flag.UNKNOWN, unless=Flag.FUTURE):
            return f"next: restore the file of {name}, or provision resolve {name} --reverted {env}"
        if self._look.working is not None:
            return "next: wait for that run"
        for name in self._shown:
            if self._lost(name):
                return (
                    f"next: the version table of {name} is lost: provision resolve {name} --applied {env} writes it"
                    f" again, --reverted says that all was undone"
                )
        if drafts := [
            each.revision.path for each in self._every() if each.revision is not None and each.revision.draft
        ]:
            return f"next: fill in {', '.join(drafts)}"
        outside = self._first(Flag.APPLIED_OUTSIDE) or self._first(Flag.REVERTED_OUTSIDE)
        if outside or any(each.pending and self._look.state(each) != HELD for each in self._every()):
            return f"next: provision up {env}"
        if HELD in states:
            gates = dict.fromkeys(gate for waiting in self._look.held.values() for gate in waiting)
            commands = [f"provision backfill run {gate.removeprefix('backfill/')} {env}" for gate in gates]
            return f"next: {'; '.join(commands)}"
        unread = any(self._site.reached[name].error is not None for name in self._shown)
        return "" if unread else "everything is applied"

    def _lost(self, store: str) -> bool:
        """Whether the store's version table lost what its ledger knows."""
        return store in self._look.standings and bool(lost(self._look.standings[store], self._site.graph))

    def _every(self) -> Iterator[Standing]:
        for name in self._shown:
            yield from self._listed(name, everything=True)

    def _first(self, flag: Flag, *, strict: bool = False, unless: Flag | None = None) -> str | None:
        """The first revision with a flag, of those whose edits are errors if `strict`."""
        for each in self._every():
            lenient = each.revision is not None and not each.strict
            if flag in self._look.flags(each) and unless not in each.flags and not (strict and lenient):
                return each.id
        return None

    def _store(self, name: str) -> dict[str, object]:
        reached, standing = self._site.reached[name], self._look.standings.get(name)
        return {
            "store": name,
            "kind": reached.store.kind,
            "engine": reached.label,
            "state": str(reached.reach),
            "applied": len(standing.applied) if standing else 0,
            "pending": len(standing.pending) if standing else 0,
            "heads": list(self._site.graph.heads(name)),
            "revisions": [self._revision(each) for each in standing.standings.values()] if standing else [],
        }

    def _revision(self, each: Standing) -> dict[str, object]:
        state, file = each.state, each.revision.checksum if each.revision else ""
        recorded = each.applied or state.open
        return {
            "id": each.id,
            "state": self._look.state(each),
            "flags": [str(flag) for flag in self._look.flags(each)],
            "description": each.revision.description if each.revision else "",
            "draft": bool(each.revision and each.revision.draft),
            "applied_at": moment(state.at) if each.applied else None,
            "duration_ms": state.duration_ms if each.applied and state.at else None,
            "checksum": (state.checksum if recorded else "") or file or None,
        }


def _when(each: Standing) -> str:
    """When it was applied and how long that took, in columns."""
    at = f"{each.state.at.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if each.state.at else ""
    taken = f"{each.state.duration_ms} ms" if each.state.at else ""
    return f"{at:<20}  {taken:>9}"


def _in_need(table: SetStanding) -> str:
    return f"{table.wanted.store} {table.wanted.table} {table.needs}: `provision partitions list {table.wanted.name}`"
