"""ArangoDB documents; the server is a contract double, or what the url names."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import urllib3

from provision import kinds
from provision.model import StoreOptions
from provision.ports import Store
from provision.stores.arango.server import Server
from provision.testing.contract.case import Case

_COLLECTION = "  - create_collection: {{name: {0}, type: {1}}}\n"
_INDEX = "  - create_index: {{collection: {0}, name: {1}, type: persistent, fields: [{2}]}}\n"
_ROW = "  - insert_documents: {collection: b, documents: [{_key: one, size: 1}]}\n"
_FILES = {
    "001_first": [_COLLECTION.format("a", 2)],
    "002_second": [_COLLECTION.format("b", 2), _INDEX.format("b", "by_size", "size"), _ROW],
    "003_third": [_INDEX.format("a", "by_name", "name")],
}
_SPOILT = [_FILES["002_second"][0], _INDEX.format("nowhere", "by_size", "size"), _FILES["002_second"][2]]
_DATABASE = "contract"


class ArangoCase(Case):
    name = kind = server = "arango"
    crash_stride = 17
    crash_points = ((Server, "ask"),)

    def __init__(self, server_url: str) -> None:
        super().__init__(server_url)
        parts = urlsplit(server_url)
        self.url = f"{parts.scheme}://{parts.netloc}/{_DATABASE}"
        self._base = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
        self._login = urllib3.make_headers(basic_auth=f"{parts.username or 'root'}:{parts.password or ''}")
        self._pool = urllib3.PoolManager()
        self.wipe()

    def build(self, options: StoreOptions) -> Store:
        return kinds.build(options)

    def write(self, folder: Path) -> None:
        for name, operations in _FILES.items():
            self._write(folder, name, operations)

    def spoil(self, folder: Path) -> None:
        self._write(folder, "002_second", _SPOILT)

    def seen(self) -> list[str]:
        return [each for name in self._collections() if not name.startswith("provision_") for each in self._in(name)]

    def everything(self) -> list[str]:
        databases = self._ask("GET", "/_db/_system/_api/database")["result"]
        return [*sorted(databases), *(each for name in self._collections() for each in self._in(name))]

    def wipe(self) -> None:
        self._ask("DELETE", f"/_db/_system/_api/database/{_DATABASE}", missing=True)

    def delete_lease(self, project: str, name: str) -> None:
        key = quote(f"{project}:{quote(name, safe='')}", safe="")
        self._ask("DELETE", self._path(f"/document/provision_leases/{key}"))

    def close(self) -> None:
        self.wipe()
        self._pool.clear()

    def _collections(self) -> list[str]:
        listed = self._ask("GET", self._path("/collection?excludeSystem=true"), missing=True)
        return sorted(each["name"] for each in (listed or {}).get("result", ()))

    def _in(self, collection: str) -> list[str]:
        """The collection, its indexes and its documents, as text."""
        properties = self._ask("GET", self._path(f"/collection/{collection}/properties"))
        listed = self._ask("GET", self._path(f"/index?collection={collection}"))["indexes"]
        query = {"query": "FOR d IN @@c SORT d._key RETURN UNSET(d, '_rev')", "bindVars": {"@c": collection}}
        rows = self._ask("POST", self._path("/cursor"), {**query, "batchSize": 10000})["result"]
        indexes = [f"{each['name']}: {each['type']} {each['fields']} {each['unique']}" for each in listed]
        return [
            f"{collection}: type {properties['type']} {sorted(indexes)}",
            *(json.dumps(row, sort_keys=True) for row in rows),
        ]

    def _path(self, tail: str) -> str:
        return f"/_db/{_DATABASE}/_api{tail}"

    def _ask(self, method: str, path: str, body: object = None, *, missing: bool = False) -> Any:
        sent = None if body is None else json.dumps(body).encode()
        headers = {**self._login, "content-type": "application/json"}
        answer = self._pool.request(method, self._base + path, body=sent, headers=headers, retries=False)
        if missing and answer.status == 404:
            return None
        assert answer.status < 300, (method, path, answer.data)
        return json.loads(answer.data)

    @staticmethod
    def _write(folder: Path, name: str, operations: list[str]) -> None:
        (folder / f"{name}.yaml").write_text(f"description: {name}\nup:\n{''.join(operations)}down: auto\n")
