"""`create_tenants`: tenants of a collection, each with a shard of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from provision.documents.operation import Body
from provision.model.statements import Fate, Outcome
from provision.stores.weaviate.migrate.operations.base import Live
from provision.stores.weaviate.migrate.operations.tenants import TenantsOperation, missing, not_there, there, unlike


class CreateTenants(TenantsOperation):
    name = "create_tenants"
    method = "POST"

    def probe(self, body: Body, live: Live) -> Fate:
        found = there(body, live)
        for _, words in unlike(body, found):
            return Fate(Outcome.DIFFERENT, words)
        lacking = missing(body, found)
        return not_there(body, lacking, Outcome.NOT_DONE) if lacking else Fate(Outcome.DONE, "every tenant is there")

    def left(self, body: Body, found: Mapping[str, str]) -> list[Mapping[str, Any]]:
        return missing(body, found)

    def inverse(self, body: Body) -> tuple[str, Body]:
        return "delete_tenants", {
            "class": body["class"],
            "tenants": [{"name": each["name"]} for each in body["tenants"]],
        }

    def altered(self, before: Body, after: Body) -> Sequence[tuple[str, Body]]:
        was, wanted = ({each["name"]: each for each in body["tenants"]} for body in (before, after))
        changed = {
            "create_tenants": [each for name, each in wanted.items() if name not in was],
            "delete_tenants": [{"name": name} for name in was if name not in wanted],
            "update_tenants": [
                {"activityStatus": "ACTIVE", **each} for name, each in wanted.items() if was.get(name, each) != each
            ],
        }
        return [(name, {"class": after["class"], "tenants": each}) for name, each in changed.items() if each]
