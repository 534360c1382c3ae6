"""Backfills: run, watched and steered from any process."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, TypedDict, Unpack

from provision.errors import RefusedError
from provision.model import Note
from provision.model.backfills import Backfill, BackfillRun
from provision.project.listening import Listening, ignored
from provision.project.opened import Opened, at_least, known_options
from provision.run import Run, Stop

if TYPE_CHECKING:
    from provision.backfill.workers import WorkerOptions
    from provision.flows.backfill import BackfillContext
    from provision.flows.backfill_standing import BackfillStatus

Progress = BackfillRun | Note


class BackfillOptions(TypedDict, total=False):
    """The options of `backfill`, for `begin_backfill`."""

    workers: int
    rate: float | None
    skip_failed: int
    join: bool
    run_lock: bool
    wait: float


class Backfilling(Opened):
    """Fills what is already there, in batches. What backfills need is imported when one is asked for."""

    def backfills(self) -> tuple[Backfill, ...]:
        """The documents of `backfills/`, by name; reaches no database. Raises ConfigError for all that is wrong."""
        from provision.wiring import backfills

        return backfills.read(self._project)

    def backfill(
        self,
        name: str,
        *,
        workers: int = 1,
        rate: float | None = None,
        skip_failed: int = 0,
        join: bool = False,
        run_lock: bool = True,
        wait: float = 600.0,
        on_event: Callable[[Progress], None] = ignored,
        stop: Stop | None = None,
    ) -> BackfillStatus:
        """Run a backfill, or go on where its last run stopped, until nothing is left; then how it stands.

        `workers` are connections that fill at once, `rate` is the most rows a second, else the document's; at most
        `skip_failed` rows that cannot be filled are passed over. `join` helps a run that another process leads.
        `on_event` is told of the run as it grows, twice a second, and of Notes; what it raises ends the run after the
        batch in hand, as `stop` does, and comes out of this call. `wait` is for the run lock, which is held only
        while the completion is written. A run that somebody cancelled returns too: its state says so.

        Raises ConfigError (unknown-backfill, nothing-to-join, not-made, store-off, …), RefusedError
        (requirement-not-met, backfill-changed, backfill-complete), LeaseHeld where another process runs it,
        UnreachableError, FailedError (rows-left, batch-failed, server-lost, …; Interrupted after a stop).
        """
        from provision.backfill.workers import WorkerOptions

        at_least(1, workers=workers)
        at_least(0, skip_failed=skip_failed)
        at_least(0.1, rate=rate)
        told = Listening(on_event, stop or Stop(), self._shown_progress)
        orders = WorkerOptions(workers, skip_failed, rate)
        with told.settled():
            return self._filled(name, orders, told, join=join, run_lock=run_lock, wait=wait)

    def begin_backfill(self, name: str, **options: Unpack[BackfillOptions]) -> Run[Progress, BackfillStatus]:
        """`backfill` in a thread of its own, as `begin_up`."""
        known_options(options, BackfillOptions)
        return Run(lambda on_event, stop: self.backfill(name, on_event=on_event, stop=stop, **options))

    def backfill_status(self, name: str) -> BackfillStatus:
        """How a backfill stands: `state`, `complete`, its last `run`, `leader`, `rate`, `eta_s`.

        Raises ConfigError (unknown-backfill, not-made, store-off, …), UnreachableError.
        """
        from provision.flows.backfill_standing import standing

        return self._on(name, standing)

    def backfill_skipped(self, name: str) -> Mapping[str, str]:
        """The rows that the last run passed over: key, as text → why. Raises as `backfill_status`."""
        from provision.flows.backfill_standing import standing
        from provision.wiring import backfills

        found: dict[str, str] = {}

        def read(place: BackfillContext, chosen: Backfill) -> BackfillStatus:
            status = standing(place, chosen)
            found.update(backfills.skipped(place, status))
            return status

        self._on(name, read)
        return {key: self._environment.mask(why) for key, why in found.items()}

    def backfill_pause(self, name: str) -> BackfillStatus:
        """Ask the process that runs it to pause after the batch in hand; it waits for `backfill_resume`.

        Raises RefusedError (nothing-to-ask) where nothing runs, and as `backfill_status`.
        """
        return self._request(name, "pause")

    def backfill_resume(self, name: str) -> BackfillStatus:
        """Let the process that paused go on; where none leads the run, `backfill` does. Raises as `backfill_pause`."""
        return self._request(name, "resume", led=True)

    def backfill_cancel(self, name: str) -> BackfillStatus:
        """Give the last run up: what is filled stays, the next one starts anew. Raises as `backfill_pause`."""
        return self._request(name, "cancel")

    def backfill_tune(self, name: str, *, rate: float | None = None, target: float | None = None) -> BackfillStatus:
        """Change the rows a second (0: no limit) or the seconds of a batch of a run. Raises as `backfill_pause`."""
        from provision.flows.backfill_standing import standing, tune

        at_least(0, rate=rate)
        at_least(0.001, target=target)
        given = {"rate": rate, "target": target}
        changes = {key: value for key, value in given.items() if value is not None}

        def change(place: BackfillContext, chosen: Backfill) -> BackfillStatus:
            tune(place, chosen, changes)
            return standing(place, chosen)

        return self._on(name, change)

    def _filled(
        self, name: str, orders: WorkerOptions, told: Listening[Progress], *, join: bool, run_lock: bool, wait: float
    ) -> BackfillStatus:
        from provision.flows import backfill as flow
        from provision.wiring import backfills
        from provision.wiring.hooks import Hooks

        [chosen] = backfills.read(self._project, [name])
        with self._place(chosen, run_lock=run_lock, wait=wait) as place:
            told.stop.check()
            hooks = Hooks(self._project, self._environment, lambda text: told(Note(chosen.store, text)))
            asked = flow.BackfillRequest(
                orders,
                told,
                lambda text: told(Note(chosen.store, text)),
                told.stop.event,
                hooked=partial(hooks.backfill, chosen.name),
            )
            found = flow.help_out(place, chosen, asked) if join else flow.run(place, chosen, asked)
            return self._masked(backfills.outcome(place, chosen, found))

    def _request(self, name: str, wish: str, *, led: bool = False) -> BackfillStatus:
        from provision.flows.backfill_standing import ask, standing

        def put(place: BackfillContext, chosen: Backfill) -> BackfillStatus:
            if led and place.leases is not None and standing(place, chosen).leader is None:
                what, fix = f"nobody runs {chosen.name} now", f"run it: `provision backfill run {chosen.name}`"
                raise RefusedError("nothing-to-ask", what, where=chosen.shown, fix=fix)
            ask(place, chosen, wish)
            return standing(place, chosen)

        return self._on(name, put)

    def _on(self, name: str, work: Callable[[BackfillContext, Backfill], BackfillStatus]) -> BackfillStatus:
        from provision.wiring import backfills

        [chosen] = backfills.read(self._project, [name])
        with self._place(chosen, run_lock=self._project.home != "none") as place:
            return self._masked(work(place, chosen))

    def _place(self, chosen: Backfill, *, run_lock: bool, wait: float = 0.0) -> AbstractContextManager[BackfillContext]:
        from provision.wiring import backfills

        return backfills.placed(self._project, self._environment, [chosen], wait=wait, use_lease=run_lock)

    def _masked(self, status: BackfillStatus) -> BackfillStatus:
        if status.run is None:
            return status
        return replace(status, run=replace(status.run, error=self._environment.mask(status.run.error)))

    def _shown_progress(self, event: Progress) -> Progress:
        mask = self._environment.mask
        return replace(event, text=mask(event.text)) if isinstance(event, Note) else event
