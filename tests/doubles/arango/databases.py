"""What the server keeps: databases with their collections, views, analyzers and cursors; users; the mode."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

from tests.doubles.arango.collections import EDGE, Collection
from tests.doubles.arango.errors import Refused
from tests.doubles.arango.names import Ticks, check_collection

_SYSTEM = ("_graphs", "_analyzers", "_aqlfunctions", "_queues", "_jobs", "_apps", "_appbundles", "_frontend")
_SYSTEM_ONLY = ("_users", "_statistics", "_statistics15", "_statisticsRaw")


class Database:
    """Collections and views share their names; graphs are the documents of `_graphs`, as they are on a server."""

    def __init__(self, name: str, ticks: Ticks, id: str = "") -> None:
        self.name, self.ticks, self.id = name, ticks, id or ticks.id()
        self.collections: dict[str, Collection] = {}
        self.views: dict[str, dict[str, Any]] = {}
        self.analyzers: dict[str, dict[str, Any]] = {}
        self.cursors: dict[str, Any] = {}
        numbers = itertools.count(5)
        for each in _SYSTEM + (_SYSTEM_ONLY if name == "_system" else ()):
            self.collections[each] = Collection(each, {"isSystem": True}, ticks, str(next(numbers)))

    def collection(self, named: str) -> Collection:
        """By name or id. Raises Refused (1203)."""
        if named in self.collections:
            return self.collections[named]
        for each in self.collections.values():
            if each.id == named:
                return each
        raise Refused(1203)

    def create_collection(self, body: Mapping[str, Any]) -> Collection:
        """Raises Refused (1208, 1207, or what is wrong with the properties)."""
        name = check_collection(body.get("name"), system=bool(body.get("isSystem")))
        if name in self.collections or name in self.views:
            raise Refused(1207)
        made = Collection(name, body, self.ticks)
        self.collections[name] = made
        return made

    def edge_collection(self, named: str) -> Collection:
        """Raises Refused (1203, 1218)."""
        found = self.collection(named)
        if found.kind != EDGE:
            raise Refused(1218)
        return found

    def view(self, named: str) -> dict[str, Any]:
        """By name or id. Raises Refused (1203)."""
        for each in self.views.values():
            if named in (each["name"], each["id"]):
                return each
        raise Refused(1203)

    @property
    def graphs(self) -> dict[str, dict[str, Any]]:
        return self.collections["_graphs"].documents


class Users:
    """Who there is, and what each may do: database → collection → level.

    For a collection stands "*" for all of them and "" for the database itself.
    """

    def __init__(self, password: str | None) -> None:
        self.known: dict[str, dict[str, Any]] = {}
        self.grants: dict[str, dict[str, dict[str, str]]] = {}
        self.add("root", password or "")
        self.grants["root"]["*"] = {"": "rw", "*": "rw"}

    def add(self, name: str, password: str, active: bool = True, extra: Any = None) -> None:
        """Raises Refused (1702, 1700)."""
        if not name:
            raise Refused(1700)
        if name in self.known:
            raise Refused(1702)
        self.known[name] = {"passwd": password, "active": active, "extra": extra or {}}
        self.grants[name] = {}

    def user(self, name: str) -> dict[str, Any]:
        """Raises Refused (1703)."""
        if name not in self.known:
            raise Refused(1703)
        return self.known[name]

    def level(self, name: str, database: str, collection: str = "") -> str:
        """rw, ro or none. For a collection what is said of it, else of all of its database, else of the database."""
        held = self.grants.get(name, {})
        own, all_ = held.get(database, {}), held.get("*", {})
        if collection and (found := own.get(collection) or own.get("*") or all_.get("*")):
            return found
        return own.get("") or all_.get("") or "none"


class Server:
    """The whole of it."""

    def __init__(self, password: str | None = None, version: str = "") -> None:
        self.password, self.version = password, version
        self.ticks = Ticks()
        self.users = Users(password)
        self.read_only = False
        self.databases = {"_system": Database("_system", self.ticks, "1")}

    def database(self, name: str) -> Database:
        """Raises Refused (1228)."""
        if name not in self.databases:
            raise Refused(1228)
        return self.databases[name]
