"""What the operations on tenants share: their bodies, and the server asked in portions."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

from provision.documents.operation import Body, Problem, Stopped, mapping
from provision.model.statements import Fate, Outcome
from provision.net.http import path_of
from provision.stores.weaviate.migrate.operations.base import CLASS_NAME, Live, WeaviateOperation
from provision.stores.weaviate.migrate.rules import name_problems, tenant_problems
from provision.stores.weaviate.migrate.world import WeaviateWorld
from provision.stores.weaviate.server import status

# The server changes no more at once.
PORTION = 100


class TenantsOperation(WeaviateOperation):
    """`tenants` holds the vendor's JSON of each."""

    method: ClassVar[str]
    schema = mapping(
        ["class", "tenants"],
        **{
            "class": CLASS_NAME,
            "tenants": {
                "type": "array",
                "minItems": 1,
                "description": "a list of tenants such as {name: acme}",
                "items": {"$ref": "#/$defs/Tenant"},
            },
        },
    )

    def summary(self, body: Body) -> str:
        names = [each["name"] for each in body["tenants"]]
        shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
        return f"{self.name.replace('_', ' ')} of {body['class']}: {shown}"

    def sent(self, listed: Sequence[Mapping[str, Any]]) -> list[Any]:
        """The tenants as this request names them."""
        return [dict(each) for each in listed]

    def requests(self, body: Body) -> Sequence[tuple[str, str, Any]]:
        path = path_of("schema", body["class"], "tenants")
        listed = body["tenants"]
        return [
            (self.method, path, self.sent(listed[start : start + PORTION])) for start in range(0, len(listed), PORTION)
        ]

    def run(self, body: Body, live: Live) -> None:
        left = self.left(body, there(body, live))
        for method, path, sent in self.requests({**body, "tenants": left}):
            live.server.send(method, path, sent)

    @abstractmethod
    def left(self, body: Body, found: Mapping[str, str]) -> list[Mapping[str, Any]]:
        """The tenants that are not yet as the body says."""

    def problems(self, body: Body) -> Iterable[Problem]:
        yield from name_problems(body["class"], "collection", "class")
        yield from tenant_problems(body["tenants"], ("tenants",))

    def effect(self, world: WeaviateWorld, body: Body) -> Iterator[Problem]:
        name = body["class"]
        yield from world.missing(name, "class")
        found = world.collections.get(name)
        if found is not None and not found["multiTenancyConfig"]["enabled"]:
            what = f"{world.of(name)} was made without tenants"
            yield Problem("class", what, "state `multiTenancyConfig: {enabled: true}` where it is made")


def there(body: Body, live: Live) -> dict[str, str]:
    """Every tenant of the collection and its status. Raises Stopped where it can have none."""
    name = body["class"]
    if not live.collection(name).get("multiTenancyConfig", {}).get("enabled"):
        raise Stopped(f"collection {name} was made without tenants")
    return live.server.tenants(name)


def unlike(body: Body, found: Mapping[str, str]) -> Iterator[tuple[Mapping[str, Any], str]]:
    """Each stated tenant that is there with another status than the stated one, and a sentence on it."""
    for each in body["tenants"]:
        wanted, has = each.get("activityStatus"), found.get(each["name"])
        if has is not None and wanted is not None and status(wanted) != has:
            yield each, f"tenant {each['name']} of {body['class']} is {has}, the file says {wanted}"


def missing(body: Body, found: Mapping[str, str]) -> list[Mapping[str, Any]]:
    return [each for each in body["tenants"] if each["name"] not in found]


def not_there(body: Body, listed: Sequence[Mapping[str, Any]], outcome: Outcome) -> Fate:
    return Fate(outcome, f"{body['class']} has no tenant {listed[0]['name']}")
