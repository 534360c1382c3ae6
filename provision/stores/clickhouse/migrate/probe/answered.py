"""What the server itself says of a statement that copied rows: by its answer, and by its log of queries."""

from __future__ import annotations

from contextlib import suppress

from provision.model import Event
from provision.model.statements import Fate, Mark, Outcome
from provision.stores.clickhouse.migrate.parse.touched import Effect, ParsedStatement
from provision.stores.clickhouse.server import Client, ServerRefused

# Of what the server stopped on the way, rows may be there: TIMEOUT_EXCEEDED, SOCKET_TIMEOUT, NETWORK_ERROR, ABORTED,
# MEMORY_LIMIT_EXCEEDED, UNKNOWN_STATUS_OF_INSERT, QUERY_WAS_CANCELLED, KEEPER_EXCEPTION.
_STOPPED = frozenset({159, 209, 210, 236, 241, 319, 394, 999})
_LOG = """
SELECT DISTINCT toString(type) FROM system.query_log
WHERE log_comment = {mark:String} AND event_date >= toDate({day:String}) - 1 AND is_initial_query
  AND type != 'QueryStart'
"""


def cut_short(statement: ParsedStatement, number: int) -> bool:
    """Whether the server's refusal leaves open how much of the statement took effect."""
    return number in _STOPPED and not {Effect.INSERT, Effect.FILL}.isdisjoint(statement.effects)


def logged(client: Client, statement: ParsedStatement, event: Event, fate: Fate) -> Fate:
    """The fate by the server's log, for a statement that has left no other trace; `fate` where the log has none.

    `event` is the boundary before the statement, whose run sent it under the mark that is looked for.
    """
    mark = str(Mark(event.project, event.token, event.revision, event.statement))
    with suppress(ServerRefused):  # where it is not allowed, the log is written every few seconds anyway
        client.command("SYSTEM FLUSH LOGS")
    try:
        ends = {str(row[0]) for row in client.rows(_LOG, {"mark": mark, "day": f"{event.at:%Y-%m-%d}"})}
    except ServerRefused:
        return fate  # no log is kept, or it may not be read
    if "QueryFinish" in ends:
        return Fate(Outcome.DONE, f"the server's log says that it ended: {statement.summary}")
    if ends == {"ExceptionBeforeStart"} and Effect.INSERT in statement.effects:
        return Fate(Outcome.NOT_DONE, f"the server's log says that it never began: {statement.summary}")
    return fate
