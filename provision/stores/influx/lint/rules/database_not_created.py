"""A database that no file makes."""

from __future__ import annotations

from collections.abc import Iterator

from provision.model import Severity
from provision.model.lint import Hit, Rule, World


def whole(world: World) -> Iterator[Hit]:
    if not world.complete:
        return
    made = {each.body["name"] for each in world.named("create_database")}
    for unit in world.named("create_retention_policy", "create_rollup"):
        name = str(unit.body["database"])
        if name not in made:
            made.add(name)
            yield Hit(
                unit,
                f"no file makes the database {name}: database not found: {name}",
                f'CREATE DATABASE "{name}" first',
                name,
            )


RULE = Rule("database-not-created", Severity.WARNING, "A database that no file makes", whole=whole)
