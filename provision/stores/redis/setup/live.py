"""What a Redis server holds, as documents would make it: streams, their groups, function libraries, the catalogue.

Key families cannot be read out of keys: those that an earlier catalogue holds are found, no others.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from provision.documents import Found
from provision.model import StoreOptions
from provision.net.tls import with_tls
from provision.stores.redis.migrate.operations import OPERATIONS
from provision.stores.redis.names import OWN, Keys
from provision.stores.redis.server import TLS, VERIFY, Server, connect

_Operation = tuple[str, Mapping[str, Any]]


def found(options: StoreOptions, url: str) -> Sequence[Found]:
    """One document of key families, one of streams, one of functions. Raises UnreachableError, ConfigError."""
    server = connect(with_tls(url, options, TLS, VERIFY))
    try:
        with server.reading():
            keys = Keys(options.project, options.name)
            users = _users(server)
            parts = {
                "key families": list(_families(server, keys)),
                "streams and their groups": list(_streams(server, keys)),
                "function libraries": list(_functions(server)),
            }
    finally:
        server.close()
    made = [_checked(message, operations) for message, operations in parts.items()]
    return [each for each in (*made, Found("users", (), users)) if each.operations or each.left_out]


def _checked(message: str, operations: Sequence[_Operation]) -> Found:
    """Without what the server allows and a document does not, such as a key with a space."""
    import jsonschema_rs

    good, bad = [], []
    for name, body in operations:
        if jsonschema_rs.is_valid(dict(OPERATIONS[name].schema), {**body, **({"maxlen": 1} if _open(body) else {})}):
            good.append((name, body))
        else:
            bad.append(f"{name} {json.dumps(body, ensure_ascii=False)}")
    open_ = (body for _, body in good if _open(body))
    fill = (f"maxlen of {body['name']}, as its writers pass it to XADD: Redis keeps none" for body in open_)
    return Found(message, tuple(good), tuple(bad), to_fill=tuple(fill))


def _open(body: Mapping[str, Any]) -> bool:
    """Whether the limit of a stream is for a person to say."""
    return "maxlen" in body and body["maxlen"] is None


def _users(server: Server) -> tuple[str, ...]:
    """Those beside the one that every server has; no file makes users."""
    import redis

    try:
        names = [str(name) for name in server.call("ACL", "USERS")]
    except redis.ResponseError as error:  # before Redis 6, or without the right
        return (f"users, which cannot be listed here: {error}",)
    others = sorted(name for name in names if name != "default")
    return (f"users {', '.join(others)}: `ACL LIST` shows what they may",) if others else ()


def _families(server: Server, keys: Keys) -> Iterator[_Operation]:
    for name, text in sorted(server.pairs("HGETALL", keys.families).items()):
        yield "key_family", {"name": name, **json.loads(text)}


def _streams(server: Server, keys: Keys) -> Iterator[_Operation]:
    catalogue = server.pairs("HGETALL", keys.streams)
    for name in sorted(each for page in server.pages("*", "stream") for each in page if not each.startswith(OWN)):
        known = json.loads(catalogue[name]) if name in catalogue else {}
        groups = [_named(each) for each in server.call("XINFO", "GROUPS", name)]
        if known.get("group") not in groups:
            known.pop("group", None)  # somebody took it away
        # Redis keeps no limit with a stream: only the catalogue can tell.
        yield "create_stream", {"name": name, "maxlen": None, **known}
        for each in groups:
            if each != known.get("group"):
                yield "create_group", {"stream": name, "name": each, "start": 0}


def _named(group: Any) -> str:
    about = group if isinstance(group, dict) else dict(zip(group[::2], group[1::2], strict=True))
    return str(about["name"])


def _functions(server: Server) -> Iterator[_Operation]:
    if server.version < (7,):
        return
    for each in server.call("FUNCTION", "LIST", "WITHCODE"):
        about = dict(zip(each[::2], each[1::2], strict=True))
        yield "function", {"library": about["library_name"], "code": about["library_code"]}
