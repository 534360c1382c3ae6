"""Weaviate documents, on a real server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import urllib3

from provision import kinds
from provision.model import StoreOptions
from provision.ports import Store
from provision.stores.weaviate.server import Server
from provision.testing.contract.case import Case

_COLLECTION = (
    "  - create_collection: {{class: {0}, multiTenancyConfig: {{enabled: {1}}},"
    " properties: [{{name: title, dataType: [text], tokenization: field}}]}}\n"
)
_ALIAS = "  - create_alias: {{alias: {0}, class: {1}}}\n"
_TENANTS = "  - create_tenants: {class: B1, tenants: [{name: acme}, {name: blue}]}\n"
_FILES = {
    "001_first": [_COLLECTION.format("A1", "false")],
    "002_second": [_COLLECTION.format("B1", "true"), _ALIAS.format("B", "B1"), _TENANTS],
    "003_third": [_ALIAS.format("A", "A1")],
}
_SPOILT = [_FILES["002_second"][0], _ALIAS.format("B", "Nowhere"), _FILES["002_second"][2]]


class WeaviateCase(Case):
    name = kind = server = "weaviate"
    leases = False
    refuses_late = False
    crash_stride = 8
    crash_points = ((Server, "send"),)

    def __init__(self, server_url: str) -> None:
        super().__init__(server_url)
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
        return [each for each in self._schema() if not each.startswith("Provision_")]

    def everything(self) -> list[str]:
        return [*self._schema(), *self._objects()]

    def wipe(self) -> None:
        for alias in self._ask("GET", "/aliases")["aliases"]:
            self._ask("DELETE", f"/aliases/{alias['alias']}")
        for each in self._ask("GET", "/schema")["classes"]:
            self._ask("DELETE", f"/schema/{each['class']}")

    def close(self) -> None:
        self.wipe()
        self._pool.clear()

    def _schema(self) -> list[str]:
        aliases = [f"{each['alias']} -> {each['class']}" for each in self._ask("GET", "/aliases")["aliases"]]
        return sorted([*aliases, *(self._described(each) for each in self._ask("GET", "/schema")["classes"])])

    def _described(self, found: dict[str, Any]) -> str:
        tenanted = found["multiTenancyConfig"]["enabled"]
        tenants = self._ask("GET", f"/schema/{found['class']}/tenants") if tenanted else []
        return f"{found['class']}: {json.dumps(found, sort_keys=True)} {sorted(each['name'] for each in tenants)}"

    def _objects(self) -> list[str]:
        classes = [each["class"] for each in self._ask("GET", "/schema")["classes"] if each["class"] != "B1"]
        found = [each for name in classes for each in self._ask("GET", f"/objects?class={name}&limit=1000")["objects"]]
        return sorted(json.dumps(each, sort_keys=True) for each in found)

    def _ask(self, method: str, path: str) -> Any:
        answer = self._pool.request(method, f"{self.server_url}/v1{path}", retries=False)
        assert answer.status < 300, (method, path, answer.data)
        return json.loads(answer.data) if answer.data else None

    @staticmethod
    def _write(folder: Path, name: str, operations: list[str]) -> None:
        (folder / f"{name}.yaml").write_text(f"description: {name}\nup:\n{''.join(operations)}down: auto\n")
