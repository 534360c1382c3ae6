"""Asks a ClickHouse server what became of a statement that was in flight when its run ended.

The picture taken before the statement is compared with the present one, and with the one that results when the
statement is tried on empty copies in a scratch database. There is one rule for all statements that change a
definition, and one each for mutations and INSERT.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from provision.errors import FailedError
from provision.model.statements import Fate, Outcome
from provision.stores.clickhouse.migrate.parse.tokens import Name, read_name
from provision.stores.clickhouse.migrate.parse.touched import Effect, ParsedStatement
from provision.stores.clickhouse.migrate.probe import picture
from provision.stores.clickhouse.migrate.probe.insert import repeatable
from provision.stores.clickhouse.migrate.probe.picture import PictureLook, PictureReader
from provision.stores.clickhouse.migrate.probe.rows import mutation_states
from provision.stores.clickhouse.migrate.probe.trial import NotTried, Trial, TrialSubject, trial

__all__ = ["Fate", "Outcome", "PictureReader", "probe"]


def probe(
    connection: PictureReader, database: str, statement: ParsedStatement, before: str, at: datetime, token: int
) -> Fate:
    """Find out what became of `statement`.

    `before` is the picture taken before it was sent (`picture_sql`), `at` when that was, `token` the number of the
    lease that asks: scratch databases carry it, and those of this and of older tokens are dropped first and last.
    No statement of an older run may be running. Raises what `connection` raises, save for a refused trial.
    """
    if Effect.UNKNOWN in statement.effects:
        return Fate(Outcome.CANNOT_TELL, f"nothing shows whether it ran: {statement.summary}")
    if set(statement.effects) == {Effect.REPEATABLE}:
        return Fate(Outcome.NOT_DONE, f"it can be run again: {statement.summary}", proved=False)
    if Effect.INSERT in statement.effects:
        return _insert(connection, read_name(statement.touches[0]).within(database), statement)
    try:
        was = picture.loads(before)
    except ValueError:
        return Fate(Outcome.CANNOT_TELL, f"the picture taken before it at {at:%Y-%m-%d %H:%M:%S} cannot be read")
    now = picture.read(connection, database, statement)
    subject = TrialSubject(database, statement, was, picture.identified(was, now))
    return _Case(connection, subject, token).finding(picture.looks(was, now, subject.by_uuid))


def _insert(connection: PictureReader, target: Name, statement: ParsedStatement) -> Fate:
    safe, reason = repeatable(connection, target, statement.text)
    if safe:
        return Fate(Outcome.NOT_DONE, f"it can be sent again: {reason}", proved=False)
    return Fate(Outcome.CANNOT_TELL, f"whether rows arrived cannot be seen: {reason}")


@dataclass(frozen=True, slots=True)
class _Case:
    """One statement that changes definitions or mutates rows, and what was there before it."""

    connection: PictureReader
    subject: TrialSubject
    token: int

    @property
    def statement(self) -> ParsedStatement:
        return self.subject.statement

    def finding(self, new: dict[str, PictureLook]) -> Fate:
        before = self.subject.before
        old = picture.looks(before, before, self.subject.by_uuid)
        if old == new and Effect.MUTATION not in self.statement.effects:
            # A statement that changes nothing (IF NOT EXISTS) comes here too: running it again changes nothing either.
            return Fate(Outcome.NOT_DONE, f"nothing has changed since: {self.statement.summary}")
        try:
            tried = trial(self.connection, self.subject, self.token)
        except (NotTried, FailedError) as error:
            why = error.what if isinstance(error, FailedError) else str(error)
            return Fate(Outcome.CANNOT_TELL, f"it cannot be tried on empty copies: {why}")
        return self._compare(old, new, tried)

    def _compare(self, old: dict[str, PictureLook], new: dict[str, PictureLook], tried: Trial) -> Fate:
        if new not in (old, tried.looks):
            return Fate(Outcome.DIFFERENT, picture.difference(self.subject.database, tried.looks, new))
        if Effect.MUTATION in self.statement.effects and not tried.mutations:
            return Fate(Outcome.CANNOT_TELL, f"the server keeps no record of it: {self.statement.summary}")
        if finding := self._unsettled(tried, took=new == tried.looks, shows=old != tried.looks):
            return finding
        if Effect.FILL in self.statement.effects:
            return Fate(Outcome.CANNOT_TELL, f"whether all rows were copied cannot be seen: {self.statement.summary}")
        return Fate(Outcome.DONE, f"it took effect as written: {self.statement.summary}")

    def _unsettled(self, tried: Trial, *, took: bool, shows: bool) -> Fate | None:
        """What the mutations leave open, or None when the statement is done.

        `took`: the definitions are as the statement leaves them; `shows`: it changes a definition at all.
        """
        names = self.subject.names.values() if self.statement.objects == "table" else ()
        states = mutation_states(self.connection, names, self.subject.before, tried.mutations)
        absent = [mutation for mutation in states if mutation.state == "absent"]
        if len(absent) == len(states) and not (took and shows):
            return Fate(Outcome.NOT_DONE, f"nothing has changed since: {self.statement.summary}")
        if absent or not took:
            issued = ", ".join(mutation.command for mutation in states if mutation not in absent) or "no mutation"
            return Fate(Outcome.CANNOT_TELL, f"half of it ran; of its mutations: {issued}")
        for mutation in states:
            if mutation.state == "failed":
                return Fate(Outcome.CANNOT_TELL, f"the mutation {mutation.command} fails: {mutation.reason}")
        for mutation in states:
            if mutation.state == "running":
                return Fate(Outcome.RUNNING, f"the mutation {mutation.command} is not finished")
        return None
