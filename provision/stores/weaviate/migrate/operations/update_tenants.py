"""`update_tenants`: tenants awake or at rest (`activityStatus`)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from provision.documents.operation import Body, Problem
from provision.model.statements import Fate, Outcome
from provision.stores.weaviate.migrate.operations.base import Live
from provision.stores.weaviate.migrate.operations.tenants import TenantsOperation, missing, not_there, there, unlike


class UpdateTenants(TenantsOperation):
    name = "update_tenants"
    method = "PUT"

    def probe(self, body: Body, live: Live) -> Fate:
        found = there(body, live)
        lacking = missing(body, found)
        if lacking:
            return not_there(body, lacking, Outcome.DIFFERENT)
        for _, words in unlike(body, found):
            return Fate(Outcome.NOT_DONE, words)
        return Fate(Outcome.DONE, "every tenant has its status")

    def left(self, body: Body, found: Mapping[str, str]) -> list[Mapping[str, Any]]:
        return [each for each, _ in unlike(body, found)]

    def problems(self, body: Body) -> Iterable[Problem]:
        yield from super().problems(body)
        for index, each in enumerate(body["tenants"]):
            if "activityStatus" not in each:
                what = f"tenant {each['name']} has no activityStatus, and nothing else can be changed"
                yield Problem(("tenants", index), what, "write ACTIVE, INACTIVE or OFFLOADED")
