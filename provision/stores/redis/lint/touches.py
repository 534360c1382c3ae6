"""What Redis documents touch: key families, keys, streams and their groups, settings, function libraries."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from provision.documents import touches
from provision.model import Revision, StoreOptions
from provision.model.touches import FAMILY, KEY, Touch, Touched, reads, writes
from provision.stores.redis.lint.reader import RedisReader

NEEDS: Sequence[str] = ()
_GLOB = "*?[{"
# Commands whose first argument is the one key that they write.
_ONE_KEY = frozenset(
    "SET SETNX SETEX PSETEX APPEND INCR INCRBY DECR DECRBY HSET HDEL HINCRBY SADD SREM ZADD ZREM ZINCRBY LPUSH RPUSH "  # noqa: SIM905 (a list of words)
    "LSET LTRIM XADD XTRIM XDEL EXPIRE PEXPIRE PERSIST PFADD SETBIT GEOADD".split()
)
_MANY_KEYS = frozenset(("DEL", "UNLINK"))


def touched(options: StoreOptions, revisions: Sequence[Revision], wanted: Collection[str]) -> Mapping[str, Touched]:
    return touches.touched(RedisReader(), {**_RULES, "command": _command}, options, revisions, wanted)


def key(pattern: str) -> tuple[str, ...]:
    """The way to the keys of a pattern: by letters up to its first wildcard, so that a prefix holds what it begins."""
    ends = [pattern.find(letter) for letter in _GLOB if letter in pattern]
    if not ends:
        return (KEY, *pattern, "")
    return (KEY, *pattern[: min(ends)])


def _keys(body: Mapping[str, Any]) -> Iterator[Touch]:
    yield writes(*key(body["pattern"]))
    if "to" in body:
        yield writes(*key(body["to"]))


def _family(body: Mapping[str, Any]) -> Iterator[Touch]:
    yield writes("key family", body["name"])
    if "pattern" in body:
        yield writes(FAMILY, *key(body["pattern"])[1:])  # no two may hold one key


def _stream(body: Mapping[str, Any]) -> Iterator[Touch]:
    yield writes("stream", body["name"])
    yield writes(*key(body["name"]))


def _group(body: Mapping[str, Any]) -> Iterator[Touch]:
    yield reads("stream", body["stream"], "name")
    yield writes("stream", body["stream"], "group", body["name"])


def _command(words: Sequence[str]) -> Iterator[Touch]:
    name = words[0].upper() if words else ""
    if name in _ONE_KEY and len(words) > 1:
        yield writes(*key(words[1]))
    elif name in _MANY_KEYS:
        yield from (writes(*key(each)) for each in words[1:])
    else:
        raise touches.Unread(f"which keys {name} touches cannot be read from it")


_RULES: touches.Rules = {
    "key_family": _family,
    "drop_key_family": _family,
    "create_stream": _stream,
    "drop_stream": _stream,
    "trim_stream": _stream,
    "create_group": _group,
    "drop_group": _group,
    "set_config": lambda body: (writes("setting", body["parameter"]),),
    "restore_config": lambda body: (writes("setting", body["parameter"]),),
    "rename_keys": _keys,
    "delete_keys": _keys,
    "set_ttl": _keys,
    "function": lambda body: (writes("library", body["library"]),),
    "delete_function": lambda body: (writes("library", body["library"]),),
}
