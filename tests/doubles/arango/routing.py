"""Which function answers which operation of the document."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.doubles.arango.databases import Database, Server
from tests.doubles.arango.documents import How
from tests.doubles.arango.errors import Refused
from tests.doubles.served.messages import Answer, Request

PREFIX = "/_db/{database-name}"


@dataclass(frozen=True, slots=True)
class Call:
    """A request on its way: what it is about, and who asks."""

    server: Server
    database: Database
    request: Request
    variables: Mapping[str, str]
    body: Any
    user: str

    def __getitem__(self, name: str) -> str:
        return self.variables[name]

    def flag(self, name: str, default: bool = False) -> bool:
        return self.request.flag(name, default)

    @property
    def fields(self) -> Mapping[str, Any]:
        """The body. Raises Refused (400) where it is no object."""
        if self.body is None:
            return {}
        if not isinstance(self.body, dict):
            raise Refused(400, "expecting a JSON object in the request")
        return self.body

    @property
    def revision(self) -> str:
        """The revision of If-Match, quoted or not."""
        return str(self.request.headers.get("if-match", "")).strip('"')

    def how(self, mode: str = "conflict") -> How:
        version = self.request.query.get("versionAttribute", "")
        return How(mode, self.flag("keepNull", True), self.flag("mergeObjects", True), self.revision, version)

    def may(self, level: str, collection: str = "") -> None:
        """Raises Refused (11, 1004) where the user, or the server's mode, does not allow it."""
        if level == "rw" and self.server.read_only:
            raise Refused(1004)
        held = self.server.users.level(self.user, self.database.name, collection)
        if held == "none" or (level == "rw" and held != "rw"):
            what = f"collection '{collection}'" if collection else f"database '{self.database.name}'"
            raise Refused(11, f"insufficient rights on {what}: '{level}' is needed")


Route = Callable[[Call], Answer]
ROUTES: dict[tuple[str, str], Route] = {}


def route(*operations: str, prefix: str = PREFIX) -> Callable[[Route], Route]:
    """Each operation is a method and a path as the document writes it, without the database."""

    def named(function: Route) -> Route:
        for each in operations:
            method, path = each.split()
            ROUTES[f"{prefix}{path}", method.lower()] = function
        return function

    return named


def said(status: int, /, **more: Any) -> Answer:
    """An answer that begins with error and code, as most do."""
    return Answer(status, {"error": False, "code": status, **more})
