"""Jobs of maintenance, and the settings of servers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from provision.errors import Interrupted, raise_all
from provision.project.opened import Opened
from provision.run import Stop

if TYPE_CHECKING:
    from provision.flows.maintain import JobDone, JobStanding, PieceDone
    from provision.flows.tune import TuneChange, TuneStanding
    from provision.model.maintain import Job
    from provision.model.tune import Disk


def _silent(_job: str, _text: str) -> None:
    """Tells nobody."""


class _Listener:
    """Hears what a run of jobs says: `flows.maintain.Watcher`."""

    def __init__(self, on_note: Callable[[str, str], None], mask: Callable[[str], str]) -> None:
        self._on_note, self._mask = on_note, mask

    def begun(self, job: Job, pieces: int) -> None:
        self._on_note(job.name, f"begins, {pieces} steps")

    def at(self, job: Job, number: int, what: str) -> None:
        self._on_note(job.name, f"{number}: {what}")

    def said(self, job: Job, text: str) -> None:
        self._on_note(job.name, self._mask(text))

    def done(self, job: Job, piece: PieceDone) -> None:
        self._on_note(job.name, f"{piece.what}: {'failed' if piece.error else piece.said or 'done'}")


class Maintaining(Opened):
    """Runs the jobs of maintain.yaml and tunes servers. What that needs is imported when it is asked for."""

    def jobs(self, *names: str) -> tuple[JobStanding, ...]:
        """How the jobs stand, all of them unless some are named: their last run, who runs them, what they need. Reads
        only. Raises ConfigError (no-maintain, unknown-job, …), UnreachableError.
        """
        from provision.flows import maintain as flow
        from provision.wiring import maintain

        with maintain.placed(self._project, self._environment, maintain.read(self._project, names)) as (place, mine):
            return tuple(flow.standings(mine, place.upkeeps))

    def run_jobs(
        self,
        *names: str,
        wait: float = 600.0,
        on_note: Callable[[str, str], None] = _silent,
        stop: Stop | None = None,
    ) -> tuple[JobDone, ...]:
        """Run every job now, or those that are named, one after the other; what fails stops no other.

        A statement waits `wait` seconds for others. `on_note` is told a job's name and how far it is. Raises
        ConfigError, UnreachableError; once every job was tried FailedError (job-failed, job-runs-already, table-locked,
        …), or Several; Interrupted after `stop`.
        """
        from provision.flows import maintain as flow
        from provision.wiring import maintain

        asked = stop or Stop()

        def check() -> None:
            if asked.requested:
                raise Interrupted(asked.event.by)

        with maintain.placed(self._project, self._environment, maintain.read(self._project, names)) as (place, mine):
            listener = _Listener(on_note, self._environment.mask)
            done = flow.run(maintain.plans(place, mine, asked.event, wait), listener, check)
        raise_all([each.error for each in done if each.error is not None])
        return tuple(done)

    def settings_of_servers(
        self,
        *stores: str,
        memory: int | None = None,
        cores: int | None = None,
        disk: Disk | None = None,
        given: Mapping[str, str] | None = None,
    ) -> tuple[TuneStanding, ...]:
        """Each setting now and as it should be for the machine; `memory` in bytes. Reads only.

        Raises ConfigError (machine-unknown, unknown-setting, …), RefusedError (dangerous-setting), UnreachableError.
        """
        from provision.flows import tune as flow
        from provision.wiring import tune

        asked = flow.TuneRequest(memory, cores, disk, given or {})
        with tune.placed(self._project, self._environment, stores) as found:
            return tuple(flow.standing(name, each, asked) for name, each in found.items())

    def tune(
        self,
        *names: str,
        memory: int | None = None,
        cores: int | None = None,
        disk: Disk | None = None,
        given: Mapping[str, str] | None = None,
        dry_run: bool = False,
    ) -> tuple[TuneChange, ...]:
        """Change the settings that differ, or those that are named. Raises as `settings_of_servers`, and FailedError
        (setting-refused)."""
        from provision.flows import tune as flow
        from provision.wiring import tune

        asked = flow.TuneRequest(memory, cores, disk, given or {})
        with tune.placed(self._project, self._environment, ()) as found:
            standings = [(flow.standing(name, each, asked), each) for name, each in found.items()]
            return tuple(flow.apply(standing, each, names, dry_run=dry_run) for standing, each in standings)

    def untune(self, *names: str) -> tuple[TuneChange, ...]:
        """Put back what was there before `tune`, all of it or the settings that are named. Raises as `tune`."""
        from provision.flows import tune as flow
        from provision.wiring import tune

        with tune.placed(self._project, self._environment, ()) as found:
            return tuple(flow.reset(name, each, names) for name, each in found.items())
