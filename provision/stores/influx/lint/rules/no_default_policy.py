"""Retention policies, and none is the default."""

from __future__ import annotations

from collections.abc import Iterator

from provision.model import Severity
from provision.model.lint import Hit, Rule, Unit, World


def whole(world: World) -> Iterator[Hit]:
    policies: dict[str, list[Unit]] = {}
    for unit in world.named("create_retention_policy", "alter_retention_policy"):
        policies.setdefault(str(unit.body["database"]), []).append(unit)
    for database, units in policies.items():
        if not any(each.body.get("default") for each in units):
            what = (
                f"no policy of {database} is the default: a write that names none goes to autogen, is kept for "
                "ever, and no query reads it"
            )
            yield Hit(units[0], what, "make the one that writers mean DEFAULT", database)


RULE = Rule("no-default-policy", Severity.WARNING, "Retention policies, and none is the default", whole=whole)
