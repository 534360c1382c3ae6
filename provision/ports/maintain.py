"""What maintenance asks of a store: the optional part `upkeep`, and `scheduler` where the server runs jobs itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Protocol, runtime_checkable

from provision.model.maintain import Installed, Job, JobRun, Task

Say = Callable[[str], None]
"""Told what takes long, in words."""


class Scheduler(Protocol):
    """Runs statements on the server itself, by its own clock."""

    def missing(self) -> str:
        """Why it runs none, in words; empty where it does. Must write nothing."""

    def installed(self) -> Sequence[Installed]:
        """The jobs of this project's store. Must write nothing."""

    def put(self, job: Installed) -> None:
        """Make a job, or make the one of that name so. Raises ConfigError (not-allowed)."""

    def remove(self, name: str) -> None:
        """Take a job away. Raises as `put`."""

    def runs(self, limit: int) -> Sequence[JobRun]:
        """The last runs of each of these jobs, newest first; `job` is the name of the installed one."""


class Upkeep(Protocol):
    """Carries out the jobs that a store knows, and keeps what became of jobs of every kind."""

    @property
    def scheduler(self) -> Scheduler | None: ...

    def tasks(self, job: Job) -> Sequence[Task]:
        """The pieces of a job in the order in which they must be done. Must write nothing.

        Raises ConfigError for what cannot be done, before anything is: unknown names, a missing right.
        """

    def carry_out(self, job: Job, task: Task, say: Say, wait: float, /) -> str:
        """Do a piece; what came of it, in words, or nothing. Others are waited for so many seconds. Raises FailedError
        (table-locked, …)."""

    def turn(self, job: Job, /) -> AbstractContextManager[None]:
        """One run of a job at a time, where the store can see to it. Raises FailedError (job-runs-already)."""

    def begin(self, job: Job) -> str:
        """Write down that a run begins, and return its key. Raises ConfigError (not-allowed, read-only, …)."""

    def end(self, key: str, error: str) -> None:
        """Write down how it ended; `error` is empty where it went well."""

    def runs(self, limit: int) -> Sequence[JobRun]:
        """The last runs of each job, newest first. Must write nothing."""


@runtime_checkable
class Maintained(Protocol):
    """A `Store` with upkeep."""

    @property
    def upkeep(self) -> Upkeep: ...
