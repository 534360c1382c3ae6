"""Data checks in Weaviate: every object is read once, by pages of ids, for all checks of its collection."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence

from provision.errors import ConfigError, ProvisionError
from provision.model.checks import Check, Row, Scope, Table, Tally
from provision.stores.weaviate.server import Class, Server
from provision.stores.weaviate.setup.health import WITH_ALIASES
from provision.stores.weaviate.validate.pages import UNNAMED, PagePart, vectors_of
from provision.stores.weaviate.validate.timed import WeaviateTimed
from provision.stores.weaviate.validate.watch import VECTORS, WATCHES, needs_vectors, used, vector_of
from provision.text.nearest import near
from provision.validate.columns import (
    ACCEPTED_VALUES,
    FRESHNESS,
    MAX_LENGTH,
    NOT_NULL,
    NOT_NULL_SHARE,
    RANGE,
    no_text,
    timeless,
)
from provision.validate.scan import Deadline, Samples, Watch, moment, narrowing, since, unknown_columns

KINDS = {
    "not_null": NOT_NULL,
    "not_null_share": NOT_NULL_SHARE,
    "range": RANGE,
    "accepted_values": ACCEPTED_VALUES,
    "max_length": MAX_LENGTH,
    "freshness": FRESHNESS,
    **VECTORS,
}
TABLE: dict[str, dict[str, object]] = {}
_TEXTS = ("text", "text[]", "string", "string[]")
OWN = ("_id", "_tenant", "_created", "_updated", "_dimension", "_norm", "_value", "_objects")


class WeaviateChecks:
    """`provision.ports.validate.Checks`; a table is a collection or an alias, a row is an object.

    `tenant: _tenant` narrows to a tenant of the collection. A tenant that is not active is never read, since reading
    it would wake it up; a message names it.
    """

    keyed = None
    queries = None

    def __init__(self, server: Callable[[], Server]) -> None:
        self._server = server
        self._samples = Samples()
        self.timed = WeaviateTimed(server)

    def refused(self, table: Table) -> Sequence[ProvisionError]:
        server = self._server()
        with server.reading():
            found = _collection(server, table.name)
            names = () if found is not None else (*server.collections(), *_aliases(server))
        if found is None:
            fix = near(table.name, names, "its collections")
            what = f"{table.store} has no collection {table.name}"
            return [ConfigError("unknown-table", what, where=table.place, fix=fix)]
        known = (*(each["name"] for each in found.get("properties") or ()), *OWN)
        return [
            *timeless(table),
            *unknown_columns(table, known, used, *narrowing(table)),
            *_unknown_vectors(table, found),
            *_not_texts(table, found),
        ]

    def tally(self, table: Table, scope: Scope) -> Sequence[Tally]:
        begun, deadline, server = time.monotonic(), Deadline(scope), self._server()
        with server.reading():
            collection = _collection(server, table.name) or {"class": table.name}
            tenants = _tenants(server, collection, table, scope)
            watches = [WATCHES[each.kind](each, table, collection, tenants) for each in table.checks]
            asleep = [name for name, status in (tenants or {}).items() if status != "ACTIVE"]
            vectors = vectors_of(collection) if any(map(needs_vectors, table.checks)) else ()
            names = [None] if tenants is None else [name for name in tenants if name not in asleep]
            parts = [PagePart(server, collection["class"], each, vectors) for each in names]
            total = _count_rows(parts, table, scope, deadline, watches)
        message = f"not active and not read: {_few(asleep)}" if asleep else ""
        tallies = [each.tally(message, begun) for each in watches]
        for each in watches:
            self._samples.keep(table, each.check, scope, each.rows)
        return [Tally(0, total, message, since(begun), partial=bool(asleep)), *tallies]

    def samples(self, table: Table, check: Check, scope: Scope, limit: int) -> Sequence[Row]:
        return self._samples.of(table, check, scope, limit)


def _count_rows(
    parts: Sequence[PagePart], table: Table, scope: Scope, deadline: Deadline, watches: Sequence[Watch]
) -> int:
    total = 0
    for part in parts:
        for row in part.rows(deadline):
            if _inside(row, table, scope):
                total += 1
                for watch in watches:
                    watch.see(row)
    return total


def _inside(row: Row, table: Table, scope: Scope) -> bool:
    if scope.tenant is not None and row.get(table.tenant or "") != scope.tenant:
        return False
    if scope.since is None and scope.until is None:
        return True
    at = moment(row.get(table.time or ""))
    return at is not None and (scope.since is None or at >= scope.since) and (scope.until is None or at < scope.until)


def _collection(server: Server, name: str) -> Class | None:
    """The collection that a name or an alias stands for."""
    found = server.collection(name)
    if found is None and server.numbers >= WITH_ALIASES and (behind := server.alias(name)) is not None:
        return server.collection(behind)
    return found


def _aliases(server: Server) -> Sequence[str]:
    return list(server.aliases()) if server.numbers >= WITH_ALIASES else ()


def _tenants(server: Server, collection: Class, table: Table, scope: Scope) -> Mapping[str, str] | None:
    """Tenant of the scope → status; None for a collection that knows no tenants."""
    if not (collection.get("multiTenancyConfig") or {}).get("enabled"):
        return None
    found = server.tenants(collection["class"])
    narrowed = scope.tenant is not None and table.tenant == "_tenant"
    return {name: status for name, status in found.items() if not narrowed or name == scope.tenant}


def _unknown_vectors(table: Table, collection: Class) -> Iterator[ConfigError]:
    known = vectors_of(collection)
    for check in filter(needs_vectors, table.checks):
        name = vector_of(check, known)
        if name not in known:
            what = f"{table.name} has no vector {name}" if name else f"{table.name} has several vectors"
            fix = near(name, known, "its vectors") if name else f"add `vector:` with one of {', '.join(known)}"
            if known == (UNNAMED,):
                fix = "remove `vector:`: its vector has no name"
            yield ConfigError("unknown-column", what, where=check.place, fix=fix)


def _not_texts(table: Table, collection: Class) -> Iterator[ConfigError]:
    types = {each["name"]: "".join(each["dataType"]) for each in collection.get("properties") or ()}
    for check in table.checks:
        kind = types.get(used(check)[0], "text") if check.kind == "max_length" else "text"
        if kind not in _TEXTS:
            yield no_text(check, kind)


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
