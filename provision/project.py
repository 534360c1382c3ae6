"""The library: a project in one of its environments, as the command line uses it, without printing or exiting.

Every method may be called from any thread, and from asyncio by `asyncio.to_thread`; each opens its own connections and
gives them back. What goes wrong is raised as a ProvisionError with `code`, `what`, `where` and `fix`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, Unpack

from provision import settings
from provision.core.plan import Wanted
from provision.flows import history as past
from provision.flows import look
from provision.flows.connect import Access, Site, known_stores
from provision.flows.history import Entry
from provision.flows.look import Look
from provision.flows.losses import Losses, foreseen
from provision.flows.migrate import move
from provision.flows.planning import planned
from provision.flows.rules import Rules, Watch
from provision.flows.survey import survey
from provision.model import Direction, Happening, Plan, Report, Step
from provision.run import Run, Stop
from provision.wiring import moves, sites

if TYPE_CHECKING:
    from provision.flows.backfill_standing import Standing
    from provision.flows.validate import Validation
    from provision.model.backfills import BackfillRun

Listener = Callable[[Happening], None]


class MoveOptions(TypedDict, total=False):
    """`only`: stores; `steps`: the most revisions; `wait`: seconds to wait for another run's lock.

    `allow_destructive`: steps that lose data may run; `run_lock`: false leaves it to the caller that nobody else runs.
    """

    only: Sequence[str]
    steps: int | None
    allow_destructive: bool
    run_lock: bool
    wait: float


class UpOptions(MoveOptions, total=False):
    """`out_of_order`: a pending revision may come before an applied one."""

    out_of_order: bool


class DownOptions(MoveOptions, total=False):
    """`everything`: revert all; `cascade`: also what stands on the reverted revisions in other stores."""

    everything: bool
    cascade: bool


def _ignore(_happening: Happening) -> None:
    """Listen to nothing."""


class Project:
    """One project in one environment; made by `open`."""

    def __init__(self, project: settings.Project, environment: settings.Environment) -> None:
        self.settings, self.environment = project, environment

    @classmethod
    def open(
        cls, path: str | Path = ".", env: str | None = None, *, variables: Mapping[str, str] = os.environ
    ) -> Project:
        """Read the provision.toml of `path`, or of the nearest folder above; reaches no database.

        `env` is the name of an environment, else that of the variable PROVISION_ENV, else the only one there is.
        Raises ConfigError (no-project, toml-invalid, unknown-environment, unset-variable, …).
        """
        found = settings.load(Path(path).resolve(), variables)
        named = settings.choose(found, env, terminal=True, variables=variables)
        return cls(found, settings.resolve(found, named, variables))

    @property
    def name(self) -> str:
        return self.settings.name

    @property
    def root(self) -> Path:
        """The folder of provision.toml."""
        return self.settings.root

    @property
    def stores(self) -> tuple[str, ...]:
        """The names of all stores, in the order of provision.toml."""
        return tuple(each.name for each in self.settings.stores)

    def status(self, *, only: Sequence[str] = ()) -> Look:
        """What is applied and pending in every store that answers; writes nothing.

        `standings` maps a store to its revisions. Raises UnreachableError when a store does not answer.
        """
        with self._opened(Access.READ, only) as site:
            return look.look(site)

    def plan(
        self, *targets: str, only: Sequence[str] = (), steps: int | None = None, out_of_order: bool = False
    ) -> Plan:
        """What `up` would do, up to the targets if any are named; writes nothing.

        Raises RefusedError where `up` would be refused.
        """
        wanted = Wanted(targets, frozenset(only), steps, out_of_order=out_of_order)
        with self._opened(Access.READ, only) as site:
            return planned(site, Direction.UP, wanted, self._rules({}), survey(site))

    def foreseen(self, steps: Sequence[Step]) -> Losses:
        """What each of the steps would lose of what the databases hold now: id → in words; writes nothing."""
        with self._opened(Access.READ, {step.revision.store for step in steps}) as site:
            return {name: [self.environment.mask(each) for each in why] for name, why in foreseen(site, steps).items()}

    def up(
        self, *targets: str, on_event: Listener = _ignore, stop: Stop | None = None, **options: Unpack[UpOptions]
    ) -> Report:
        """Apply what is pending, in all stores, in one order; up to the targets if any are named.

        `on_event` is told of every step as it begins and ends, from several threads, one after the other; `stop` can
        be asked to end it after the statement in hand. The options are those of UpOptions.
        Raises RefusedError before the first statement, FailedError (or Several) after it, LeaseHeld, UnreachableError.
        """
        wanted = Wanted(
            targets,
            frozenset(options.get("only", ())),
            options.get("steps"),
            out_of_order=options.get("out_of_order", False),
        )
        return self._move(Direction.UP, wanted, self._rules(options), on_event, stop)

    def down(
        self, *targets: str, on_event: Listener = _ignore, stop: Stop | None = None, **options: Unpack[DownOptions]
    ) -> Report:
        """Revert revisions, newest first, down to the targets, which stay applied. As `up`, with DownOptions."""
        wanted = Wanted(
            targets,
            frozenset(options.get("only", ())),
            options.get("steps"),
            options.get("everything", False),
            options.get("cascade", False),
        )
        return self._move(Direction.DOWN, wanted, self._rules(options), on_event, stop)

    def begin_up(self, *targets: str, **options: Unpack[UpOptions]) -> Run:
        """`up` in a thread of its own: iterate over what it returns for the events, and ask it for its report."""
        return Run(lambda on_event, stop: self.up(*targets, on_event=on_event, stop=stop, **options))

    def begin_down(self, *targets: str, **options: Unpack[DownOptions]) -> Run:
        """`down` in a thread of its own, as `begin_up`."""
        return Run(lambda on_event, stop: self.down(*targets, on_event=on_event, stop=stop, **options))

    def history(
        self, revision: str | None = None, *, only: Sequence[str] = (), limit: int | None = None
    ) -> Sequence[Entry]:
        """What was done, newest last: `store` and `event` of each entry of the ledgers; writes nothing."""
        with self._opened(Access.READ, only) as site:
            shown = [name for name in self.stores if not only or name in only]
            return past.entries(site, shown, revision, limit)

    def validate(
        self,
        *suites: str,
        only: Sequence[str] = (),
        since: datetime | None = None,
        until: datetime | None = None,
        tenant: str | None = None,
        samples: int = 5,
        timeout: float = 300.0,
        keep_results: bool = True,
    ) -> Validation:
        """Check the data against the suites of `checks/`, all of them unless some are named. Reads only.

        `only` are names of checks, * stands for any; `since` and `until` narrow the rows by time, `samples` is the
        most bad rows shown of one check, `timeout` the seconds of one statement. Results are kept in the home store
        unless `keep_results` is false. A check that fails is a result, not an error; raises ConfigError,
        UnreachableError.
        """
        from provision.model.checks import Scope
        from provision.wiring.validation import validated

        scope = Scope(since, until, tenant, timeout, "")
        return validated(self.settings, self.environment, suites, only, scope, samples, keep=keep_results)[0]

    def backfill(
        self,
        name: str,
        *,
        workers: int = 1,
        rate: float | None = None,
        skip_failed: int = 0,
        run_lock: bool = True,
        wait: float = 600.0,
        on_progress: Callable[[BackfillRun], None] = lambda _: None,
    ) -> Standing:
        """Run a backfill of `backfills/`, or go on where its last run stopped, until nothing is left.

        `rate` is the most rows a second, else the document's; at most `skip_failed` rows that cannot be filled are
        passed over. Raises ConfigError, RefusedError, FailedError, LeaseHeld.
        """
        from provision.backfill.workers import Orders
        from provision.flows import backfill, backfill_standing
        from provision.wiring import backfills

        [chosen] = backfills.read(self.settings, [name])
        asked = backfill.Asked(Orders(workers, skip_failed, rate), on_progress)
        with backfills.placed(self.settings, self.environment, [chosen], wait=wait, use_lease=run_lock) as place:
            backfill.run(place, chosen, asked)
            return backfill_standing.standing(place, chosen)

    def _opened(self, access: Access, only: Iterable[str]) -> AbstractContextManager[Site]:
        known_stores(self.settings, frozenset(only))
        return sites.opened(self.settings, self.environment, access, only=tuple(only))

    def _rules(self, options: MoveOptions) -> Rules:
        return Rules(
            sites.owner(self.root),
            options.get("wait", 600.0),
            options.get("run_lock", True),
            allow_destructive=options.get("allow_destructive", False),
        )

    def _move(
        self, direction: Direction, wanted: Wanted, rules: Rules, on_event: Listener, stop: Stop | None
    ) -> Report:
        mask = self.environment.mask
        with self._opened(Access.WRITE, wanted.only) as site:
            if direction is Direction.UP:
                rules = replace(rules, backfills=moves.needed_backfills(site))
            watch = Watch(
                lambda happening: on_event(moves.hidden(happening, mask)),
                lambda _plan, _standings: None,
                stop.watch if stop is not None else lambda _: None,
            )
            report = move(site, direction, wanted, rules, watch)
            if (error := moves.error_of(report)) is not None:
                raise error
        return report
