"""What `doctor` looks at in an ArangoDB server; reads only, on a connection of its own."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from provision.model import Finding, Severity, StoreOptions
from provision.net.http import Address, path_of
from provision.stores.arango.migrate.operations.base import Live, members
from provision.stores.arango.server import EXAMPLE, FORBIDDEN, SYSTEM, Server, ServerRefused, connect
from provision.text import clock


def look(options: StoreOptions, url: str, *, home: bool) -> Sequence[Finding]:
    """What was found. Raises UnreachableError and ConfigError as opening the store does."""
    del home  # every ArangoDB that takes writes is fit to be one
    server = connect(url, options)
    try:
        with server.reading():
            user = "" if options.extra.get("token") else Address.of(url, EXAMPLE).user
            found = [*_rights(server, user, options), *_clock(server, options)]
            return found if server.absent else [*found, *_graphs(server, options)]
    finally:
        server.http.close()


def _rights(server: Server, user: str, options: StoreOptions) -> Iterator[Finding]:
    if not user:
        return  # a token does not say whose it is: what is missing shows when it is needed
    database = SYSTEM if server.absent else server.database
    try:
        level = server.ask("GET", "/_api/user" + path_of(user, "database", database), database=database)["result"]
    except ServerRefused as refused:
        if refused.number == FORBIDDEN or refused.answer.status in (401, 403, 404):
            return  # only who may ask is told
        raise
    if level == "rw":
        yield Finding("privileges", Severity.FINE, options.name, f"{user} may make collections in {database}")
        return
    what = f"{user} may not make {'the database' if server.absent else 'collections in it'}: {database} is {level}"
    fix = f'`PUT /_api/user{path_of(user, "database", database)}` with {{"grant": "rw"}}, as root'
    yield Finding("privileges", Severity.ERROR, options.name, what, fix)


def _clock(server: Server, options: StoreOptions) -> Iterator[Finding]:
    if server.absent:
        return
    before = time.time()
    ahead = server.now() / 1000 - (before + time.time()) / 2
    yield clock.differs(options.name, ahead)


def _graphs(server: Server, options: StoreOptions) -> Iterator[Finding]:
    """Graphs of which a collection was dropped, as servers before 3.12 let anybody do: a traversal fails on them."""
    live = Live(server)
    listed = server.ask("GET", "/_api/collection", query={"excludeSystem": "true"})["result"]
    there = {each["name"] for each in listed}
    for graph in live.graphs():
        gone = sorted(members(graph) - there)
        if gone:
            what = f"graph {graph['name']} is made of {', '.join(gone)}, which is not there"
            again = [f"`POST /_api/collection` with {json.dumps(_made(graph, each))}" for each in gone]
            fix = f"{'; '.join(again)}; or `DELETE /_api/gharial{path_of(graph['name'])}`, which keeps the collections"
            yield Finding("graphs", Severity.WARNING, options.name, what, fix)


def _made(graph: Mapping[str, Any], name: str) -> dict[str, Any]:
    """What makes a collection of a graph again: of type 3 if it holds edges, else of type 2."""
    edges = {each["collection"] for each in graph["edgeDefinitions"]}
    return {"name": name, "type": 3 if name in edges else 2}
