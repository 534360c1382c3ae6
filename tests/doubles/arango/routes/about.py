"""The server itself: version, engine, mode, status, login."""

from __future__ import annotations

import time

from tests.doubles.arango import login
from tests.doubles.arango.errors import Refused
from tests.doubles.arango.routing import Call, route, said
from tests.doubles.served.messages import Answer

_INDEXES = ["primary", "edge", "hash", "skiplist", "ttl", "persistent", "geo", "fulltext", "mdi", "mdi-prefixed"]
_ALIASES = {"hash": "persistent", "skiplist": "persistent", "zkd": "mdi"}
_MODES = {"default": False, "readonly": True}


@route("GET /_api/version")
def version(call: Call) -> Answer:
    return Answer(
        200,
        {
            "server": "arango",
            "license": "enterprise",
            "version": call.server.version,
            "apiVersions": ["v0"],
            "deprecatedApiVersions": [],
            "requestedApiVersion": "v0",
        },
    )


@route("GET /_api/engine")
def engine(call: Call) -> Answer:
    del call
    supports = {"indexes": [*_INDEXES, "inverted"], "aliases": {"indexes": _ALIASES}}
    return Answer(200, {"name": "rocksdb", "supports": supports, "endianness": "big"})


@route("GET /_admin/server/mode")
def mode(call: Call) -> Answer:
    return said(200, mode="readonly" if call.server.read_only else "default")


@route("PUT /_admin/server/mode")
def set_mode(call: Call) -> Answer:
    if call.server.users.level(call.user, "_system") != "rw":
        raise Refused(11)
    if call.fields.get("mode") not in _MODES:
        raise Refused(400, "mode invalid")
    call.server.read_only = _MODES[call.fields["mode"]]
    return mode(call)


@route("GET /_admin/time")
def clock(call: Call) -> Answer:
    del call
    return said(200, time=time.time())


@route("GET /_admin/status")
def status(call: Call) -> Answer:
    return Answer(
        200,
        {
            "server": "arango",
            "version": call.server.version,
            "license": "enterprise",
            "mode": "server",
            "operationMode": "server",
            "foxxApi": True,
            "host": "double",
            "pid": 1,
            "serverInfo": {
                "progress": {"phase": "in wait", "feature": "", "recoveryTick": 0},
                "role": "SINGLE",
                "writeOpsEnabled": not call.server.read_only,
                "readOnly": call.server.read_only,
                "maintenance": False,
                "serverId": "double",
            },
        },
    )


@route("GET /_admin/server/availability", prefix="")
def availability(call: Call) -> Answer:
    return said(200, mode="readonly" if call.server.read_only else "default")


@route("POST /_open/auth", prefix="")
def open_session(call: Call) -> Answer:
    name = call.fields.get("username") or "root"
    password = call.fields.get("password", "")
    if call.server.password is None and name not in call.server.users.known:
        return Answer(200, {"jwt": login.token("root")})
    try:
        return Answer(200, {"jwt": login.token(login.checked(call.server, name, password))})
    except Refused:
        raise Refused(401, "Wrong credentials") from None
