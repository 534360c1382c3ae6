"""The AQL of ours that a server still works on, found by the mark that begins it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from provision.model.statements import Mark, Running
from provision.net.http import path_of
from provision.stores.arango.server import FORBIDDEN, NO_DATABASE, Server

_MARK = re.compile(r"/\* (\S+) \*/ ")


class ArangoMarked:
    """A user sees their own queries; with rights on the database, everybody's."""

    def __init__(self, server: Callable[[], Server]) -> None:
        self._server = server

    def running(self) -> Sequence[Running]:
        """Every query with a mark. Raises UnreachableError, ConfigError."""
        with self._server().reading():
            listed = self._server().ask("GET", "/_api/query/current", missing=(NO_DATABASE, FORBIDDEN))
        return [found for each in listed or () if (found := _running(each)) is not None]

    def cancel(self, running: Running) -> None:
        """Stop the query; it may have ended by itself. Raises FailedError."""
        with self._server().writing():
            self._server().ask("DELETE", "/_api/query" + path_of(running.handle), missing=(_NO_QUERY,))


_NO_QUERY = 1591


def _running(found: Mapping[str, Any]) -> Running | None:
    text = str(found.get("query", ""))
    match = _MARK.match(text)
    mark = Mark.parse(match[1]) if match else None
    if match is None or mark is None:
        return None
    return Running(mark, float(found.get("runTime", 0)), text[match.end() :], str(found["id"]))
