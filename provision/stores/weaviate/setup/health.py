"""What `doctor` looks at in a Weaviate server; reads only, on a connection of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from provision.model import Finding, Severity, StoreOptions
from provision.net.http import path_of
from provision.stores.weaviate.server import Server, connect

# Aliases came with it; before, an application cannot be moved to another collection without changing it.
NODES = "/v1/nodes"
WITH_ALIASES = (1, 32, 0)


def look(options: StoreOptions, url: str, *, home: bool) -> Sequence[Finding]:
    """What was found. Raises UnreachableError and ConfigError as opening the store does."""
    del home  # it keeps no leases, so it is never one
    server = connect(options, url)
    try:
        with server.reading():
            found = [*_nodes(server, options), *_remains(server, options), *_shards(server, options)]
            found += _aliases(server, options)
            return [*found, *_grpc(server, options)]
    finally:
        server.close()


def _nodes(server: Server, options: StoreOptions) -> Iterator[Finding]:
    answer = server.ask("GET", "/nodes")
    nodes = (answer.body or {}).get("nodes") or () if answer else ()
    ill = [each for each in nodes if each.get("status") != "HEALTHY"]
    for each in ill:
        what = f"node {each.get('name')} is {each.get('status')}"
        yield Finding("nodes", Severity.WARNING, options.name, what, f"restart it, until `GET {NODES}` says HEALTHY")
    held = [each for each in nodes if each.get("operationalMode") not in (None, "ReadWrite")]
    for each in held:
        what = f"node {each.get('name')} is in mode {each['operationalMode']}"
        yield Finding(
            "nodes", Severity.ERROR, options.name, what, "OPERATIONAL_MODE=ReadWrite in its environment, and restart it"
        )
    if nodes and not ill and not held:
        count = f"{len(nodes)} nodes are" if len(nodes) > 1 else "the node is"
        yield Finding("nodes", Severity.FINE, options.name, f"{count} healthy")


def _remains(server: Server, options: StoreOptions) -> Iterator[Finding]:
    """Collections that a refused creation left in the schema: they take no object, and their name is taken."""
    listed = list(server.collections())
    remains = [name for name in listed if not server.indexed(name)]
    for name in remains:
        what = f"the collection {name} has no index: a refused creation left it"
        yield Finding(
            "collections", Severity.ERROR, options.name, what, f"`DELETE /v1/schema/{name}`; it holds nothing"
        )
    if not remains:
        yield Finding("collections", Severity.FINE, options.name, f"each of {len(listed)} collections has its index")


def _shards(server: Server, options: StoreOptions) -> Iterator[Finding]:
    """Shards that a server closed to writes when its disk was full: it does not open them by itself."""
    for name in server.collections():
        answer = server.ask("GET", path_of("schema", name, "shards"))
        for each in (answer.body or ()) if answer else ():
            if each.get("status") == "READONLY":
                what = f"shard {each['name']} of {name} takes no writes: its disk was full, or somebody closed it"
                place = "/v1" + path_of("schema", name, "shards", each["name"])
                fix = f'room on the disk of its PERSISTENCE_DATA_PATH, then `PUT {place}` with {{"status": "READY"}}'
                yield Finding("shards", Severity.ERROR, options.name, what, fix)


def _aliases(server: Server, options: StoreOptions) -> Iterator[Finding]:
    if server.numbers < WITH_ALIASES:
        what = f"Weaviate {server.version} has no aliases, so no collection can be replaced behind one"
        yield Finding("aliases", Severity.WARNING, options.name, what, "an image of Weaviate 1.32 or later")
        return
    there = server.collections()
    dangling = {alias: target for alias, target in server.aliases().items() if target not in there}
    for alias, target in dangling.items():
        what = f"the alias {alias} stands for {target}, which is gone: with auto-schema a write would make it again"
        fix = f'`DELETE /v1/aliases/{alias}`, or `PUT /v1/aliases/{alias}` with {{"class": a collection that is there}}'
        yield Finding("aliases", Severity.WARNING, options.name, what, fix)
    if not dangling:
        yield Finding("aliases", Severity.FINE, options.name, "every alias stands for a collection that is there")


def _grpc(server: Server, options: StoreOptions) -> Iterator[Finding]:
    """Only where it is configured: nobody else expects it."""
    place = options.extra.get("grpc")
    if not place or server.batches is None:
        return
    if why := server.batches.why_not():
        what = f"objects are copied over REST: {why}"
        fix = f'grpc = "HOST:PORT" of its gRPC in [stores.{options.name}], where 50051 is usual; or leave it out'
        yield Finding("grpc", Severity.WARNING, options.name, what, fix)
    else:
        yield Finding("grpc", Severity.FINE, options.name, f"objects are copied over gRPC of {place}")
