"""Sends one statement at a time and writes the boundary after it; finds out what became of one in flight."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

from provision.errors import ConfigError, StatementFailed
from provision.model import Direction, Event, EventKind, Step, StoreOptions
from provision.model.statements import Fate, Mark, Outcome, Statement
from provision.stores.clickhouse.files import Script
from provision.stores.clickhouse.ledger import ClickhouseLedger
from provision.stores.clickhouse.migrate.losses import ClickhouseLossGuard, foreseen
from provision.stores.clickhouse.migrate.parse import touched
from provision.stores.clickhouse.migrate.probe import flight
from provision.stores.clickhouse.migrate.probe.answered import cut_short, logged
from provision.stores.clickhouse.migrate.unseen import ABSENT, Unseen
from provision.stores.clickhouse.peer import ClickhousePeer
from provision.stores.clickhouse.server import Client, ServerRefused

_CUT_SHORT = "run the same command again: it looks whether the statement took effect, of which a part may be there"


class ClickhouseStatements:
    """`provision.ports.Joined` and `Guarded`."""

    def __init__(
        self,
        client: Client,
        ledger: ClickhouseLedger,
        peer: ClickhousePeer,
        scripts: Mapping[str, Script],
        texts: Texts,
    ) -> None:
        self._client, self._ledger, self._peer, self._scripts = client, ledger, peer, scripts
        self._texts = texts
        self._unseen = Unseen(client)
        self._guard: tuple[int, ClickhouseLossGuard] | None = None

    def of(self, step: Step) -> list[Statement]:
        return self._texts.of(step)

    def remember(self, token: int) -> None:
        if self._guard is None or self._guard[0] != token:
            self._guard = token, ClickhouseLossGuard(self._client, self._peer.table)

    def loses(self, statement: Statement) -> str | None:
        return self._guard[1].loses(_read(statement)) if self._guard is not None else statement.destructive

    def losses_of(self, steps: Sequence[Step]) -> Mapping[str, Sequence[str]]:
        listed = [(step.id, [_read(each) for each in self.of(step)]) for step in steps]
        return foreseen(self._client, self._peer.table, listed)

    def advance(
        self,
        statement: Statement,
        mark: Mark,
        event: Event,
        upcoming: Statement | None,
        check_lease: Callable[[], None],
    ) -> None:
        self.send(statement, mark)
        check_lease()
        self.record(event.later(), upcoming)

    def send(self, statement: Statement, mark: Mark) -> None:
        try:
            self._client.command(str(statement.sent), log_comment=str(mark), **_answered_when_done(statement, mark))
        except ServerRefused as error:
            failed = StatementFailed(error.what, number=mark.statement or 1, statement=statement.text)
            if cut_short(_read(statement), error.number):
                failed.certain, failed.fix = False, _CUT_SHORT
            raise failed from None
        if self._guard is not None:
            self._guard[1].sent(_read(statement))

    def record(self, event: Event, upcoming: Statement | None) -> None:
        self._tell_peer(event)
        self._append([event], upcoming)

    def record_both(self, end: Event, start: Event, upcoming: Statement) -> None:
        self._tell_peer(end)
        self._append([end, start], upcoming)

    def _tell_peer(self, event: Event) -> None:
        # Before the ledger: a run that ends in between is seen as applied and completes its own ledger.
        if event.kind is EventKind.APPLIED:
            self._peer.add(self._scripts[event.revision])
        elif event.kind is EventKind.REVERTED:
            self._peer.remove(int(event.revision.split("/", 1)[1]))

    def _append(self, events: Sequence[Event], upcoming: Statement | None) -> None:
        if upcoming is None:
            self._ledger.append_all(events)
        elif self._unseen.meets(_read(upcoming)):
            self._ledger.append_all(events, ABSENT)
        else:
            self._ledger.append_with(events, touched.picture_sql(_read(upcoming), self._client.database))

    def probe(self, statement: Statement, event: Event) -> Fate:
        before = str(event.detail.get("picture", ""))
        fate = flight.probe(self._client, self._client.database, _read(statement), before, event.at, event.token)
        return logged(self._client, _read(statement), event, fate) if fate.outcome is Outcome.CANNOT_TELL else fate


def _answered_when_done(statement: Statement, mark: Mark) -> dict[str, str]:
    """Settings with which the server answers once the statement is done, and not once it has taken note of it.

    What the statement says itself in SETTINGS goes before them.
    """
    read = _read(statement)
    settings: dict[str, str] = {}
    if read.verb == "insert":
        # Without the lease's token, so that a second sending is recognised as the same.
        settings["insert_deduplication_token"] = f"provision/{mark.project}/{mark.revision}/{mark.statement}"
        settings["wait_for_async_insert"] = "1"
    if touched.Effect.MUTATION in read.effects:
        settings["mutations_sync"] = "2"
    return settings


class Texts:
    """The statements of each step, with `${NAME}` filled in where provision.toml gives variables."""

    def __init__(self, options: StoreOptions, scripts: Mapping[str, Script]) -> None:
        self._options, self._scripts = options, scripts
        variables = options.extra.get("variables")
        self._variables = {str(k): str(v) for k, v in variables.items()} if isinstance(variables, Mapping) else None

    def of(self, step: Step) -> list[Statement]:
        """Raises ConfigError (empty-migration, unset-variable)."""
        script = self._scripts[step.id]
        text = script.up if step.direction is Direction.UP else script.down or ""
        written = touched.split(text)
        if not written:
            raise ConfigError(
                "empty-migration",
                f"{step.revision.title} has no statement to go {step.direction}",
                where=step.revision.path,
                fix="write its SQL, or delete the file",
            )
        sent = touched.split(self._filled(text, step))
        if len(sent) != len(written):
            # A value with a semicolon in it: what is shown no longer lines up with what is sent.
            written = [f"-- statement {number} of {step.id}" for number in range(1, len(sent) + 1)]
        return [_statement(shown, real) for shown, real in zip(written, sent, strict=True)]

    def _filled(self, text: str, step: Step) -> str:
        if self._variables is None:
            return text
        from clickhouse_migrations.exceptions import MigrationException
        from clickhouse_migrations.substitution import substitute

        try:
            return str(substitute(text, self._variables, step.revision.path))
        except MigrationException as error:
            raise ConfigError(
                "unset-variable",
                str(error).split(". Pass them", 1)[0],
                where=step.revision.path,
                fix=f"add it to variables of [stores.{self._options.name}]",
            ) from None


def _statement(shown: str, sent: str) -> Statement:
    read, real = _parsed(shown), _parsed(sent)
    # A variable can stand where a name is wanted; without it, people are shown the text as written.
    loses = read.destructive if len(read.losses) == len(real.losses) else real.destructive
    return Statement(text=shown, summary=read.summary, sent=sent, destructive=loses)


@lru_cache(maxsize=4096)
def _parsed(text: str) -> touched.ParsedStatement:
    return touched.parse(text)


def _read(statement: Statement) -> touched.ParsedStatement:
    return _parsed(str(statement.sent))
