"""`aql`: a query of the author's own, with a query that tells whether it is done and one that undoes it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from provision.documents.operation import Body, Earlier, Problem, Stopped, mapping
from provision.model.statements import Fate
from provision.stores.arango.migrate.compare import same
from provision.stores.arango.migrate.operations.base import ArangoOperation, Live, done, not_done
from provision.stores.arango.server import LONG_SECONDS

_QUERY = {"type": "string", "minLength": 1, "description": "an AQL query"}
_BIND = {"type": "object", "description": "a mapping of the names behind @ to values"}
_ANY = {"description": "the one row that the probe answers"}
_PROBE = mapping(["query"], query=_QUERY, bindVars=_BIND, equals=_ANY, differs=_ANY) | {
    "oneOf": [{"required": ["equals"]}, {"required": ["differs"]}],
    "description": "a mapping with `query`, and `equals` or `differs`",
}
# Strings, quoted names and comments, in which a word is no keyword.
_PASSIVE = re.compile(r"\"(?:\\.|[^\"])*\"|'(?:\\.|[^'])*'|`[^`]*`|´[^´]*´|//[^\n]*|/\*.*?\*/", re.DOTALL)
_WRITING = re.compile(r"\b(INSERT|UPDATE|REPLACE|REMOVE|UPSERT)\b", re.IGNORECASE)
_LOSING = re.compile(r"\b(UPDATE|REPLACE|REMOVE|UPSERT)\b", re.IGNORECASE)


class Aql(ArangoOperation):
    """On a server alone a query is done as a whole or not at all; in a cluster, only one over a single shard."""

    name = "aql"
    schema = mapping(
        ["query", "probe", "down"],
        query=_QUERY,
        bindVars=_BIND,
        probe=_PROBE,
        down=mapping(["query"], query=_QUERY, bindVars=_BIND),
    )

    def summary(self, body: Body) -> str:
        words = " ".join(body["query"].split())
        return f"aql {words if len(words) <= 60 else f'{words[:59]}…'}"

    def text(self, body: Body) -> str:
        return str(body["query"]).strip()

    def probe(self, body: Body, live: Live) -> Fate:
        """Raises Stopped for a probe that does not answer one row."""
        asked = body["probe"]
        rows = live.server.rows(asked["query"], asked.get("bindVars"))
        if len(rows) != 1:
            raise Stopped(f"the probe answers {len(rows)} rows, where it must answer one: {asked['query'].strip()}")
        wanted = asked.get("equals", asked.get("differs"))
        fulfilled = _equal(wanted, rows[0]) == ("equals" in asked)
        return (done if fulfilled else not_done)(f"the probe answers {rows[0]!r}")

    def run(self, body: Body, live: Live) -> None:
        mark = "" if live.mark is None else f"/* {live.mark} */ "
        live.server.rows(mark + body["query"], body.get("bindVars"), seconds=LONG_SECONDS)

    def destructive(self, body: Body, _earlier: Earlier = ()) -> str | None:
        losing = _LOSING.search(_PASSIVE.sub(" ", body["query"]))
        return f"{losing[1].upper()} can lose what is there" if losing else None

    def inverse(self, body: Body) -> tuple[str, Body]:
        turned = {"equals": "differs", "differs": "equals"}
        probe = {turned.get(key, key): value for key, value in body["probe"].items()}
        forth = {key: body[key] for key in ("query", "bindVars") if key in body}
        return self.name, {**body["down"], "probe": probe, "down": forth}

    def problems(self, body: Body) -> Iterable[Problem]:
        writing = _WRITING.search(_PASSIVE.sub(" ", body["probe"]["query"]))
        if writing:
            yield Problem("probe", f"the probe may change documents: {writing[1].upper()}", "let it only read")


def _equal(wanted: Any, found: Any) -> bool:
    return same(wanted, found) and same(found, wanted)
