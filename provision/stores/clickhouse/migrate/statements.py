"""Sends one statement at a time and writes the boundary after it; finds out what became of one in flight."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from provision.errors import StatementFailed
from provision.model import Event, EventKind, Step
from provision.model.statements import Fate, Mark, Outcome, Statement
from provision.stores.clickhouse.files import Script
from provision.stores.clickhouse.ledger import ClickhouseLedger
from provision.stores.clickhouse.migrate.losses import ClickhouseLossGuard, foreseen
from provision.stores.clickhouse.migrate.parse import touched
from provision.stores.clickhouse.migrate.probe import flight
from provision.stores.clickhouse.migrate.probe.answered import cut_short, logged
from provision.stores.clickhouse.migrate.texts import Texts, read_of, settings_of
from provision.stores.clickhouse.migrate.unseen import ABSENT, Unseen
from provision.stores.clickhouse.peer import ClickhousePeer
from provision.stores.clickhouse.server import Client, ServerRefused

_ALREADY_THERE = (
    "if it was made by hand or by another tool, `provision resolve {} --done-to {}` goes on behind it; else correct the"
    " statement and run the same command again"
)
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
        return self._guard[1].loses(read_of(statement)) if self._guard is not None else statement.destructive

    def losses_of(self, steps: Sequence[Step]) -> Mapping[str, Sequence[str]]:
        listed = [(step.id, [read_of(each) for each in self.of(step)]) for step in steps]
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
            settings = {**settings_of(statement), **_answered_when_done(statement, mark)}
            self._client.command(str(statement.sent), log_comment=str(mark), **settings)
        except ServerRefused as error:
            failed = StatementFailed(error.what, number=mark.statement or 1, statement=statement.text)
            if cut_short(read_of(statement), error.number):
                failed.certain, failed.fix = False, _CUT_SHORT
            elif "already exists" in error.what:
                failed.fix = _ALREADY_THERE.format(mark.revision, failed.number)
            raise failed from None
        if self._guard is not None:
            self._guard[1].sent(read_of(statement))

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
        elif self._unseen.meets(read_of(upcoming)):
            self._ledger.append_all(events, ABSENT)
        else:
            self._ledger.append_with(events, touched.picture_sql(read_of(upcoming), self._client.database))

    def probe(self, statement: Statement, event: Event) -> Fate:
        # Of a statement that was never sent nothing is noted: then it is as if nothing had been there.
        before = str(event.detail.get("picture", "" if event.detail else "{}"))
        client = self._client.carrying(settings_of(statement))
        fate = flight.probe(client, client.database, read_of(statement), before, event.at, event.token)
        return logged(self._client, read_of(statement), event, fate) if fate.outcome is Outcome.CANNOT_TELL else fate


def _answered_when_done(statement: Statement, mark: Mark) -> dict[str, str]:
    """Settings with which the server answers once the statement is done, and not once it has taken note of it.

    What the statement says itself in SETTINGS goes before them.
    """
    read = read_of(statement)
    settings: dict[str, str] = {}
    if read.verb == "insert":
        # Without the lease's token, so that a second sending is recognised as the same.
        settings["insert_deduplication_token"] = f"provision/{mark.project}/{mark.revision}/{mark.statement}"
        settings["wait_for_async_insert"] = "1"
    if touched.Effect.MUTATION in read.effects:
        settings["mutations_sync"] = "2"
    return settings
