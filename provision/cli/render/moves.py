"""Every word that `up` and `down` print."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager

from provision.cli.render import problems
from provision.cli.render.paper import Paper, print_document, print_form
from provision.cli.render.ticker import Ticker
from provision.core.plan import Standings
from provision.core.standing import Flag
from provision.errors import ProvisionError, parts
from provision.flows.connect import Reach, Site
from provision.flows.losses import Losses
from provision.model import Began, Direction, Done, Failure, Note, Plan, Report, RunEvent

WIDEST = 60  # of a description, where there is no terminal to say
AROUND = 17  # signs, gaps and duration around id and description
WORDS = {Direction.UP: ("apply", "applied"), Direction.DOWN: ("revert", "reverted")}


class MoveRender:
    """Prints a move as it goes (stderr when stdout is for one JSON document), and its report at the end."""

    def __init__(self, direction: Direction, form: str, *, dry_run: bool = False) -> None:
        self._direction, self._form, self._dry_run = direction, form, dry_run
        self._paper = Paper(sys.stdout if form == "text" else sys.stderr)
        self._ticker = Ticker(self._paper)
        self._width = self._words = 20
        self._said_head, self._environment = False, ""
        self._losses: Losses = {}

    @contextmanager
    def under_way(self) -> Iterator[None]:
        """At a terminal, show that something goes on before there is a result: engines may have to be made first."""
        self._paper.transient("  … reaching the stores")
        try:
            yield
        finally:
            self._paper.transient("")

    def head(self, site: Site) -> None:
        """Where the run goes, before anything happens."""
        if not self._said_head:
            self._said_head, self._environment = True, site.environment.name
            self._paper.write(f"{site.project.name} · {site.environment.name}", "head")

    def losing(self, losses: Losses) -> None:
        """What the steps that are shown next can lose."""
        self._losses = losses

    def planned(self, site: Site, plan: Plan, standings: Standings) -> None:
        """One line a store, then the warnings."""
        self.head(site)
        rows = [
            self._row(site, name, plan, standings)
            for name, each in site.reached.items()
            if each.reach is not Reach.LEFT_OUT
        ]
        widths = [max(len(row[column]) for row in rows) for column in range(3)]
        for row in rows:
            cells = [cell.ljust(width) for cell, width in zip(row[:3], widths, strict=True)]
            self._paper.write("  " + "  ".join((*cells, row[3])).rstrip())
        for line in warnings(standings):
            self._paper.write(line, "warn")
        for held in plan.held:
            self._paper.write(f"  blocked {held.step.id}: waits for {', '.join(held.waits_for)}", "warn")
        # What is held may still run, when a backfill is small.
        steps = [*plan.steps, *(held.step for held in plan.held)]
        self._width = max((len(step.id) for step in steps), default=10)
        room = self._paper.columns
        widest = WIDEST if room is None else max(room - self._width - AROUND, 20)
        self._words = min(max((len(step.revision.description) for step in steps), default=10), widest)
        if self._dry_run:
            for step in plan.steps:
                line = f"  · {step.id.ljust(self._width)}  {step.revision.description}"
                self._paper.write(self._paper.fitted(line))
                for reason in dict.fromkeys(self._losses.get(step.id, ())):
                    self._paper.write(f"    loses data: {reason}", "warn")

    def happened(self, happening: RunEvent) -> None:
        """One line for each thing that happened."""
        if isinstance(happening, Done):
            step = happening.step
            self._ticker.ended(step.id)
            words = shortened(step.revision.description, self._words).ljust(self._words)
            sign = "✓" if step.direction is Direction.UP else "↩"
            if happening.skipped:
                self._paper.write(f"  - {step.id.ljust(self._width)}  skipped: {happening.skipped}", "dim")
                return
            self._paper.write(f"  {sign} {step.id.ljust(self._width)}  {words}  {happening.duration_ms:>6} ms", "done")
        elif isinstance(happening, Failure):
            self._paper.write(
                f"  ✗ {happening.step.id.ljust(self._width)}  {happening.step.revision.description}", "error"
            )
        elif isinstance(happening, Note) and happening.live:
            self._ticker.doing(happening.store, happening.text)
        elif isinstance(happening, Note):
            self._paper.write(f"  … {happening.store}: {happening.text}", "dim")
        elif isinstance(happening, Began):
            self._ticker.start()
            self._ticker.began(happening.step.id)

    def report(self, report: Report, error: ProvisionError | None) -> None:
        """What was done, what failed, what remains."""
        self._ticker.stop()
        if self._form == "json":
            document = as_json(report, self._direction, error, self._losses if self._dry_run else None)
            print_document(document)
            return
        if self._form == "github" and error is not None:
            for each in parts(error):
                print_form(problems.annotation(each))
        for line in self._summary(report, error):
            self._paper.write(line)
        if error is not None and self._form == "text":
            for each in parts(error):
                Paper(sys.stderr).write_lines(problems.lines(each), "error")

    def _summary(self, report: Report, error: ProvisionError | None) -> list[str]:
        _, past = WORDS[self._direction]
        other = [each for each in report.done if each.step.direction is not self._direction]
        skipped = [each for each in report.done if each.skipped]
        mine = len(report.done) - len(other) - len(skipped)
        lines = [f"{len(other)} begun earlier finished first"] if other else []
        lines += [f"recorded {event.revision} as {event.kind} (done by another tool)" for event in report.recorded]
        if self._dry_run:
            losing = f", {len(self._losses)} of them can lose data (--allow-destructive)" if self._losses else ""
            todo = f"{len(report.remaining)} to {WORDS[self._direction][0]}{losing}"
            return [*lines, f"dry run: {todo}, nothing was done", *self._blocked(report)]
        lines += [f"{len(report.removed)} kept for a while and removed now"] if report.removed else []
        waiting = self._blocked(report) if error is None else []
        if error is None and not report.done:
            made = len(report.windows)
            lines += [f"{made} window{'' if made == 1 else 's'} of partitioned tables made"] if made else []
            return [*lines, *waiting, *([] if report.removed or made or waiting else ["nothing to do"])]
        passed = f", {len(skipped)} skipped" if skipped else ""
        lines.append(f"{mine} {past}{passed} in {report.duration_ms / 1000:.1f} s")
        if error is not None and report.remaining:
            lines.append(f"remaining: {_some([step.id for step in report.remaining])}")
        return [*lines, *waiting]

    def _blocked(self, report: Report) -> list[str]:
        if not report.held:
            return []
        from provision.cli.render.plan import blocked_lines

        return list(blocked_lines(report.held, self._environment))

    def _row(self, site: Site, name: str, plan: Plan, standings: Standings) -> tuple[str, str, str, str]:
        reached = site.reached[name]
        if reached.reach not in (Reach.READY, Reach.ABSENT):
            return name, reached.reach.replace("_", " "), reached.place, ""
        steps = len(plan.lane(name))
        held = sum(each.step.revision.store == name for each in plan.held)
        rest = len(standings[name].pending) - steps - held
        todo = f"{steps} to {WORDS[self._direction][0]}" if steps or held else "up to date"
        if self._direction is Direction.DOWN:
            todo = todo if steps else "nothing to revert"
        elif rest > 0:
            todo = f"{steps} to apply, {rest} pending not in this run"
        if held:
            todo = f"{todo}, {held} blocked"
        return name, reached.label, reached.place, todo


def lost(losses: Losses, columns: int) -> list[str]:
    """Each step that loses data and, a line each, what it loses."""
    width = max(map(len, losses), default=0)
    lines: list[str] = []
    for name, why in losses.items():
        reasons = [line for each in dict.fromkeys(why) for line in textwrap.wrap(each, max(columns - width - 4, 20))]
        names = [name, *[""] * (len(reasons) - 1)]
        lines += [f"  {name:<{width}}  {reason}" for name, reason in zip(names, reasons, strict=True)]
    return lines


def warnings(standings: Standings) -> list[str]:
    """What is odd and does not stop a run."""
    lines = []
    for standing in standings.values():
        for each in standing.standings.values():
            if Flag.FUTURE in each.flags:
                lines.append(f"  warning: {each.id} is applied and newer than every file here")
            if Flag.CHANGED in each.flags and each.revision is not None and not each.strict:
                lines.append(f"  warning: {each.revision.path} was edited after it was applied")
    return lines


def as_json(
    report: Report, direction: Direction, error: ProvisionError | None, losses: Losses | None
) -> dict[str, object]:
    """The document of `--output json`; `losses` are those of a dry run."""
    done = [
        {"id": each.step.id, "duration_ms": each.duration_ms}
        for each in report.done
        if each.step.direction is direction and not each.skipped
    ]
    failed = None
    if error is not None:
        failure = report.failures[0] if report.failures else None
        failed = {
            "id": failure.step.id if failure else None,
            "statement": failure.statement if failure else None,
            "error": problems.as_dict(error),
        }
    foretold = {"destructive": [{"id": name, "loses": list(why)} for name, why in (losses or {}).items()]}
    return {
        WORDS[direction][1]: done,
        "failed": failed,
        "remaining": [step.id for step in report.remaining],
        "held": [{"id": held.step.id, "waits_for": list(held.waits_for)} for held in report.held],
        "duration_ms": report.duration_ms,
        **({"windows": list(report.windows)} if report.windows else {}),
        **(foretold if losses is not None else {}),
    }


def shortened(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 1]}…"


def _some(names: list[str]) -> str:
    return ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")
