"""`delete_tenants`: tenants of a collection with all their objects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from provision.documents.operation import Body, Earlier
from provision.model.statements import Fate, Outcome
from provision.stores.weaviate.migrate.operations.base import Live
from provision.stores.weaviate.migrate.operations.tenants import TenantsOperation, there


class DeleteTenants(TenantsOperation):
    name = "delete_tenants"
    method = "DELETE"

    def sent(self, listed: Sequence[Mapping[str, Any]]) -> list[Any]:
        return [each["name"] for each in listed]

    def probe(self, body: Body, live: Live) -> Fate:
        left = self.left(body, there(body, live))
        if left:
            return Fate(Outcome.NOT_DONE, f"{body['class']} has the tenant {left[0]['name']}")
        return Fate(Outcome.DONE, "none of the tenants is there")

    def left(self, body: Body, found: Mapping[str, str]) -> list[Mapping[str, Any]]:
        return [each for each in body["tenants"] if each["name"] in found]

    def destructive(self, body: Body, _earlier: Earlier = ()) -> str:
        names = [each["name"] for each in body["tenants"]]
        whose = names[0] if len(names) == 1 else f"{len(names)} tenants"
        return f"the objects of {whose} in {body['class']} are deleted"
