"""Limits what the statements of a lane wait for locks, before each is sent."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable, Sequence

from sqlalchemy.exc import DBAPIError

from provision.stores.postgres.migrate.ours import OurStatements
from provision.stores.postgres.migrate.patience import LEAST, SLACK, Limits, LockBudget, lost, milliseconds
from provision.stores.postgres.migrate.table_locks import MODES, Need, question
from provision.stores.postgres.migrate.watch import StatementWatch, waited_for
from provision.stores.postgres.server import Connection

MOMENT = 0.05  # seconds that a lock is waited for while another one is held
TURNS = 20  # of one attempt
# What waits without keeping anybody from reading and writing rows: to end it would only lose its work.
_LEAVES_IN_PEACE = re.compile(
    r"\s*(?:select|show|set|reset|analyze|checkpoint|vacuum(?!\s*(?:\([^)]*\bfull\b|full\b))|.*\bconcurrently\b)",
    re.IGNORECASE | re.DOTALL,
)


class LockWaits:
    """The limits of the attempt in hand, as the server is told of them on env.py's connection."""

    def __init__(self, own: Connection, watch: StatementWatch, ours: OurStatements) -> None:
        self._own, self._watch, self._ours = own, watch, ours
        self._limits = Limits(0)
        self._budget = LockBudget(0)
        self.seen: list[str] = []  # the statements of the attempt
        self._theirs: dict[str, str] = {}  # the session's own limits, while others are in their place

    @property
    def limit(self) -> str:
        """What a transaction of the attempt begins with."""
        return milliseconds(self._limits.lock)

    def begin(self, limits: Limits) -> None:
        """A transaction was begun with the lock limit of an attempt."""
        self._limits, self.seen = limits, []
        self.begin_again()

    def begin_again(self) -> None:
        """Another transaction of the same attempt was begun: what the last one held is free."""
        self._budget = LockBudget(self._limits.lock)
        if self._limits.statement is not None:
            self._ours.send(f"set local statement_timeout = '{milliseconds(self._limits.statement)}'")

    def before(self, pid: int, text: str, *, autocommit: bool) -> None:
        """A statement is about to be sent in the session `pid`."""
        self.seen.append("commit" if autocommit else text)
        if autocommit:
            self._by_itself(text)
        self._watch.begins(pid, text, None if autocommit else self._in_transaction(pid))

    def take(self, pid: int, listed: Sequence[Need], check: Callable[[], None]) -> None:
        """Lock the tables of an attempt before its first statement, in one order: the first one for as long as that may
        wait, the others only a moment, as who waits for the first may hold them; then all are let go and taken again.

        Raises DBAPIError, and what `check` raises.
        """
        tables = self._ours.ask(question(listed))
        for turn in range(TURNS if len(tables) > 1 else 0):
            self._ours.send("savepoint provision_locks")
            self._budget = LockBudget(self._limits.lock)
            place = 0
            try:
                # Who always takes them the other way round would be met in each turn.
                for place, (name, mode) in enumerate(tables[:: -1 if turn % 2 else 1]):
                    self._lock(pid, f"lock table {name} in {MODES[mode]} mode", MOMENT if place else self._limits.lock)
            except DBAPIError as error:
                if place == 0 or turn + 1 == TURNS or not lost(error, canceled=self._watch.canceled()):
                    raise
                self._ours.send("rollback to savepoint provision_locks")
                check()
                time.sleep(random.uniform(MOMENT, 3 * MOMENT))
            else:
                return

    def _lock(self, pid: int, statement: str, most: float) -> None:
        left = max(min(self._budget.left(), most), LEAST)
        self._ours.send(f"set local lock_timeout = '{milliseconds(left)}'")
        self._watch.begins(pid, statement, None)
        self._ours.send(statement)
        self._watch.ends()
        self._budget.told(left)

    def after(self) -> None:
        """The statement has ended."""
        self._watch.ends()

    def end_of_block(self) -> None:
        """Statements outside a transaction have ended, well or not: put the session's own limits back."""
        for name in list(self._theirs):
            self._put_back(name)

    def _in_transaction(self, pid: int) -> float:
        left = self._budget.left()
        if left <= SLACK and not waited_for(self._own, pid):
            self._budget.renew()
            left = self._budget.left()
        if (told := self._budget.to_tell(left)) is not None:
            self._ours.send(f"set local lock_timeout = '{told}'")
        return time.monotonic() + max(left, 0)

    def _by_itself(self, text: str) -> None:
        if self._limits.statement is not None:
            self._put("statement_timeout", milliseconds(self._limits.statement))
        if _LEAVES_IN_PEACE.match(text):
            self._put_back("lock_timeout")
        else:
            self._put("lock_timeout", milliseconds(self._limits.lock))

    def _put(self, name: str, value: str) -> None:
        if name not in self._theirs:
            self._theirs[name] = str(self._ours.ask(f"show {name}")[0][0])
            self._ours.send(f"set {name} = '{value}'")

    def _put_back(self, name: str) -> None:
        if name in self._theirs:
            self._ours.send(f"set {name} = '{self._theirs.pop(name)}'")
