"""Reads a live server and says what its databases would be made of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from provision.documents import Found
from provision.model import StoreOptions
from provision.stores.influx.connect import connect
from provision.stores.influx.migrate.model import FIRST_TIER, Rollup, Tier, default_shard, shown
from provision.stores.influx.names import OWN
from provision.stores.influx.server import Server

_Operation = tuple[str, Mapping[str, Any]]


def found(options: StoreOptions, url: str) -> Sequence[Found]:
    """A document for each database with its tiers, and one for its rollups; ledgers are left out.

    Raises UnreachableError and ConfigError as opening the store does.
    """
    server = connect(options, url)
    try:
        documents = _every(server)
        others = tuple(server.others())
        return [*documents, Found("others", (), others)] if others else documents
    finally:
        server.close()


def objects_found(options: StoreOptions, url: str) -> tuple[Sequence[Found], Mapping[str, str]]:
    """The documents, and what none makes: see `Server.strays`. Raises as `found`."""
    server = connect(options, url)
    try:
        return _every(server), server.strays()
    finally:
        server.close()


def _every(server: Server) -> list[Found]:
    names = [name for name in server.databases() if not name.startswith(OWN)]
    return [document for name in names for document in _documents(server, name)]


def _documents(server: Server, database: str) -> Iterator[Found]:
    tiers = server.tiers(database) or {}
    made, changed = _split(_tiers(database, tiers))
    yield Found(f"database {database}", (("create_database", {"name": database}), *made))
    if changed:
        # The server made it with the database, in a form that is not written down anywhere.
        yield Found(f"first tier of {database}", changed, irreversible="it was there before, made by the server")
    rollups = tuple(_rollup(database, name, each) for name, each in server.made(database).items())
    if rollups:
        yield Found(f"rollups of {database}", rollups)


def _split(operations: Iterator[_Operation]) -> tuple[tuple[_Operation, ...], tuple[_Operation, ...]]:
    listed = list(operations)
    made = tuple(each for each in listed if each[0].startswith("create_"))
    return made, tuple(each for each in listed if each not in made)


def _tiers(database: str, tiers: Mapping[str, Tier]) -> Iterator[_Operation]:
    for name, tier in tiers.items():
        place = {"database": database, "name": name}
        usual = default_shard(0 if name == FIRST_TIER else tier.duration)  # what is altered has one already
        shard = {"shard_duration": shown(tier.shard)} if tier.shard != usual else {}
        kept = {"duration": shown(tier.duration), **shard}
        if name != FIRST_TIER:
            default = {"default": True} if tier.default else {}
            yield "create_retention_policy", {**place, **kept, **default}
        elif tier.duration or shard:
            yield "alter_retention_policy", {**place, **kept}
    if FIRST_TIER not in tiers:
        yield "drop_retention_policy", {"database": database, "name": FIRST_TIER}


def _rollup(database: str, name: str, made: Rollup | str) -> _Operation:
    """A rollup, or, of another shape than those, the statement that makes it."""
    from provision.stores.influx.migrate import influxql

    if isinstance(made, Rollup):
        return "create_rollup", made.body()
    return "influxql", {
        "statement": made,
        "probe": {"query": "SHOW CONTINUOUS QUERIES", "contains": [name, made]},
        "down": influxql.drop_rollup(database, name),
    }
