"""`repeatable/*.sql` of the script folder: read, looked up against the server's extensions, and applied."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from provision.errors import ConfigError, RefusedError, StatementFailed
from provision.model import Direction, Event, EventKind, Revision, Step, StoreOptions
from provision.ports import Journal
from provision.stores.postgres.migrate.header import LIMITS
from provision.text.files import checksum, described, headers, inside, listed, read_text

if TYPE_CHECKING:
    import psycopg

    from provision.stores.postgres.ledger import PostgresLedger
    from provision.stores.postgres.migrate.attempts import Attempt
    from provision.stores.postgres.migrate.losses.guard import PostgresLossGuard, Rows
    from provision.stores.postgres.server import Connection

# How long a revision may wait for locks, a statement of it take, and how often it is tried again; and how old a
# transaction may be that a run begins beside.
LONGEST = "longest_transaction"
_LIMITS = frozenset(LIMITS)
_DOWN = re.compile(r"^--\s*down:\s*$", re.MULTILINE | re.IGNORECASE)
_BEGIN = """
select pg_current_xact_id()::text, set_config('lock_timeout', %(lock)s, true),
       set_config('statement_timeout', coalesce(%(statement)s, current_setting('statement_timeout')), true),
       set_config('application_name', %(mark)s, true)
"""
_NEED = re.compile(r"extension\s+(\w+)", re.IGNORECASE)


def limits_of(header: Mapping[str, object], shown: str) -> tuple[tuple[str, str], ...]:
    """What a revision's header says of LIMITS, as pairs. Raises ConfigError (bad-header)."""
    if _LIMITS.isdisjoint(header):
        return ()
    from provision.stores.postgres.migrate import limits  # few revisions have limits of their own

    return limits.of_header(header, LIMITS, shown)


def check_limits(options: StoreOptions) -> None:
    """Raises ConfigError (bad-value) for a limit of provision.toml, or of a variable, that cannot be one."""
    if any(name in options.extra for name in (*LIMITS, LONGEST)):
        from provision.stores.postgres.migrate import limits

        limits.check(options.extra, (*LIMITS, LONGEST), options.name)


def revisions(options: StoreOptions) -> list[Revision]:
    """Every repeatable file. Raises ConfigError (not-utf8, empty-migration, bad-header)."""
    return [_revision(options, path) for path in inside(options.path / "repeatable", "*.sql", options.root)]


def sql(options: StoreOptions, step: Step) -> str:
    """The text that carries out the step."""
    up, _, down = _parts(read_text(options.root / step.revision.path, step.revision.path))
    return up if step.direction is Direction.UP else down


class PostgresRepeatables:
    """`provision.ports.Repeatables`, and how the lane applies one."""

    def __init__(
        self,
        options: StoreOptions,
        connection: Connection,
        ledger: PostgresLedger,
        repeated: Sequence[Revision],
    ) -> None:
        self._options, self._connection, self._ledger, self._repeated = options, connection, ledger, repeated

    def unmet(self) -> Mapping[str, str]:
        if not any(each.needs for each in self._repeated):
            return {}
        rows = self._connection.execute("select extname from pg_extension").fetchall()
        there = {f"extension {row[0]}" for row in rows}
        lacking = {each.id: [need for need in each.needs if need not in there] for each in self._repeated}
        return {name: f"needs {', '.join(missing)}" for name, missing in lacking.items() if missing}

    def carry_out(self, step: Step, journal: Journal, guard: PostgresLossGuard, attempt: Attempt) -> Event | None:
        """Apply, revert or skip one; its ledger entry is in the same transaction.

        None, all rolled back, where it gave way and is to be tried again. Raises StatementFailed, and RefusedError
        (destructive).
        """
        import psycopg  # the files are read without it

        journal.check()
        missing = self.unmet().get(step.id)
        if missing and step.direction is Direction.UP:
            skipped = journal.event(step, EventKind.SKIPPED, reason=missing)
            self._ledger.append(skipped)
            return skipped
        settings = {**attempt.settings, "mark": str(journal.mark(step))}
        xid = ""
        guard.begin(step, closed=not journal.may_lose(step))
        try:
            with self._connection.transaction():
                (xid, *_) = self._connection.execute(_BEGIN, settings).fetchone() or ("",)
                return self._sent(step, journal, guard, attempt)
        except psycopg.Error as error:
            if self._fate(xid) == "aborted" and attempt.gives_way(error):
                return None
            raise self._failed(error, step, journal, xid, attempt) from None
        except RefusedError as error:
            error.where = f"{step.revision.path}; {self._after(xid)}"
            self._ledger.append(journal.event(step, EventKind.FAILED, error=str(error), rolled_back=True))
            raise
        finally:
            guard.end()

    def _sent(self, step: Step, journal: Journal, guard: PostgresLossGuard, attempt: Attempt) -> Event:
        text = sql(self._options, step)
        guard.check(text, self._ask, before=True)
        with attempt.watching(self._connection.info.backend_pid, text):
            self._connection.execute(text.encode())
        guard.before_commit(self._ask)
        kind = EventKind.APPLIED if step.direction is Direction.UP else EventKind.REVERTED
        written = journal.event(step, kind, **attempt.detail)
        self._ledger.append(written)
        return written

    def _ask(self, question: str) -> Rows:
        return self._connection.execute(question.encode()).fetchall()

    def _after(self, xid: str) -> str:
        """What the server says of the transaction of a file that failed."""
        fate = self._fate(xid)
        return "rolled back: nothing of it was kept" if fate == "aborted" else f"its transaction is {fate}"

    def _fate(self, xid: str) -> str:
        row = self._connection.execute("select pg_xact_status(%s::xid8)", (xid,)).fetchone() if xid else ("aborted",)
        return str(row[0]) if row else ""

    def _failed(
        self, error: psycopg.Error, step: Step, journal: Journal, xid: str, attempt: Attempt
    ) -> StatementFailed:
        from provision.text.credentials import hidden  # for failures alone

        what = hidden(error.diag.message_primary or str(error).strip(), sql(self._options, step))
        self._ledger.append(journal.event(step, EventKind.FAILED, error=what, rolled_back=True, **attempt.detail))
        return StatementFailed(
            f"{what} [{error.sqlstate}]" if error.sqlstate else what,
            number=1,
            statement=sql(self._options, step),
            where=f"{step.revision.path}; {self._after(xid)}",
            fix=attempt.fix or "correct the file and run the same command again",
        )


def _revision(options: StoreOptions, path: Path) -> Revision:
    shown = options.shown(path)
    text = read_text(path, shown)
    up, has_down, _ = _parts(text)
    if not re.sub(r"--[^\n]*", "", up).strip():
        raise ConfigError("empty-migration", f"{path.name} is empty", where=shown, fix="write its SQL or delete it")
    _whole(up, shown)
    head = headers(text)
    return Revision(
        store=options.name,
        number=path.stem,
        slug="",
        description=head.get("description") or described(path.stem),
        path=shown,
        checksum=checksum(text),
        requires=listed(head.get("requires", "")),
        irreversible=None if has_down else "it has no `-- down:` part",
        repeatable=True,
        needs=tuple(_need(each, shown) for each in listed(head.get("needs", ""))),
        limits=limits_of(head, shown),
    )


def _whole(text: str, shown: str) -> None:
    """Refuse a file that ends the transaction it runs in: what is before and behind would stand by itself."""
    from provision.stores.postgres.migrate.transaction_ends import ends_transaction  # few projects have repeatables

    if ending := ends_transaction(text):
        raise ConfigError(
            "transaction-in-repeatable",
            f"the file sends {ending}, and runs in one transaction with its ledger entry",
            where=shown,
            fix=f"take the {ending} out, or write a revision",
        )


def _need(text: str, shown: str) -> str:
    match = _NEED.fullmatch(text)
    if match is None:
        raise ConfigError(
            "bad-header",
            f"`-- needs: {text}` is not understood",
            where=shown,
            fix="write `-- needs: extension NAME`, several separated by commas",
        )
    return f"extension {match[1]}"


def _parts(text: str) -> tuple[str, bool, str]:
    """The up part, whether there is a down part, and that."""
    mark = _DOWN.search(text)
    return (text[: mark.start()], True, text[mark.end() :]) if mark else (text, False, "")
