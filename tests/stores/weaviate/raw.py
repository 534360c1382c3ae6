"""Weaviate over raw HTTP, so that no test believes the code it tests; and an event for a ledger."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import urllib3

from provision.model import Direction, Event, EventKind, Step
from provision.model.statements import Mark
from provision.ports import Statements, Store


class Raw:
    def __init__(self, url: str, key: str | None = None) -> None:
        self.url = url
        self._pool = urllib3.PoolManager(headers={"authorization": f"Bearer {key}"} if key else None)

    def ask(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """Status and JSON of the answer."""
        sent = None if body is None else json.dumps(body)
        headers = {**self._pool.headers, "content-type": "application/json"}
        answer = self._pool.request(method, f"{self.url}/v1{path}", body=sent, headers=headers, retries=False)
        return answer.status, json.loads(answer.data) if answer.data else None

    def get(self, path: str) -> Any:
        return self.ask("GET", path)[1]

    def send(self, method: str, path: str, body: object = None) -> Any:
        status, answer = self.ask(method, path, body)
        assert status < 300, (method, path, answer)
        return answer

    def classes(self) -> list[str]:
        """The collections that are not provision's own."""
        names = [str(each["class"]) for each in self.get("/schema")["classes"]]
        return sorted(name for name in names if not name.startswith("Provision_"))

    def aliases(self) -> dict[str, str]:
        return {each["alias"]: each["class"] for each in self.get("/aliases")["aliases"]}

    def tenants(self, name: str) -> dict[str, str]:
        return {each["name"]: each["activityStatus"] for each in self.get(f"/schema/{name}/tenants")}

    def everything(self) -> str:
        """The whole schema, in an order of its own."""
        listed = sorted(self.get("/schema")["classes"], key=lambda each: str(each["class"]))
        return json.dumps([listed, self.aliases()], sort_keys=True)

    def wipe(self) -> None:
        for alias in self.aliases():
            self.send("DELETE", f"/aliases/{alias}")
        for each in self.get("/schema")["classes"]:
            self.send("DELETE", f"/schema/{each['class']}")


def event(kind: EventKind = EventKind.AT, token: int = 1, n: int = 1, **fields: Any) -> Event:
    values = {
        "project": "vfr",
        "revision": "weaviate/0001",
        "checksum": "c" * 64,
        "at": datetime(2026, 3, 2, 9, 14, 0, 123456, UTC),
        "actor": "ci@runner-4",
        **fields,
    }
    return Event(kind=kind, token=token, n=n, **values)


class Mover:
    """Carries out whole revisions of an open store, one event after another."""

    def __init__(self, store: Store) -> None:
        assert store.statements is not None
        self.store = store
        self.statements: Statements = store.statements
        self.n = len(store.ledger.read())

    def move(self, direction: Direction = Direction.UP, *numbers: str) -> None:
        listed = [each for each in self.store.revisions() if not numbers or each.number in numbers]
        for revision in listed if direction is Direction.UP else reversed(listed):
            step = Step(revision, direction)
            for number in range(1, len(self.statements.of(step)) + 1):
                self.one(step, number)

    def one(self, step: Step, number: int = 1) -> None:
        self.n += 1
        statement = self.statements.of(step)[number - 1]
        sent = event(n=self.n, revision=step.id)
        self.statements.advance(statement, Mark("vfr", 1, step.id, number), sent, None, lambda: None)
