"""Every word that `backfill` prints."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import zip_longest
from typing import Any

from provision.backfill.tally import BatchTally
from provision.cli.render.paper import Paper, print_document
from provision.flows.backfill_standing import BackfillStatus, going
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
        paper.write("no backfills; how to write one: provision docs backfills")
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
        "blocker": asdict(each.holder) if each.holder is not None else None,
        "longest_wait_ms": run.longest_wait_ms if run else 0,
        "cursor": run.cursor if run else None,
    }


class BackfillStatusRender:
    """Prints how far the backfills are; at a terminal, the next look writes over the last one."""

    def __init__(self, project: str, environment: Environment, form: str) -> None:
        self._project, self._environment, self._form = project, environment, form
        self._paper = Paper(sys.stdout)
        self._last: list[list[str]] = []

    def show(
        self, found: Sequence[BackfillStatus], skipped: Mapping[str, Sequence[tuple[str, str]]], *, again: bool
    ) -> None:
        """With `again`, lines that are as they were are not printed once more."""
        if self._form == "json":
            print_document([as_json(each) for each in found], None if again else 2)
            return
        if not self._last:
            self._paper.write(f"{self._project} · {self._environment.name}", "head")
        blocks = self._blocks(found, skipped)
        if again and self._paper.terminal:
            self._paper.redraw([text for block in blocks for text in block])
        else:
            for block, each in zip(blocks, found, strict=False):
                if block not in self._last:
                    self._paper.write(self._paper.fitted(block[0]), _STYLES.get(each.state, ""))
                    for text in block[1:]:
                        self._paper.write(text, "dim")
        if not found:
            self._paper.write("  no backfills")
        self._last = blocks or [[""]]

    def _blocks(
        self, found: Sequence[BackfillStatus], skipped: Mapping[str, Sequence[tuple[str, str]]]
    ) -> list[list[str]]:
        """The lines of each backfill: how far it is, in columns, and below it why."""
        rows = [cells(each) for each in found]
        wide = [max(map(len, column)) for column in zip_longest(*rows, fillvalue="")]
        heads = ["  ".join(map(str.ljust, row, wide)).rstrip() for row in rows]
        return [
            [f"  {head}", *(f"    {text}" for text in self._more(each, skipped.get(each.backfill.name, ())))]
            for head, each in zip(heads, found, strict=True)
        ]

    def _more(self, each: BackfillStatus, skipped: Sequence[tuple[str, str]]) -> Iterator[str]:
        if why := reason(each):
            yield self._environment.mask(why)
        if each.run is not None and each.run.error:
            yield self._environment.mask(each.run.error)
        for key, why in skipped:
            yield f"passed over {key}: {self._environment.mask(why)}"
        if each.leader is not None:
            yield f"run by {each.leader.owner}"


class BackfillRunRender:
    """Prints a run as it goes, on stderr when stdout is for one JSON document."""

    def __init__(self, project: str, environment: Environment, form: str) -> None:
        self._form, self._project, self._environment = form, project, environment
        self._paper = Paper(sys.stdout if form == "text" else sys.stderr)
        self._told = self._began = time.monotonic()
        self._before: tuple[float, int] | None = None
        self._state = self._why = ""
        self._chosen: Backfill | None = None
        self.tally = BatchTally()

    def head(self, chosen: Backfill) -> None:
        self._chosen = chosen
        self._paper.write(f"{self._project} · {self._environment.name} · {chosen.id}", "head")

    def noted(self, text: str) -> None:
        self._paper.write(f"  warning: {self._environment.mask(text)}", "warn")

    def told(self, run: BackfillRun) -> None:
        """How far it is: one line that rewrites itself at a terminal, a line now and then in a log.

        Why it goes no faster has a line of its own, once that is something else.
        """
        assert self._chosen is not None
        found = going(self._chosen, run, str(run.state))
        text = f"  ▸ {'  '.join(cells(found)[2:])}"
        why = self._environment.mask(found.throttled_by)
        if (kind := re.sub(r"[0-9.,]+", "", why)) != self._why:
            self._why = kind
            self._paper.write(f"  … slowed by {why}" if why else "  … at full speed again", "dim")
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
            f"  {done:,} rows filled, {seconds:.1f} s in this process; {self.tally};"
            f" longest wait {standing.run.longest_wait_ms} ms"
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
        self._paper.write("  ".join(each for each in cells(each) if each))
        if why := reason(each):
            self._paper.write(f"  {self._environment.mask(why)}", "dim")


def cells(each: BackfillStatus) -> list[str]:
    """A backfill in columns: name, state, rows, rate, what is to go, batch, longest wait."""
    if each.run is None:
        return [each.backfill.name, each.state.replace("_", " ")]
    rate = f"{each.rate:,.0f} rows/s" if each.rate else ""
    left = f"{clock(each.eta_s)} to go" if each.rate and each.eta_s is not None else ""
    batch = f"batch {each.batch:,}" if each.batch else ""
    waited = f"longest wait {each.run.longest_wait_ms} ms"
    return [each.backfill.name, each.state, progress(each.run), *filter(None, (rate, left, batch)), waited]


def reason(each: BackfillStatus) -> str:
    """Why it goes at the rate at which it does, while it goes; empty otherwise."""
    if each.state not in ("running", "pausing"):
        return ""
    if each.throttled_by:
        return f"slowed by {each.throttled_by}"
    return f"as fast as batches of {each.backfill.target * 1000:.0f} ms go" if each.batch else ""


def progress(run: BackfillRun) -> str:
    """`1,200 of 2,000,000 rows (0.06 %)`."""
    skipped = f", {run.rows_skipped:,} passed over" if run.rows_skipped else ""
    if not run.rows_total:
        return f"{run.rows_done:,} rows{skipped}"
    if run.rows_done > run.rows_total:
        return f"{run.rows_done:,} rows, {run.rows_total:,} when it began{skipped}"
    return f"{run.rows_done:,} of {run.rows_total:,} rows ({100 * run.rows_done / run.rows_total:.0f} %){skipped}"


def clock(seconds: int | None) -> str:
    """`40 s`, `12 min`, `3.5 h`."""
    value = seconds or 0
    return f"{value} s" if value < 100 else f"{value // 60} min" if value < 6000 else f"{value / 3600:.1f} h"
