"""A person's word, written down: what is there already, what became of a revision, who may run."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Literal

from provision.errors import ConfigError
from provision.flows import settle
from provision.flows.connect import Access, Site
from provision.flows.rules import Listeners
from provision.flows.verdicts import Verdict
from provision.model import RUN_LOCK, Event, LeaseRecord, RunEvent
from provision.project.listening import Listening, ignored
from provision.project.opened import Names, Opened, names
from provision.run import Stop
from provision.wiring import baselines, locks, moves

Answer = Literal["applied", "pending", "reverted", "accept-change", "done-to"]


class Settling(Opened):
    """Writes to ledgers, and runs no migration."""

    def baseline(
        self,
        *revisions: str,
        everything: bool = False,
        unproved: bool = False,
        only: Names = (),
        run_lock: bool = True,
        wait: float = 600.0,
        on_event: Callable[[RunEvent], None] = ignored,
        stop: Stop | None = None,
    ) -> tuple[Event, ...]:
        """Mark the revisions, and everything below them, as applied without running them; the entries written.

        Either name revisions or say `everything`: a database whose snapshot is in schema/ must then have what that
        says, but for `unproved`. Raises RefusedError (already-applied, dirty, changed, unknown, schema-differs),
        ConfigError (usage, no-such-revision, bad-snapshot), LeaseHeld, UnreachableError.
        """
        if bool(revisions) is everything:
            fix = "name revisions, or say everything=True"
            raise ConfigError("usage", "baseline needs to know what is there already", where="baseline", fix=fix)
        marking = settle.Marking(revisions, everything, frozenset(names(only)))

        def write(site: Site, watch: Listeners) -> tuple[Event, ...]:
            prove = baselines.proof(site, marking, unproved=unproved)
            return settle.baseline(site, marking, self._rules(wait, run_lock=run_lock), watch, prove)

        return self._written(write, self._opened(Access.WRITE, marking.only), on_event, stop or Stop())

    def resolve(
        self,
        revision: str,
        answer: Answer,
        *,
        done_to: int | None = None,
        reason: str = "",
        force: bool = False,
        run_lock: bool = True,
        wait: float = 600.0,
        on_event: Callable[[RunEvent], None] = ignored,
        stop: Stop | None = None,
    ) -> tuple[Event, ...]:
        """Settle a revision whose fate is open by your word; look at the database first. The entries written.

        Named a store, it settles all that the store's version table lost; `applied` writes that table again. `reason`
        is kept in the history. With "done-to", statements 1 to `done_to` of a half-applied revision are done, and the
        next move goes on behind them. Raises RefusedError (nothing-to-resolve, required-by-others, versions-lost,
        disproved: the server shows that it is not so, which `force` passes over),
        ConfigError (usage, no-such-revision), LeaseHeld, UnreachableError.
        """
        verdict = _verdict(answer, done_to)

        def write(site: Site, watch: Listeners) -> tuple[Event, ...]:
            locks.answers(site, revision.split("/", 1)[0], site.project.home)
            rules = self._rules(wait, run_lock=run_lock)
            if revision in site.reached:
                return settle.resolve_store(site, revision, verdict, reason, rules, watch)
            if done_to is not None:
                return (settle.resolve_done_to(site, revision, done_to, reason, rules, watch),)
            return (settle.resolve(site, revision, verdict, reason, rules, watch, force=force),)

        return self._written(write, self._opened(Access.WRITE, tolerant=True), on_event, stop or Stop())

    def lock(self) -> LeaseRecord | None:
        """Who holds the run lock, since when and for how many seconds more; None when nobody does.

        Raises UnreachableError, ConfigError (no-home).
        """
        with self._opened(Access.READ, tolerant=True) as site:
            table = locks.leases(site)
            return table.read(RUN_LOCK) if table is not None else None

    def release_lock(self, holding: LeaseRecord) -> bool:
        """Take the lock from the holding that `lock` returned: True when it is free now.

        False: its holder was asked to give it up, which it does before its next statement; `up` waits for that.
        Raises RefusedError (lease-moved) when it is not that holding's any more, UnreachableError.
        """
        with self._opened(Access.READ, tolerant=True) as site:
            table = locks.leases(site)
            return table is None or locks.release(table, holding)

    def _written(
        self,
        write: Callable[[Site, Listeners], tuple[Event, ...]],
        opened: AbstractContextManager[Site],
        on_event: Callable[[RunEvent], None],
        stop: Stop,
    ) -> tuple[Event, ...]:
        told = Listening(on_event, stop, lambda event: moves.hidden(event, self._environment))
        with told.settled(), opened as site:
            stop.check()
            return write(site, Listeners(told, lambda _plan, _standings: None, check=stop.check))


def _verdict(answer: str, done_to: int | None) -> Verdict:
    if answer not in list(Verdict):
        fix = f"say one of {', '.join(Verdict)}"
        raise ConfigError("usage", f"{answer!r} is no answer", where="resolve", fix=fix)
    if (done_to is None) is (answer == Verdict.DONE_TO):
        fix = 'say resolve(revision, "done-to", done_to=N), N being the last statement that is done'
        raise ConfigError("usage", "done_to goes with the answer done-to, and with no other", where="resolve", fix=fix)
    return Verdict(answer)
