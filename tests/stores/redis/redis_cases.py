"""The operations under test, each as a document with what it meets on the server."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import redis

CODE = "#!lua name=lib\nredis.register_function('one', function() return 1 end)\n"


@dataclass(frozen=True)
class Case:
    """`before` makes the keys it works on, `other` makes the server different from the document."""

    body: str
    before: tuple[tuple[Any, ...], ...] = ()
    other: tuple[tuple[Any, ...], ...] = ()
    stopped: str = ""
    down: str = "auto"


FAMILY = (
    "key_family: {name: prefs, pattern: 'vfr:{tenant_id}:prefs:{user_id}', type: hash, ttl: 1h, tenant: tenant_id, "
    "owner: team, description: settings, fields: {a: first}}"
)
STREAM = "create_stream: {name: vfr:s, maxlen: 1000, group: readers, owner: team, description: events}"
LONG = tuple(("XADD", "vfr:s", f"{number}-1", "a", "b") for number in range(1, 251))
CASES = {
    "key_family": Case(
        FAMILY,
        other=(("HSET", "provision:vfr:key_families", "prefs", '{"ttl":60}'),),
        stopped='key family prefs is there with description null, the file says "settings"',
    ),
    "key_family_overlap": Case(
        FAMILY,
        other=(("HSET", "provision:vfr:key_families", "all", '{"pattern":"vfr:{a}:{b}:{c}"}'),),
        stopped="vfr:{tenant_id}:prefs:{user_id} overlaps key family all, which is vfr:{a}:{b}:{c}",
    ),
    "create_stream": Case(
        STREAM,
        other=(("SET", "vfr:s", "x"),),
        stopped="vfr:s is a string, not a stream",
    ),
    "create_stream_maxlen": Case(
        STREAM,
        other=(
            ("XGROUP", "CREATE", "vfr:s", "readers", "$", "MKSTREAM"),
            ("HSET", "provision:vfr:streams", "vfr:s", '{"maxlen":5}'),
        ),
        stopped='stream vfr:s is there with description null, the file says "events"',
    ),
    "create_stream_without_group": Case(STREAM.replace("group: readers, ", "")),
    "create_stream_of_application": Case(STREAM, before=(("XADD", "vfr:s", "1-1", "a", "b"),)),
    "create_group": Case(
        "create_group: {stream: vfr:s, name: audit, start: 0}",
        before=(("XADD", "vfr:s", "1-1", "a", "b"),),
        other=(("DEL", "vfr:s"),),
        stopped="vfr:s is not there",
    ),
    "set_config": Case("set_config: {parameter: maxmemory-samples, value: 7}"),
    "set_config_size": Case("set_config: {parameter: proto-max-bulk-len, value: 300mb}"),
    "set_config_unknown": Case(  # there is nothing that could be made
        "set_config: {parameter: no-such-thing, value: 7}",
        other=(("PING",),),
        stopped="this server has no parameter no-such-thing",
    ),
    "rename_keys": Case(
        "rename_keys: {pattern: 'old:*', to: 'new:*'}",
        before=(("MSET", "old:a", "1", "old:b", "2", "provision:vfr:old:x", "3"),),
        other=(("SET", "new:a", "9"), ("SET", "old:a", "1")),
        stopped="old:a cannot become new:a, which is there already",
        down="[{rename_keys: {pattern: 'new:*', to: 'old:*'}}]",
    ),
    "delete_keys": Case(
        "delete_keys: {pattern: '*'}",
        before=(("MSET", "old:a", "1", "old:b", "2"),),
        down="{irreversible: they are gone}",
    ),
    "set_ttl": Case(
        "set_ttl: {pattern: 'c:*', ttl: 15m}",
        before=(("MSET", "c:a", "1", "c:b", "2"), ("SET", "c:short", "1", "EX", "30")),
        down="{irreversible: they expire}",
    ),
    "set_ttl_all": Case(
        "set_ttl: {pattern: 'c:*', ttl: 900, only: all}",
        before=(("MSET", "c:a", "1", "c:b", "2"), ("SET", "c:long", "1", "EX", "9000")),
        down="{irreversible: they expire}",
    ),
    "trim_stream": Case(
        "trim_stream: {name: vfr:s, max_length: 2}",
        before=LONG,
        other=(("DEL", "vfr:s"), ("SET", "vfr:s", "x")),
        stopped="vfr:s is a string, not a stream",
        down="{irreversible: the entries are gone}",
    ),
    "trim_stream_min_id": Case(
        "trim_stream: {name: vfr:s, min_id: 3}",
        before=LONG,
        down="{irreversible: the entries are gone}",
    ),
    "trim_stream_approximate": Case(
        "trim_stream: {name: vfr:s, max_length: 120, approximate: true}",
        before=LONG,
        down="{irreversible: the entries are gone}",
    ),
    "function": Case(
        f"function: {{library: lib, code: {json.dumps(CODE)}}}",
        other=(("FUNCTION", "LOAD", CODE.replace("1", "2")),),
        stopped="library lib is there with other code",
    ),
    "redis": Case(
        "redis: {commands: ['SET vfr:a 1', [HSET, vfr:h, f, 2]], probe: {command: GET vfr:a, equals: 1}, "
        "down: [DEL vfr:a vfr:h]}",
    ),
}
MAKING = [name for name in CASES if name != "set_config_unknown"]
STOPPING = [name for name, case in CASES.items() if case.stopped]
UNDOING = [name for name in MAKING if "irreversible" not in CASES[name].down and name != "create_stream_of_application"]


def document(case: Case) -> str:
    return f"up:\n  - {case.body}\ndown: {case.down}\n"


def prepare(client: redis.Redis, commands: tuple[tuple[Any, ...], ...]) -> None:
    for command in commands:
        client.execute_command(*command)


def clean(client: redis.Redis) -> None:
    """A server as it was started."""
    client.flushall()
    client.config_set("maxmemory-samples", "5")
    client.config_set("proto-max-bulk-len", "512mb")
    if functions(client):
        client.function_flush()


def contents(client: redis.Redis) -> dict[str, object]:
    """Everything on the server but ledgers, times to live in whole minutes."""
    found: dict[str, object] = {}
    for key in sorted(client.scan_iter()):
        if ":ledger:" not in key:
            kind = client.type(key)
            value: object = {"string": client.get, "hash": client.hgetall}.get(kind, lambda _key: None)(key)
            entries = [entry for entry, _ in client.xrange(key)] if kind == "stream" else None
            groups = sorted(each["name"] for each in client.xinfo_groups(key)) if kind == "stream" else None
            found[key] = (kind, value, entries, groups, round(client.ttl(key) / 60))
    found["settings"] = client.config_get("maxmemory-samples") | client.config_get("proto-max-bulk-len")
    found["functions"] = client.function_list(withcode=True) if functions(client) else []
    return found


def functions(client: redis.Redis) -> bool:
    return int(str(client.info("server")["redis_version"]).split(".")[0]) >= 7
