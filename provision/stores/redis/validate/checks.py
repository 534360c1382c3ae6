"""Data checks in Redis: one SCAN over the keys of a pattern, page by page, held against the catalogue of families."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from provision.errors import ConfigError, ProvisionError
from provision.model.checks import Check, Row, Scope, Table, Tally
from provision.stores.redis.names import OWN, Keys
from provision.stores.redis.server import Server
from provision.stores.redis.validate.keys import ExpectedKey, KeyCatalogue, catalogue
from provision.stores.redis.validate.timed import RedisTimed
from provision.text.durations import DURATION, seconds
from provision.text.nearest import near
from provision.validate.columns import body
from provision.validate.scan import Bad, Deadline, Samples, Watch, since, unknown_columns

COLUMNS = ("key", "family", "type", "ttl", "wanted_type", "wanted_ttl", "tenant", "length", "groups", "maxlen")
_KEY = ("key", "family", "type", "ttl", "wanted_type", "wanted_ttl")
_STREAM = ("key", "type", "length", "maxlen", "groups")
_SHARE = {"type": "number", "minimum": 0, "description": "a share: 0.1 allows a tenth more than `maxlen`"}
_GLOBS = {"type": "array", "items": {"type": "string", "minLength": 1}, "description": "a list of patterns with *"}
_SLACK = {"type": "string", "pattern": DURATION, "description": "a duration such as 30s that is no matter"}
KINDS: dict[str, Mapping[str, Any]] = {
    "unknown_family": body((), {"ignore": _GLOBS}, "`{}`, or `{ignore: [cache:*]}`"),
    "wrong_type": body((), {}, "`{}`"),
    "missing_ttl": body((), {}, "`{}`"),
    "wrong_ttl": body((), {"slack": _SLACK}, "`{}`, or `{slack: 30s}`"),
    "stream_without_group": body((), {}, "`{}`"),
    "stream_too_long": body((), {"slack": _SHARE}, "`{}`, or `{slack: 0.1}`"),
}
TABLE: dict[str, dict[str, object]] = {}
# Type and time to live of every key of a page: as commands of their own they take three times as long.
_ABOUT = """
local found = {}
for _, key in ipairs(KEYS) do
  found[#found + 1] = redis.call('TYPE', key).ok
  found[#found + 1] = redis.call('PTTL', key)
end
return found
"""


class RedisChecks:
    """`provision.ports.validate.Checks`; the table is a pattern such as `vfr:*`, a row is a key."""

    keyed = None
    queries = None

    def __init__(self, keys: Keys, server: Callable[[], Server]) -> None:
        self._keys, self._server = keys, server
        self._samples = Samples()
        self.timed = RedisTimed(server)

    def refused(self, table: Table) -> Sequence[ProvisionError]:
        with self._server().reading():
            known = catalogue(self._server(), self._keys)
        if known.empty:
            what = f"{table.store} has no catalogue of key families or streams"
            fix = "run `provision up` first: files with `key_family` and `create_stream` make it"
            return [ConfigError("no-catalogue", what, where=table.place, fix=fix)]
        found: list[ProvisionError] = [*unknown_columns(table, COLUMNS, lambda _: ())]
        if table.time is not None:
            what = f"a key of {table.store} has no time to narrow by"
            found.append(ConfigError("unknown-column", what, where=table.place, fix="remove `time:`"))
        if table.tenant is not None and table.tenant not in known.tenants:
            what = f"no key family says that its tenant is {{{table.tenant}}}"
            fix = near(table.tenant, sorted(known.tenants), "known")
            found.append(ConfigError("unknown-column", what, where=table.place, fix=fix))
        return found

    def tally(self, table: Table, scope: Scope) -> Sequence[Tally]:
        """As the protocol says. A key that the server tells twice, while its tables grow, counts twice."""
        begun, deadline, server = time.monotonic(), Deadline(scope), self._server()
        watches = [_watch(each) for each in table.checks]
        with server.reading():
            known = catalogue(server, self._keys)
            total = 0
            for row in _rows(server, table.name, known, deadline, streams=any(each.streams for each in watches)):
                if scope.tenant is None or row["tenant"] == scope.tenant:
                    total += not row["absent"]
                    for each in watches:
                        each.see(row)
        for each in watches:
            self._samples.keep(table, each.check, scope, each.rows)
        return [Tally(0, total, duration_ms=since(begun)), *(each.tally("", begun) for each in watches)]

    def samples(self, table: Table, check: Check, scope: Scope, limit: int) -> Sequence[Row]:
        return self._samples.of(table, check, scope, limit)


class _Watch(Watch):
    """`streams`: it counts streams alone, those of the catalogue that are not there among them."""

    def __init__(self, check: Check, bad: Bad, *, streams: bool) -> None:
        super().__init__(check, bad, _STREAM if streams else _KEY)
        self.streams = streams

    def see(self, row: Mapping[str, Any]) -> None:
        if "length" in row if self.streams else not row["absent"]:
            super().see(row)


def _watch(check: Check) -> _Watch:
    kinds = _STREAMS if check.kind in _STREAMS else _KEYS
    return _Watch(check, kinds[check.kind](check.body), streams=kinds is _STREAMS)


def _rows(
    server: Server, pattern: str, known: KeyCatalogue, deadline: Deadline, *, streams: bool
) -> Iterator[dict[str, Any]]:
    """Every key of the pattern, then every stream of the catalogue that is not there."""
    seen: set[str] = set()
    for page in server.pages(pattern):
        deadline.check()
        mine = [key for key in page if not key.startswith(OWN)]
        answers = server.script(_ABOUT, mine) if mine else []
        there = [
            (key, answers[2 * place], answers[2 * place + 1])
            for place, key in enumerate(mine)
            if answers[2 * place] != "none"  # gone since the page was read
        ]
        about = _streams(server, [key for key, kind, _ in there if kind == "stream"]) if streams else {}
        seen |= about.keys() & known.streams.keys()
        for key, kind, left in there:
            yield {**_row(key, known.of(key), kind, left), **about.get(key, {})}
    for key, wanted in known.streams.items() if streams else ():
        if key not in seen and fnmatchcase(key, pattern) and not server.call("EXISTS", key):
            yield {**_row(key, wanted, "none", -1), "length": 0, "groups": [], "absent": True}


def _row(key: str, wanted: ExpectedKey | None, kind: str, left: int) -> dict[str, Any]:
    row: dict[str, Any] = {"key": key, "family": None, "type": kind, "ttl": left / 1000 if left >= 0 else None}
    row |= {"wanted": wanted, "tenant": None, "absent": False}
    if wanted is not None:
        tenant = key.split(":")[wanted.tenant] if wanted.tenant is not None else None
        row |= {"family": wanted.name, "wanted_type": wanted.types[0], "wanted_ttl": wanted.ttl}
        row |= {"tenant": tenant, "maxlen": wanted.maxlen}
    return row


def _streams(server: Server, keys: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Length and groups of each stream."""
    if not keys:
        return {}
    asked = [words for key in keys for words in (("XLEN", key), ("XINFO", "GROUPS", key))]
    answers = server.together(*asked)
    return {
        key: {"length": int(answers[2 * place]), "groups": [_name(each) for each in answers[2 * place + 1]]}
        for place, key in enumerate(keys)
    }


def _name(group: Any) -> str:
    about = group if isinstance(group, dict) else dict(zip(group[::2], group[1::2], strict=True))
    return str(about["name"])


def _unknown(body: Any) -> Bad:
    ignored = body.get("ignore", ())
    return lambda row: row["wanted"] is None and not any(fnmatchcase(row["key"], each) for each in ignored)


def _wrong_type(_body: Any) -> Bad:
    return lambda row: row["wanted"] is not None and row["type"] not in row["wanted"].types


def _missing_ttl(_body: Any) -> Bad:
    return lambda row: row["wanted"] is not None and row["wanted"].ttl is not None and row["ttl"] is None


def _wrong_ttl(body: Any) -> Bad:
    """One that is longer than the family's, or there at all where the family has none."""
    slack = seconds(body["slack"]) if "slack" in body else 0

    def bad(row: Mapping[str, Any]) -> bool:
        if row["wanted"] is None or row["ttl"] is None:
            return False
        return row["wanted"].ttl is None or bool(row["ttl"] > row["wanted"].ttl + slack)

    return bad


def _without_group(_body: Any) -> Bad:
    """None at all, or not the one of the catalogue."""
    return lambda row: not row["groups"] or _group(row) not in (None, *row["groups"])


def _group(row: Mapping[str, Any]) -> str | None:
    wanted: ExpectedKey | None = row["wanted"]
    return wanted.group if wanted is not None else None


def _too_long(body: Any) -> Bad:
    """Redis trims whole nodes (XADD … MAXLEN ~): a hundred entries more are no matter."""
    share = 1 + body.get("slack", 0)
    return lambda row: row.get("maxlen") is not None and row["length"] > row["maxlen"] * share + 100


_KEYS: Mapping[str, Callable[[Any], Bad]] = {
    "unknown_family": _unknown,
    "wrong_type": _wrong_type,
    "missing_ttl": _missing_ttl,
    "wrong_ttl": _wrong_ttl,
}
_STREAMS: Mapping[str, Callable[[Any], Bad]] = {
    "stream_without_group": _without_group,
    "stream_too_long": _too_long,
}
