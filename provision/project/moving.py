"""`up` and `down`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypedDict, Unpack

from provision.core.plan import MoveRequest, Standings
from provision.flows.connect import Access, Site
from provision.flows.migrate import move
from provision.flows.rules import Listeners, Rules
from provision.model import Direction, Plan, Report, RunEvent
from provision.project.listening import Listening, ignored
from provision.project.opened import Names, Opened, at_least, known_options, names
from provision.run import Run, Stop
from provision.wiring import moves

Listener = Callable[[RunEvent], None]


class UpOptions(TypedDict, total=False):
    """The options of `up`, for `begin_up`."""

    only: Names
    steps: int | None
    plan: Plan | str | Path | None
    out_of_order: bool
    allow_destructive: bool
    run_lock: bool
    wait: float


class DownOptions(TypedDict, total=False):
    """The options of `down`, for `begin_down`."""

    only: Names
    steps: int | None
    everything: bool
    cascade: bool
    allow_destructive: bool
    run_lock: bool
    wait: float


class Moving(Opened):
    """Applies and reverts revisions."""

    def up(
        self,
        *targets: str,
        only: Names = (),
        steps: int | None = None,
        plan: Plan | str | Path | None = None,
        out_of_order: bool = False,
        allow_destructive: bool = False,
        run_lock: bool = True,
        wait: float = 600.0,
        on_event: Listener = ignored,
        stop: Stop | None = None,
    ) -> Report:
        """Apply what is pending, in all stores, in one order; up to the targets (`store/number`) if any are named.

        `steps` is the most revisions. With `plan`, which `plan` made or the file that `save_plan` wrote, exactly its
        steps are applied, and nothing if anything has changed since. `out_of_order` lets a pending revision come before
        an applied one, `allow_destructive` lets steps lose data. An embedded environment makes and starts its engines.

        `on_event` is told of every Began, Done, Failure and Note, from several threads, one at a time. What it raises
        ends the run after the statement in hand and then comes out of this call. So does what a handler of signals
        raises in this thread, KeyboardInterrupt for one; raised twice, it leaves at once, and the run lock is left to
        run out. `stop` can be asked to end the run after the statement in hand.

        Raises ConfigError, RefusedError, LeaseHeld or UnreachableError before the first statement; FailedError, or
        Several, after it, with the ids of what it did in `done` and of what it did not come to in `remaining`.
        Interrupted, a FailedError, is raised after a stop; the same call again goes on where it stopped.
        """
        at_least(1, steps=steps)
        wanted = MoveRequest(targets, frozenset(names(only)), steps, out_of_order=out_of_order)
        given = {"wait": wait, "use_lease": run_lock, "allow_destructive": allow_destructive, "saved": plan}
        return self._move(Direction.UP, wanted, given, on_event, stop or Stop())

    def down(
        self,
        *targets: str,
        only: Names = (),
        steps: int | None = None,
        everything: bool = False,
        cascade: bool = False,
        allow_destructive: bool = False,
        run_lock: bool = True,
        wait: float = 600.0,
        on_event: Listener = ignored,
        stop: Stop | None = None,
    ) -> Report:
        """Revert revisions, newest first, down to the targets, which stay applied.

        One of targets, `steps` and `everything` is needed. `cascade` also reverts what stands on the reverted
        revisions in other stores. The rest is as in `up`, what it raises too.
        """
        at_least(1, steps=steps)
        wanted = MoveRequest(targets, frozenset(names(only)), steps, everything, cascade)
        given = {"wait": wait, "use_lease": run_lock, "allow_destructive": allow_destructive}
        return self._move(Direction.DOWN, wanted, given, on_event, stop or Stop())

    def begin_up(self, *targets: str, **options: Unpack[UpOptions]) -> Run[RunEvent, Report]:
        """`up` in a thread of its own: iterate over what it returns for the events, and ask it for its `report`."""
        known_options(options, UpOptions)
        return Run(lambda on_event, stop: self.up(*targets, on_event=on_event, stop=stop, **options))

    def begin_down(self, *targets: str, **options: Unpack[DownOptions]) -> Run[RunEvent, Report]:
        """`down` in a thread of its own, as `begin_up`."""
        known_options(options, DownOptions)
        return Run(lambda on_event, stop: self.down(*targets, on_event=on_event, stop=stop, **options))

    def _move(
        self, direction: Direction, wanted: MoveRequest, given: Mapping[str, Any], on_event: Listener, stop: Stop
    ) -> Report:
        told = Listening(on_event, stop, lambda event: moves.hidden(event, self._environment))
        with told.settled(), self._opened(Access.WRITE, wanted.only, narrow=direction, check=stop.check) as site:
            backfills = moves.needed_backfills(site) if direction is Direction.UP else {}
            rules = _ruled(site, replace(self._rules(), backfills=backfills), given)
            stop.check()

            def planned(plan: Plan, _standings: Standings) -> None:
                for note in moves.changed_by_hand(site, direction, plan):
                    told(note)

            watch = Listeners(told, planned, stop.watch, check=stop.check, interrupted=told.raised)
            report = move(site, direction, wanted, rules, watch)
            error = moves.error_of(report)
            if error is None and direction is Direction.UP and moves.has_windows(site):
                from provision.wiring.partitions import ensured

                report, error = ensured(site, wanted.only, report, watch.happened)
            if error is not None:
                error.done = tuple(each.step.id for each in report.done if not each.skipped)
                error.remaining = tuple(step.id for step in report.remaining)
                raise error
        return report


def _ruled(site: Site, rules: Rules, given: Mapping[str, Any]) -> Rules:
    """The rules with what the caller said; a plan in a file is read, and held against what is there."""
    plan = given.get("saved")
    if not isinstance(plan, str | Path):
        return replace(rules, **given)
    from provision.wiring.plan_files import as_saved

    return as_saved(site, replace(rules, **{**given, "saved": None}), Path(plan))
