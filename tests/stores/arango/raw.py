"""Requests to an ArangoDB without any code of ours."""

from __future__ import annotations

import json
from typing import Any

import urllib3


class Raw:
    """One database. `ask` asserts that the answer is good."""

    def __init__(self, server: str, database: str, password: str) -> None:
        self.server, self.database = server, database
        host = server.removeprefix("http://")
        self.url = f"http://root:{password}@{host}/{database}"
        self._headers = {**urllib3.make_headers(basic_auth=f"root:{password}"), "content-type": "application/json"}
        self._pool = urllib3.PoolManager()

    def answer(self, method: str, path: str, body: object = None, database: str | None = None) -> tuple[int, Any]:
        sent = None if body is None else json.dumps(body).encode()
        place = f"{self.server}/_db/{database or self.database}{path}"
        got = self._pool.request(method, place, body=sent, headers=self._headers, retries=False)
        return got.status, json.loads(got.data) if got.data else None

    def ask(self, method: str, path: str, body: object = None, database: str | None = None) -> Any:
        status, found = self.answer(method, path, body, database)
        assert status < 300, (method, path, status, found)
        return found

    def make(self) -> None:
        self.ask("POST", "/_api/database", {"name": self.database}, "_system")

    def drop(self) -> None:
        self.answer("DELETE", f"/_api/database/{self.database}", database="_system")

    def databases(self) -> list[str]:
        return sorted(self.ask("GET", "/_api/database", database="_system")["result"])

    def collections(self) -> dict[str, int]:
        """Name → type of each that is not the server's nor ours."""
        listed = self.ask("GET", "/_api/collection?excludeSystem=true")["result"]
        return {each["name"]: each["type"] for each in listed if not each["name"].startswith("provision_")}

    def properties(self, collection: str) -> Any:
        return self.ask("GET", f"/_api/collection/{collection}/properties")

    def indexes(self, collection: str) -> dict[str, Any]:
        listed = self.ask("GET", f"/_api/index?collection={collection}")["indexes"]
        return {each["name"]: each for each in listed if each["type"] not in ("primary", "edge")}

    def rows(self, query: str, **bind: object) -> list[Any]:
        found: list[Any] = self.ask("POST", "/_api/cursor", {"query": query, "bindVars": bind})["result"]
        return found

    def close(self) -> None:
        self._pool.clear()
