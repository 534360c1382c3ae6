"""The ArangoDB double: login, the document's word, and the function that answers."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from tests.doubles.arango import login, routes
from tests.doubles.arango.databases import Server
from tests.doubles.arango.document import contract
from tests.doubles.arango.errors import Refused
from tests.doubles.arango.routing import ROUTES, Call
from tests.doubles.served.contract import METHODS, Place
from tests.doubles.served.messages import Answer, Request

VERSION = "3.12.10-double"
# Paths that the document writes without a database.
_BARE = ("/_open/", "/_api/token/", "/_admin/server/availability", "/_admin/database/", "/_admin/compact")
_UNREAD = ("/_api/import",)
# The errorNum of a request that the document forbids; "bad parameter" for all others.
_INVALID = {"/_api/collection": 1208, "/_api/index": 10, "/_api/gharial": 1922, "/_api/cursor": 1502}


class ArangoDouble:
    """`tests.doubles.served.server.Double`; state in memory. Without a password any login is accepted."""

    name = "ArangoDB"

    def __init__(self, password: str | None = None, version: str = VERSION) -> None:
        self.contract = contract()
        self._password, self._version = password, version
        self.reset()

    def reset(self) -> None:
        self.server = Server(self._password, self._version)

    def seen(self, request: Request) -> Request:
        path = request.path
        if path.startswith("/_db/"):
            rest = "/" + path.split("/", 3)[3] if path.count("/") > 2 else "/"
            path = rest if rest.startswith(_BARE) else path
        elif not path.startswith(_BARE):
            path = f"/_db/_system{path}"
        return dataclasses.replace(request, path=path)

    def refused(self, request: Request, place: Place | None) -> Answer | None:
        try:
            if request.path != "/_open/auth":
                login.user(self.server, request)
            if place is None:
                self._lost(request)
            if request.path.startswith("/_db/"):
                self.server.database(_database(request, place))
            if not any(each in request.path for each in _UNREAD):
                _json(request)
        except Refused as refused:
            return _answer(refused)
        return None

    def invalid(self, place: Place, problems: list[str]) -> Answer:
        path = place.template.removeprefix("/_db/{database-name}")
        return _answer(Refused(_INVALID.get(path, 10), "; ".join(problems), status=400))

    def answered(self, request: Request, place: Place) -> Answer:
        try:
            function = ROUTES.get((place.template, place.method))
            if function is None:
                raise Refused(9, f"the double does not answer {place.method.upper()} {place.template}")
            database = self.server.databases[_database(request, place)]
            body = None if any(each in request.path for each in _UNREAD) else _json(request)
            user = "" if request.path == "/_open/auth" else login.user(self.server, request)
            return function(Call(self.server, database, request, place.variables, body, user))
        except Refused as refused:
            return _answer(refused)

    def failed(self, reason: str) -> Answer:
        body = {"error": True, "code": 500, "errorNum": 4, "errorMessage": f"the double is wrong: {reason}"}
        return Answer(500, body)

    def _lost(self, request: Request) -> None:
        """Raises Refused: a method that a path has not, a path that there is not."""
        tail = request.path.split("/", 3)[-1]
        if tail.startswith("_api/database") and not request.path.startswith("/_db/_system/"):
            self.server.database(_database(request, None))
            raise Refused(1230)
        if any(self.contract.place(method, request.path) for method in METHODS):
            raise Refused(405)
        raise Refused(404, f"unknown path '/{tail}'")


def _database(request: Request, place: Place | None) -> str:
    if place is not None and "database-name" in place.variables and place.template.startswith("/_db/{"):
        return place.variables["database-name"]
    parts = request.path.split("/")
    return parts[2] if parts[1] == "_db" else "_system"


def _json(request: Request) -> Any:
    """Raises Refused (600)."""
    if not request.body.strip():
        return None
    try:
        return json.loads(request.body)
    except ValueError as error:
        raise Refused(600, f"VPackError error: {error}") from None


def _answer(refused: Refused) -> Answer:
    return Answer(refused.status, refused.body())


assert routes
