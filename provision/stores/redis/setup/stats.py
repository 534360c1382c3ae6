"""How much a Redis server holds: its streams by name, and all keys together."""

from __future__ import annotations

from provision.model import StoreOptions
from provision.model.stats import StoreStats, TableStats
from provision.net.tls import with_tls
from provision.stores.redis.names import OWN
from provision.stores.redis.server import TLS, VERIFY, Server, connect


def measured(options: StoreOptions, url: str) -> StoreStats:
    """Entries, memory and writes of each stream, and `all keys`. Raises UnreachableError, ConfigError."""
    server = connect(with_tls(url, options, TLS, VERIFY))
    try:
        with server.reading():
            names = sorted(each for page in server.pages("*", "stream") for each in page if not each.startswith(OWN))
            used = int(server.about("memory")["used_memory"])
            tables = {"all keys": TableStats(int(server.call("DBSIZE")), used)}
            return StoreStats(tables | {name: _stream(server, name) for name in names})
    finally:
        server.close()


def _stream(server: Server, name: str) -> TableStats:
    """Ids are moments in milliseconds, so that the entries themselves tell how fast they come."""
    count, size = int(server.call("XLEN", name)), server.call("MEMORY", "USAGE", name)
    first, last = (server.call(word, name, *span, "COUNT", 1) for word, span in _ENDS)
    rate = None
    if first and last:
        span = (_moment(last) - _moment(first)) / 1000
        rate = round((count - 1) / span, 3) if span > 0 else None
    return TableStats(count, int(size or 0), None, rate)


_ENDS = (("XRANGE", ("-", "+")), ("XREVRANGE", ("+", "-")))


def _moment(entries: list[list[str]]) -> int:
    return int(str(entries[0][0]).partition("-")[0])
