"""Knows which objects a run need not take a picture of: those that were not there when its lane began."""

from __future__ import annotations

from provision.stores.clickhouse.migrate.parse.tokens import read_name
from provision.stores.clickhouse.migrate.parse.touched import ParsedStatement
from provision.stores.clickhouse.server import Client

ABSENT = "{}"  # the picture of objects that do not exist


class Unseen:
    """One list of the database's objects a run, instead of one picture for each CREATE.

    What someone else makes under the same name in between is met by the CREATE itself, which the server then refuses.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._names: set[str] | None = None

    def meets(self, statement: ParsedStatement) -> bool:
        """True when all that the statement touches is known to be absent; afterwards it counts as seen."""
        names = [read_name(name).within(self._client.database) for name in statement.touches]
        mine = statement.objects == "table" and all(name.database == self._client.database for name in names)
        known = {name.name for name in names}
        absent = mine and statement.verb == "create" and not known & self._listed()
        self._listed().update(known)
        return absent

    def _listed(self) -> set[str]:
        if self._names is None:
            rows = self._client.rows(
                "SELECT name FROM system.tables WHERE database = {database:String}", {"database": self._client.database}
            )
            self._names = {str(row[0]) for row in rows}
        return self._names
