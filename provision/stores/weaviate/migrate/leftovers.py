"""Old collections that a replacement kept: found by the mark on them, removed once their time is up."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from provision.backfill import folder as backfills
from provision.documents.refused import Refused
from provision.errors import FailedError
from provision.model import Leftover, StoreOptions
from provision.net.http import path_of
from provision.stores.weaviate.names import Names
from provision.stores.weaviate.server import Class, Server

if TYPE_CHECKING:
    from provision.stores.weaviate.copy.marks import CopyMark


class WeaviateLeftovers:
    def __init__(self, options: StoreOptions, aliases: Callable[[], set[str]], server: Callable[[], Server]) -> None:
        """`aliases`: those of the collections that the store's documents replace."""
        self._options, self._aliases, self._server = options, aliases, server
        self._names = Names(options.project, options.name)

    def due(self) -> Sequence[Leftover]:
        """Old collections whose time is up and that nothing stands for or refers to.

        Asks nothing where no document replaces a collection and there is no backfill.

        Raises UnreachableError, ConfigError.
        """
        ours = self._aliases()
        if not ours and not backfills.found(self._options.root):
            return ()
        server = self._server()
        with server.reading():
            found, aliases = server.collections(), server.aliases()
        return [
            Leftover(self._options.name, name, _reason(mark), mark.due)
            for name, mark in _replaced_with_marks(found, aliases).items()
            if (mark.alias in ours or mark.by == self._names.owner) and mark.due <= datetime.now(UTC)
        ]

    def remove(self, leftover: Leftover) -> None:
        """Delete the collection, if that is still right. Raises FailedError (server-lost, server-refused)."""
        server = self._server()
        with server.writing():
            still = _replaced_with_marks(server.collections(), server.aliases()).get(leftover.name)
            if still is None or still.due > datetime.now(UTC):
                return
            try:
                server.send("DELETE", path_of("schema", leftover.name))
            except Refused as refused:
                what = f"{leftover.name} could not be removed: {refused}"
                fix = refused.fix or "see to the cause, run again"
                raise FailedError("server-refused", what, where=server.shown, fix=fix) from None


def _replaced_with_marks(found: Mapping[str, Class], aliases: Mapping[str, str]) -> dict[str, CopyMark]:
    """The collections that were replaced, each with its mark."""
    if not any("[provision {" in str(each.get("description")) for each in found.values()):
        return {}  # as in most runs, which then have no use for what reads them
    from provision.stores.weaviate.copy.marks import Stage, mark_of

    marks = {name: mark for name, each in found.items() if (mark := mark_of(each)) and mark.stage is Stage.KEPT}
    return {
        name: mark
        for name, mark in marks.items()
        if name not in aliases.values() and _replaced(mark, found, marks, aliases) and not _referred(name, found)
    }


def _replaced(
    mark: CopyMark, found: Mapping[str, Class], marks: Mapping[str, CopyMark], aliases: Mapping[str, str]
) -> bool:
    """Whether the alias stands for what took its place, or for what took the place of that."""
    seen = set()
    while mark.into in found and mark.into not in seen:
        if aliases.get(mark.alias) == mark.into:
            return True
        seen.add(mark.into)
        later = marks.get(mark.into)
        if later is None or later.alias != mark.alias:
            return False
        mark = later
    return False


def _referred(name: str, found: Mapping[str, Class]) -> bool:
    return any(name in each["dataType"] for other in found.values() for each in other.get("properties") or ())


def _reason(mark: CopyMark) -> str:
    return f"replaced by {mark.into}, kept until {mark.due:%Y-%m-%d %H:%M} UTC"
