"""The lane: one Alembic run for all steps, each revision and its ledger entry in one transaction."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial, wraps
from typing import Any

import psycopg
from sqlalchemy.exc import DBAPIError

from provision.errors import (
    ConfigError,
    FailedError,
    ProvisionError,
    RefusedError,
    RolledBackInside,
    StatementFailed,
    UnreachableError,
    raise_all,
)
from provision.model import Direction, EventKind, Step, StoreOptions
from provision.ports import Journal
from provision.stores.postgres.ledger import PostgresLedger
from provision.stores.postgres.migrate import alembic as engine
from provision.stores.postgres.migrate import env_runs
from provision.stores.postgres.migrate.attempts import Attempt
from provision.stores.postgres.migrate.committed import Seen
from provision.stores.postgres.migrate.failures import advice, answers, line, short, sqlstate, told
from provision.stores.postgres.migrate.losses.guard import PostgresLossGuard
from provision.stores.postgres.migrate.losses.targets import DatabaseContent
from provision.stores.postgres.migrate.patience import Limits, deadlock_timeout, limits
from provision.stores.postgres.migrate.probe import resumable
from provision.stores.postgres.migrate.rendering import rendered
from provision.stores.postgres.migrate.repeatable import PostgresRepeatables
from provision.stores.postgres.migrate.session import Session
from provision.stores.postgres.migrate.table_locks import needs
from provision.stores.postgres.migrate.version_table import DEFAULTS, version_table
from provision.stores.postgres.migrate.watch import StatementWatch
from provision.stores.postgres.migrate.wire import Forgotten
from provision.stores.postgres.server import Connection, connect
from provision.text.credentials import hidden
from provision.text.files import read_text

READ_ONLY = "25006"
# Made meanwhile by somebody else: a key of a catalog that is there already, a table, a schema.
MADE_MEANWHILE = ("23505", "42P07", "42P06")
_UNCOMMITTED = (
    "end what env.py begins on the connection before context.configure: add connection.commit() behind it, or let"
    " env.py take the connection with engine.begin()"
)
_HALF_COMMITTED = (
    "commit nothing in the revision: `with op.get_context().autocommit_block()` is for what needs no transaction; and"
    " let env.py and provision.toml name the same version_table_schema"
)


class AlembicLane:
    """Pulls steps inside Alembic's own loop; each is looked for in the database before the next one is pulled."""

    def __init__(
        self,
        options: StoreOptions,
        url: str,
        connection: Connection,
        ledger: PostgresLedger,
        repeatables: PostgresRepeatables,
        before: DatabaseContent,
    ) -> None:
        self._options, self._url, self._connection, self._ledger = options, url, connection, ledger
        self._repeatables = repeatables
        self._attempt: Attempt | None = None
        self._collided = False
        self._seen, self._looked = Seen(connection, options), False
        self._guard = PostgresLossGuard(connection, version_table(options), before)

    def run(self, steps: Iterator[Step], journal: Journal) -> None:
        directory = engine.scripts(self._options)
        self._refuse_several(directory)
        self._deadlock = deadlock_timeout(self._connection)
        self._watch = StatementWatch(partial(connect, self._url, self._options.name), journal)
        given = self._connection, self._ledger, self._options, journal, self._guard, self._watch
        session = Session(*given, partial(self._following, journal))
        pulled = _Pulled(steps)
        try:
            while not pulled.ended:
                if session.external:
                    pulled.pull()  # env.py's transaction must not be open while a step waits for another store
                if pulled.repeatable is not None:
                    self._repeatable(pulled, journal)
                else:
                    self._versioned(directory, session, pulled, journal)
        finally:
            self._watch.close()

    def _repeatable(self, pulled: _Pulled, journal: Journal) -> None:
        step = pulled.repeatable
        assert step is not None
        written = self._repeatables.carry_out(step, journal, self._guard, self._attempt_at(step, journal))
        if written is not None:
            self._seen.entry(step, written)
            pulled.finish()
            pulled.pull()

    def _versioned(self, directory: Any, session: Session, pulled: _Pulled, journal: Journal) -> None:
        """Steps as long as Alembic's one run of env.py goes on; returns also where the step in hand gave way."""
        self._read_needs(directory, session)
        try:
            self._alembic_run(directory, session, pulled, journal)
            if session.external:
                self._finish(pulled, session, journal)
        except RefusedError as error:
            raise self._refused(error, session, pulled.current, journal) from None
        except _GaveWay:
            return

    def _read_needs(self, directory: Any, session: Session) -> None:
        """Once a step has lost a race: what it locks, by its SQL; without a database, or as far as it has come."""
        attempt = self._attempt
        if attempt is None or not attempt.detail:
            return
        if attempt.text is None:
            pieces, _ = rendered(self._options, directory, [attempt.step])
            attempt.text = "".join(pieces)
        table = version_table(self._options).get("version_table") or DEFAULTS["version_table"]
        attempt.needs = needs(attempt.text or ";\n".join(session.waits.seen), str(table))

    def _attempt_at(self, step: Step, journal: Journal) -> Attempt:
        """The attempt in hand, or the first one at another step."""
        if self._attempt is None or self._attempt.step is not step:
            self._attempt = Attempt(step, self._limits(step), self._connection, self._watch, journal)
        return self._attempt

    def _limits(self, step: Step) -> Limits:
        return limits(self._options.extra, dict(step.revision.limits), self._deadlock)

    def _refuse_several(self, directory: Any) -> None:
        """Raises ConfigError (several-runs, env-failed) for an env.py that runs the migrations not once."""
        env = self._options.path / "env.py"
        if env_runs.once(read_text(env, self._options.shown(env))):
            return
        try:
            runs = engine.count_runs(self._options, directory, self._url)
        except ProvisionError:
            raise
        except (Exception, SystemExit) as error:
            raise self._env_failed(error) from error
        raise_all(list(env_runs.refused(self._options, runs)))

    def _alembic_run(self, directory: Any, session: Session, pulled: _Pulled, journal: Journal) -> None:
        record = {"on_version_apply": (lambda **_: self._applied(pulled, session),)}
        runs: list[None] = []

        def fn(_heads: Any, context: Any) -> Iterator[Any]:
            runs.append(None)
            if len(runs) > 1:
                raise_all(list(env_runs.refused(self._options, len(runs))))
            session.attach(context)
            if session.external and pulled.current is None:
                return  # found out only now: end this run, the next one carries a single step
            while (step := pulled.current or self._next(session, pulled)) is not None and not pulled.repeatable:
                ready = engine.step(directory, step.revision.number, step.direction)
                yield self._guarded(ready, session, self._attempt_at(step, journal))
                if session.external:
                    return
                self._finish(pulled, session, journal)

        try:
            engine.run(
                self._options,
                directory,
                self._url,
                fn,
                lambda connection, given: {**session.configured(connection, given), **record},
            )
            if not runs:
                raise_all(list(env_runs.refused(self._options, 0)))
        except RolledBackInside as error:
            assert pulled.current is not None
            raise self._failed(error, session, pulled.current, journal) from error
        except ProvisionError:
            raise
        except (Exception, SystemExit) as error:  # a revision is code: it may raise anything
            raise self._of_code(error, session, pulled.current, journal) from error

    def _of_code(
        self, error: BaseException, session: Session, step: Step | None, journal: Journal
    ) -> ProvisionError | _GaveWay:
        """What an error of env.py (no step is in hand yet) or of a revision comes to."""
        if self._guard.refused is not None and not isinstance(error, DBAPIError):
            return self._guard.refused
        if step is None:
            # The version table is made by whoever comes first; who comes second finds it, one attempt later.
            if sqlstate(error) in MADE_MEANWHILE and not self._collided:
                self._collided = True
                return _GaveWay()
            return self._env_failed(error)
        if isinstance(error, Forgotten) and self._undone(session, step):
            return _GaveWay()  # to nobody: the next attempt asks for nothing that was prepared
        if self._attempt_at(step, journal).gives_way(error, partial(self._undone, session, step)):
            return _GaveWay()
        return self._failed(error, session, step, journal)

    def _undone(self, session: Session, step: Step) -> bool:
        """Whether the step can be tried again at once: nothing of it is kept, or it is known where it stands."""
        if not session.committed:
            return session.rolled_back()
        number = resumable(self._connection, self._ledger.read(), step, session.transaction)
        if number is None or not session.trail.complete:
            return False
        session.goes_on[step.id] = number
        return True

    def _finish(self, pulled: _Pulled, session: Session, journal: Journal) -> None:
        """Tell the run that the step in hand is done, once its version and its entry are seen. Raises FailedError."""
        step = pulled.current
        if step is not None and (missing := self._missing(step, session, journal)):
            raise self._not_committed(step, session, journal, missing)
        pulled.finish()

    def _missing(self, step: Step, session: Session, journal: Journal) -> str:
        """What of the step is not there, as another session sees it, or the next transaction of this one.

        The second costs nothing: that transaction has to be begun anyway. The first step of a lane is looked for by
        another session, which finds the version table by provision's own search path.
        """
        written = session.written
        following = self._following(journal) if written is not None and session.asks_more() else None
        self._looked = True
        if following is None:
            return self._seen.missing(step, written)
        try:
            found = session.begin_ahead(*following, self._seen.columns)
        except psycopg.Error:
            return self._seen.missing(step, written)  # what keeps the next step from beginning is said when it does
        return self._seen.judged(step, found)

    def _following(self, journal: Journal) -> tuple[Step, Limits] | None:
        """The step that can begin in the request that looks at what the last one left."""
        step = journal.follow() if self._looked else None
        return None if step is None or step.revision.repeatable else (step, self._limits(step))

    def _not_committed(self, step: Step, session: Session, journal: Journal, missing: str) -> FailedError:
        nothing = session.rolled_back()
        kept = {"rolled_back": True} if nothing else {"text": session.text}
        what = f"{step.revision.title} ran, and {missing}"
        self._ledger.append(journal.event(step, EventKind.FAILED, error=what, **kept))
        where = self._options.shown(self._options.path / "env.py")
        if not nothing:
            where = f"{step.revision.path}; statements of it are committed"
        return FailedError("not-committed", what, where=where, fix=_UNCOMMITTED if nothing else _HALF_COMMITTED)

    @staticmethod
    def _next(session: Session, pulled: _Pulled) -> Step | None:
        session.leave_transaction()
        return pulled.pull()

    @staticmethod
    def _guarded(alembic_step: Any, session: Session, attempt: Attempt) -> Any:
        migrate = alembic_step.migration_fn

        @wraps(migrate)
        def guarded(**keywords: Any) -> None:
            session.begin(attempt.step, attempt.limits)
            if attempt.needs and session.transaction is not None and not session.committed:
                session.waits.take(int(session.transaction.pid), attempt.needs, attempt.check)
            try:
                migrate(**keywords)
                session.migrated()
            except BaseException:
                session.fail()
                raise

        alembic_step.migration_fn = guarded
        return alembic_step

    def _applied(self, pulled: _Pulled, session: Session) -> None:
        assert pulled.current is not None
        assert self._attempt is not None
        up = pulled.current.direction is Direction.UP
        session.end(EventKind.APPLIED if up else EventKind.REVERTED, self._attempt.detail)

    def _env_failed(self, error: BaseException) -> ProvisionError:
        """The failure of env.py itself, or that of the server."""
        self._connection.execute("select 1")  # raises UnreachableError
        if not answers(error):
            what = f"env.py of {self._options.name} lost its connection: {told(error)[0]}"
            return UnreachableError("unreachable", what, where=engine.raised_in(error, self._options))
        return ConfigError(
            "env-failed",
            f"env.py of {self._options.name} failed: {told(error)[0]}",
            where=engine.raised_in(error, self._options),
            fix=f"correct the line{engine.traceback_of(self._options)}",
        )

    def _failed(self, error: BaseException, session: Session, step: Step, journal: Journal) -> ProvisionError:
        """Record the failure beside the rolled-back transaction and say it in the revision's terms."""
        what, fix = told(error)
        what = hidden(what, str(getattr(error, "statement", None) or ""))
        if sqlstate(error) == READ_ONLY and session.read_only:
            refused = session.trail.cannot_repeat()
            self._record(refused.what, session, step, journal)
            return refused
        number, after = self._record(what, session, step, journal, answered=answers(error))
        fix = fix or advice(error, number, self._connection, self._options, step)
        if not isinstance(error, DBAPIError):
            if isinstance(error, RolledBackInside):
                error.where = line(error, self._options, step)
                return error
            return FailedError("revision-failed", what, where=line(error, self._options, step), fix=fix)
        if self._attempt is not None:
            fix = self._attempt.fix or fix
        return StatementFailed(
            what,
            number=number,
            statement=error.statement or "",
            where=f"{line(error, self._options, step)}: {_statement(number, error.statement)}; {after}",
            fix=fix,
        )

    def _refused(self, error: RefusedError, session: Session, step: Step | None, journal: Journal) -> RefusedError:
        """The guard's refusal, recorded, with the place and what became of the rest of the revision."""
        if step is not None and error is self._guard.refused:
            number, after = self._record(str(error), session, step, journal)
            error.where = f"{line(error, self._options, step)}: statement {number}; {after}"
        return error

    def _record(
        self, what: str, session: Session, step: Step, journal: Journal, *, answered: bool = True
    ) -> tuple[int, str]:
        """Write down that a step failed; the number of its statement, and what became of those before it."""
        nothing = session.rolled_back()
        number = session.trail.at if session.committed else session.sent
        kept: dict[str, object] = {"rolled_back": True} if nothing else {"text": session.text}
        if nothing or answered:  # else the boundary before it stays the last word, and the next run asks
            kept |= self._attempt_at(step, journal).detail
            self._ledger.append(journal.event(step, EventKind.FAILED, statement=number or None, error=what, **kept))
        return number, "rolled back: nothing of it was kept" if nothing else session.trail.kept


def _statement(number: int, text: str | None) -> str:
    return f"statement {number}: {short(text)}" if text else f"behind statement {number}"


class _GaveWay(Exception):
    """Raised when the step in hand was rolled back: the next run of env.py begins with it."""


class _Pulled:
    """The step in hand, kept across a retry; pulling the next one tells the run that this one is committed."""

    def __init__(self, steps: Iterator[Step]) -> None:
        self._steps = steps
        self.current: Step | None = None
        self.ended = False

    def pull(self) -> Step | None:
        self.current = self.current or next(self._steps, None)
        self.ended = self.current is None
        return self.current

    def finish(self) -> None:
        self.current = None

    @property
    def repeatable(self) -> Step | None:
        """The step in hand, if it is one that Alembic does not run."""
        return self.current if self.current is not None and self.current.revision.repeatable else None
