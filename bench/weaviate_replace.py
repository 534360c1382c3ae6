"""`replace_collection` beside the loop that everybody writes: the official client's iterator into its batch.

`python -m bench.weaviate_replace URL GRPC [ROUNDS]` runs it alone against a server with nothing else to do. Makes and
deletes the collections Bench_v1, Bench_v2, Bench_loop and the alias Bench.
"""

from __future__ import annotations

import random
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.rounds import Pair
from provision.model import StoreOptions
from provision.stores.weaviate.copy.merge import Entry
from provision.stores.weaviate.copy.objects import Copy
from provision.stores.weaviate.copy.side import CopySide
from provision.stores.weaviate.migrate.operations import replace_copy
from provision.stores.weaviate.migrate.operations.base import Live
from provision.stores.weaviate.migrate.operations.replace_collection import PARTS
from provision.stores.weaviate.migrate.operations.replacing import UNDER_WAY_MS
from provision.stores.weaviate.names import Names
from provision.stores.weaviate.server import Server, connect

OBJECTS, DIMENSIONS, ROUNDS = 10_000, 128, 5
# As seconds ours ÷ theirs: at least as many objects a second, and 0.8 of them with everything else included.
COPY_BOUND, WHOLE_BOUND = 1.0, 1.25


def measure(url: str, grpc: str, rounds: int = ROUNDS) -> list[Pair]:
    """The copy alone, and all of it (new collection, copy, reading back, catching up, alias), each beside the loop."""
    options = StoreOptions("weaviate", "weaviate", "bench", Path.cwd(), Path.cwd(), {"grpc": grpc})
    server = connect(options, url)
    assert server.batches is not None
    assert not (why := server.batches.why_not()), why
    live = Live(server, Names("bench", "weaviate"), options)
    against = f"weaviate-client: iterator, batch.fixed_size(500, 2); {OBJECTS:,} x {DIMENSIONS}"
    copy = Pair("replace_collection, copy alone", _never, _never, against, rounds, COPY_BOUND)
    whole = Pair("replace_collection, all of it", _never, _never, against, rounds, WHOLE_BOUND)
    _wipe(server)
    try:
        _load(server)
        for number in range(rounds):
            if number % 2:
                ours = _ours(live)
                theirs = _theirs(server, url, grpc)
            else:
                theirs = _theirs(server, url, grpc)
                ours = _ours(live)
            for pair, seconds in zip((copy, whole), ours, strict=True):
                pair.seconds.append((seconds, theirs))
                rate, other = OBJECTS / seconds, OBJECTS / theirs
                print(f"round {number + 1}  {pair.name}  {rate:,.0f}/s beside {other:,.0f}/s  {rate / other:.2f} x")
    finally:
        _wipe(server)
        server.close()
    return [copy, whole]


def _never() -> float:
    raise AssertionError("both are measured in one go")


def _class(name: str, tokenization: str) -> dict[str, Any]:
    return {
        "class": name,
        "vectorizer": "none",
        "invertedIndexConfig": {"indexTimestamps": True},
        "properties": [
            {"name": "t", "dataType": ["text"], "tokenization": tokenization},
            {"name": "n", "dataType": ["int"]},
        ],
    }


def _load(server: Server) -> None:
    """Fill the old collection, and wait until its objects are as old as those of a collection in use mostly are."""
    server.send("POST", "/schema", _class("Bench_v1", "word"))
    server.send("POST", "/aliases", {"alias": "Bench", "class": "Bench_v1"})
    chance = random.Random(5)
    side = CopySide(server, "Bench_v1", None, 500)
    for start in range(0, OBJECTS, 500):
        side.put([_object(chance, number) for number in range(start, min(start + 500, OBJECTS))])
    time.sleep(UNDER_WAY_MS / 1000 + 2)


def _object(chance: random.Random, number: int) -> dict[str, Any]:
    return {
        "class": "Bench_v1",
        "id": str(uuid.UUID(int=chance.getrandbits(128), version=4)),
        "properties": {"t": f"text {number}", "n": number},
        "vector": [chance.gauss(0, 1) for _ in range(DIMENSIONS)],
    }


class _Watched(Copy):
    """Notes how long the copying proper took."""

    seconds = 0.0

    def _pour(self, source: CopySide, target: CopySide, start: str) -> Iterator[Entry]:
        began = time.monotonic()
        notes = super()._pour(source, target, start)
        _Watched.seconds = time.monotonic() - began
        return notes


def _ours(live: Live) -> tuple[float, float]:
    """Seconds of the copy alone and of the whole operation."""
    body = {"alias": "Bench", "class": _class("Bench_v2", "field")}
    plain = replace_copy.Copy
    replace_copy.Copy = _Watched  # type: ignore[misc]  # the one place that makes one
    began = time.monotonic()
    try:
        for part in PARTS:
            part.run(body, live)
    finally:
        replace_copy.Copy = plain  # type: ignore[misc]
    took = time.monotonic() - began
    assert live.server.count("Bench_v2") == OBJECTS
    live.server.send("PUT", "/aliases/Bench", {"class": "Bench_v1"})
    live.server.send("DELETE", "/schema/Bench_v2")
    return _Watched.seconds, took


def _theirs(server: Server, url: str, grpc: str) -> float:
    """Seconds of the loop alone."""
    import weaviate

    server.send("POST", "/schema", _class("Bench_loop", "field"))
    host, _, port = url.removeprefix("http://").rstrip("/").partition(":")
    client = weaviate.connect_to_local(host=host, port=int(port), grpc_port=int(grpc.rpartition(":")[2]))
    try:
        source, target = client.collections.get("Bench_v1"), client.collections.get("Bench_loop")
        began = time.monotonic()
        with target.batch.fixed_size(500, 2) as batch:
            for each in source.iterator(include_vector=True):
                batch.add_object(properties=each.properties, uuid=each.uuid, vector=each.vector["default"])
        took = time.monotonic() - began
        assert not target.batch.failed_objects
    finally:
        client.close()
    assert server.count("Bench_loop") == OBJECTS
    server.send("DELETE", "/schema/Bench_loop")
    return took


def _wipe(server: Server) -> None:
    if server.alias("Bench") is not None:
        server.send("DELETE", "/aliases/Bench")
    for name in ("Bench_v1", "Bench_v2", "Bench_loop"):
        server.send("DELETE", f"/schema/{name}")


def main() -> None:
    url, grpc, *rest = sys.argv[1:]
    for pair in measure(url, grpc, int(rest[0]) if rest else ROUNDS):
        low, high = pair.spread
        print(
            f"{pair.name}: {1 / pair.ratio:.2f} x the objects a second of {pair.against}"
            f" (rounds {1 / high:.2f} to {1 / low:.2f}, target {1 / (pair.bound or 1):.2f})"
        )


if __name__ == "__main__":
    main()
