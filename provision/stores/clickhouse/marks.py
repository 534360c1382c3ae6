"""Finds our statements in system.processes by their log_comment, and stops them."""

from __future__ import annotations

from collections.abc import Sequence

from provision.model.statements import Mark, Running
from provision.stores.clickhouse.server import UNKNOWN_DATABASE, Client, ServerRefused

# chDB ignores a given query id, log_comment travels with the statement everywhere.
_RUNNING = """
SELECT Settings['log_comment'] AS mark, elapsed, substring(query, 1, 200), query_id
FROM system.processes WHERE startsWith(Settings['log_comment'], 'provision/')
"""


class ClickhouseMarked:
    """`provision.ports.Marked`."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def running(self) -> Sequence[Running]:
        try:
            rows = self._client.rows(_RUNNING)
        except ServerRefused as error:
            if error.number == UNKNOWN_DATABASE:
                return []  # nothing of ours runs in a database that was not made yet
            raise
        marks = [(Mark.parse(str(row[0])), row) for row in rows]
        return [Running(mark, float(row[1]), str(row[2]), str(row[3])) for mark, row in marks if mark is not None]

    def cancel(self, running: Running) -> None:
        self._client.rows("KILL QUERY WHERE query_id = {id:String} ASYNC", {"id": running.handle})
