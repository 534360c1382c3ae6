"""Every word that `backfill` prints."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

from provision.cli.render.paper import Paper, print_document
from provision.flows.backfill_standing import BackfillStatus
from provision.model.backfills import Backfill, BackfillRun, RunState
from provision.settings import Environment

IN_A_LOG = 30.0  # seconds between two lines of a run whose output is no terminal
_STYLES = {"succeeded": "done", "complete": "done", "errored": "bad", "interrupted": "odd", "paused": "odd"}


def listed(backfills: Sequence[Backfill], form: str) -> None:
    """Every backfill of the project."""
    if form == "json":
        rows = [
            {"name": each.name, "store": each.store, "description": each.description, "requires": list(each.requires)}
            for each in backfills
        ]
        print_document(rows)
        return
    paper = Paper(sys.stdout)
    if not backfills:
        paper.write("no backfills; docs/backfills.md shows how to write one")
    width = max((len(each.name) for each in backfills), default=0)
    for each in backfills:
        paper.write(paper.fitted(f"  {each.name.ljust(width)}  {each.store}  {each.description}"))


def as_json(each: BackfillStatus) -> dict[str, Any]:
    """The document of `backfill status`, for one backfill."""
    run = each.run
    return {
        "name": each.backfill.name,
        "run": run.run if run else None,
        "state": each.state,
        "rows_done": run.rows_done if run else 0,
        "rows_total": run.rows_total if run else None,
        "rate": round(each.rate, 1),
        "eta_s": each.eta_s,
        "batch": each.batch,
        "throttled_by": each.throttled_by or None,
        "longest_wait_ms": run.longest_wait_ms if run else 0,
        "cursor": run.cursor if run else None,
    }


class BackfillStatusRender:
    """Prints how far the backfills are; at a terminal, the next look writes over the last one."""

    def __init__(self, project: str, environment: Environment, form: str) -> None:
        self._project, self._environment, self._form = project, environment, form
        self._paper = Paper(sys.stdout)
        self._last: list[str] = []

    def show(
        self, found: Sequence[BackfillStatus], skipped: Mapping[str, Sequence[tuple[str, str]]], *, again: bool
    ) -> None:
        """With `again`, lines that are as they were are not printed once more."""
        if self._form == "json":
            print_document([as_json(each) for each in found], None if again else 2)
            return
        if not self._last:
            self._paper.write(f"{self._project} · {self._environment.name}", "head")
        lines = [line(each) for each in found]
        if lines != self._last:
            for text, each in zip(lines, found, strict=True):
                if not self._last or text not in self._last:
                    self._paper.write(self._paper.fitted(f"  {text}"), _STYLES.get(each.state, ""))
                    self._more(each, skipped.get(each.backfill.name, ()))
        if not found:
            self._paper.write("  no backfills")
        self._last = lines or [""]

    def _more(self, each: BackfillStatus, skipped: Sequence[tuple[str, str]]) -> None:
        if each.run is not None and each.run.error:
            self._paper.write(f"    {self._environment.mask(each.run.error)}", "dim")
        for key, why in skipped:
            self._paper.write(f"    passed over {key}: {self._environment.mask(why)}", "dim")
        if each.leader is not None:
            self._paper.write(f"    run by {each.leader.owner}", "dim")


class BackfillRunRender:
    """Prints a run as it goes, on stderr when stdout is for one JSON document."""

    def __init__(self, project: str, environment: Environment, form: str) -> None:
        self._form, self._project, self._environment = form, project, environment
        self._paper = Paper(sys.stdout if form == "text" else sys.stderr)
        self._told = self._began = time.monotonic()
        self._before: tuple[float, int] | None = None
        self._state = ""

    def head(self, chosen: Backfill) -> None:
        self._paper.write(f"{self._project} · {self._environment.name} · {chosen.id}", "head")

    def noted(self, text: str) -> None:
        self._paper.write(f"  warning: {self._environment.mask(text)}", "warn")

    def told(self, run: BackfillRun) -> None:
        """How far it is: one line that rewrites itself at a terminal, a line now and then in a log."""
        text = f"  ▸ {progress(run)}"
        if str(run.state) != self._state and run.state in (RunState.PAUSED, RunState.PAUSING):
            self._paper.write(f"  {run.state}; `provision backfill resume {run.backfill}` goes on")
        self._state = str(run.state)
        if self._paper.terminal:
            self._paper.transient(text)
        elif time.monotonic() - self._told >= IN_A_LOG:
            self._told = time.monotonic()
            self._paper.write(text)

    def end(self) -> None:
        self._paper.transient("")

    def ended(self, standing: BackfillStatus, run: BackfillRun | None) -> None:
        """How it ended."""
        if self._form == "json":
            print_document(as_json(standing))
            return
        if run is None or standing.run is None:
            return
        seconds = time.monotonic() - self._began
        done = standing.run.rows_done
        self._paper.write(
            f"  {done:,} rows filled, {seconds:.1f} s in this process; longest wait {standing.run.longest_wait_ms} ms"
        )
        if run.state is RunState.SUCCEEDED:
            self._paper.write(f"{standing.backfill.id} is complete", "done")
        else:
            self._paper.write(f"{standing.backfill.name} is {standing.state}")

    def standing(self, each: BackfillStatus) -> None:
        """How it stands after it was asked something."""
        if self._form == "json":
            print_document(as_json(each))
            return
        self._paper.write(line(each))


def line(each: BackfillStatus) -> str:
    """A backfill in one line."""
    if each.run is None:
        return f"{each.backfill.name}  {each.state.replace('_', ' ')}"
    words = [each.backfill.name, each.state, progress(each.run)]
    if each.rate:
        words.append(f"{each.rate:,.0f} rows/s")
        words += [f"{clock(each.eta_s)} to go"] if each.eta_s is not None else []
    words += [f"batch {each.batch:,}"] if each.batch else []
    words += [f"slowed by {each.throttled_by}"] if each.throttled_by else []
    words += [f"longest wait {each.run.longest_wait_ms} ms"]
    return "  ".join(words)


def progress(run: BackfillRun) -> str:
    """`1,200 of 2,000,000 rows (0.06 %)`."""
    skipped = f", {run.rows_skipped:,} passed over" if run.rows_skipped else ""
    if not run.rows_total:
        return f"{run.rows_done:,} rows{skipped}"
    return f"{run.rows_done:,} of {run.rows_total:,} rows ({100 * run.rows_done / run.rows_total:.0f} %){skipped}"


def clock(seconds: int | None) -> str:
    """`40 s`, `12 min`, `3.5 h`."""
    value = seconds or 0
    return f"{value} s" if value < 100 else f"{value // 60} min" if value < 6000 else f"{value / 3600:.1f} h"
