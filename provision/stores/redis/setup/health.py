"""What `doctor` looks at in a Redis server; reads only, on a connection of its own."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from provision.model import Finding, Severity, StoreOptions
from provision.stores.redis.server import Server, connect
from provision.text import clock

KEEP = "`CONFIG SET appendonly yes`, and the same in redis.conf"
FULL = 0.9  # of the memory that the server may use
# What the ledger and the leases are written and read with.
NEEDED = (
    ("eval", "return 1", "1", "provision:doctor"),
    ("xadd", "provision:doctor", "*", "field", "value"),
    ("xrange", "provision:doctor", "-", "+"),
    ("hset", "provision:doctor", "field", "value"),
    ("hgetall", "provision:doctor"),
    ("scan", "0"),
    ("time",),
)


def look(options: StoreOptions, url: str, *, home: bool) -> Sequence[Finding]:
    """What was found. Raises UnreachableError and ConfigError as opening the store does."""
    server = connect(url)
    try:
        with server.reading():
            about = {**server.call("INFO", "memory"), **server.call("INFO", "persistence")}
            found = [*_rights(server, options), *_clock(server, options)]
            found += [*_eviction(about, options, home=home), *_memory(about, options)]
            return [*found, *_kept(server, about, options), *_saved(about, options)]
    finally:
        server.close()


def _rights(server: Server, options: StoreOptions) -> Iterator[Finding]:
    import redis

    try:
        user = server.call("ACL", "WHOAMI")
        answers = [(words[0], server.call("ACL", "DRYRUN", user, *words)) for words in NEEDED]
    except redis.ResponseError:
        return  # before 7.0 nobody can ask, later only who may: what is missing shows when it is needed
    missing = [name for name, answer in answers if answer != "OK"]
    if missing:
        fix = f"`ACL SETUSER {user} ~* {' '.join(f'+{each}' for each in missing)}`"
        yield Finding("privileges", Severity.ERROR, options.name, f"{user} may not run {', '.join(missing)}", fix)
    else:
        yield Finding("privileges", Severity.FINE, options.name, f"{user} may run what the ledger needs")


def _clock(server: Server, options: StoreOptions) -> Iterator[Finding]:
    before = time.time()
    whole, micros = server.call("TIME")
    ahead = int(whole) + int(micros) / 1e6 - (before + time.time()) / 2
    yield clock.differs(options.name, ahead)


def _eviction(about: Mapping[str, Any], options: StoreOptions, *, home: bool) -> Iterator[Finding]:
    policy, limit = about.get("maxmemory_policy", "noeviction"), int(about.get("maxmemory", 0))
    if policy == "noeviction" or not limit:
        yield Finding("eviction", Severity.FINE, options.name, "the server evicts no key")
        return
    lost = "ledger and run lock" if home else "the ledger"
    what = f"the server may throw keys away (maxmemory-policy {policy}), {lost} too"
    fix = "`CONFIG SET maxmemory-policy noeviction`, and the same in redis.conf"
    fix += "; or another home in provision.toml" if home else ""
    yield Finding("eviction", Severity.ERROR if home else Severity.WARNING, options.name, what, fix)


def _memory(about: Mapping[str, Any], options: StoreOptions) -> Iterator[Finding]:
    """A server that evicts nothing refuses writes once its memory is full."""
    used, limit = int(about.get("used_memory", 0)), int(about.get("maxmemory", 0))
    if limit and used > FULL * limit and about.get("maxmemory_policy") == "noeviction":
        what = f"{used / limit:.0%} of maxmemory is used: writes are refused when it is full"
        fix = f"`CONFIG SET maxmemory {2 * used}`, or delete what is not needed"
        yield Finding("memory", Severity.WARNING, options.name, what, fix)


def _saved(about: Mapping[str, Any], options: StoreOptions) -> Iterator[Finding]:
    """A server that cannot write its files may refuse every write."""
    for key, name, again in (
        ("rdb_last_bgsave_status", "snapshot", "BGSAVE"),
        ("aof_last_bgrewrite_status", "rewrite of the append-only file", "BGREWRITEAOF"),
    ):
        if about.get(key) == "err":
            what = f"the last {name} failed: the server may refuse writes (MISCONF)"
            fix = f"`CONFIG GET dir` names its folder: make room there, which its user may write; then `{again}`"
            yield Finding("disk", Severity.ERROR, options.name, what, fix)


def _kept(server: Server, about: Mapping[str, Any], options: StoreOptions) -> Iterator[Finding]:
    """Whether a restart keeps the ledger; a server that forbids CONFIG tells only of its append-only file."""
    import redis

    if int(about.get("aof_enabled", 0)):
        yield Finding("persistence", Severity.FINE, options.name, "the append-only file is on")
        return
    try:
        saves = server.call("CONFIG", "GET", "save")
    except redis.ResponseError:
        return
    saves = saves.get("save", "") if isinstance(saves, dict) else saves[-1]
    what = "only snapshots are kept: a crash loses the newest ledger entries" if saves else "nothing is kept on disk"
    yield Finding("persistence", Severity.WARNING, options.name, what, KEEP)
