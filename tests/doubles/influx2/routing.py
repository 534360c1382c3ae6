"""Which function answers which operation of the document, and what a token may do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.doubles.influx2.errors import Refused
from tests.doubles.influx2.state import Bucket, State
from tests.doubles.served.messages import Answer, Request

Permissions = list[dict[str, Any]] | None


@dataclass(frozen=True, slots=True)
class Call:
    """A request on its way. `permissions` None is every one."""

    state: State
    request: Request
    variables: Mapping[str, str]
    body: Any
    permissions: Permissions
    version: str

    def __getitem__(self, name: str) -> str:
        return self.variables[name]

    @property
    def fields(self) -> Mapping[str, Any]:
        return self.body if isinstance(self.body, dict) else {}

    def query(self, *names: str) -> str | None:
        """The first of these query parameters that was sent."""
        return next((self.request.query[name] for name in names if self.request.query.get(name)), None)

    def org(self, *, optional: bool = False) -> str:
        """The id of the organization of orgID or org. Raises Refused."""
        named = self.query("orgID", "org") or self.fields.get("orgID") or self.fields.get("org")
        if not named and optional:
            return next(iter(self.state.orgs))
        if not named:
            raise Refused("invalid", "Please provide either orgID or org")
        return str(self.state.org(named)["id"])

    def may(self, action: str, kind: str, org: str, id: str = "") -> None:
        """Raises Refused (unauthorized) as the server does: it is 401 where the token is known but not enough."""
        if not self.allowed(action, kind, org, id):
            place = f"{kind}/{id}" if id else kind
            raise Refused("unauthorized", f"{action}:orgs/{org}/{place} is unauthorized")

    def allowed(self, action: str, kind: str, org: str, id: str = "") -> bool:
        if self.permissions is None:
            return True
        for each in self.permissions:
            resource = each["resource"]
            same = each["action"] == action and resource["type"] == kind
            if same and resource.get("orgID") in (None, org) and resource.get("id") in (None, id):
                return True
        return False

    def may_use(self, action: str, bucket: Bucket) -> None:
        """Raises Refused (forbidden): reading and writing points."""
        if not self.allowed(action, "buckets", bucket.org, bucket.id):
            raise Refused("forbidden", f"insufficient permissions for {action}")


Route = Callable[[Call], Answer]
ROUTES: dict[tuple[str, str], Route] = {}


def route(*operations: str) -> Callable[[Route], Route]:
    """Each operation is a method and a path as the document writes it."""

    def named(function: Route) -> Route:
        for each in operations:
            method, path = each.split()
            ROUTES[path, method.lower()] = function
        return function

    return named
