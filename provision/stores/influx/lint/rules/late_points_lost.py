"""A rollup that never sees a late point."""

from __future__ import annotations

from collections.abc import Iterator

from provision.model import Severity
from provision.model.lint import Hit, Rule, Unit, World


def check(unit: Unit, _world: World) -> Iterator[Hit]:
    if unit.name == "create_rollup" and not unit.body.get("late"):
        what = f"{unit.body['name']} runs once for each interval, when it ends: a point that comes later is never in it"
        yield Hit(unit, what, "RESAMPLE FOR twice the interval; in a document: late", str(unit.body["name"]))


RULE = Rule("late-points-lost", Severity.WARNING, "A rollup that never sees a late point", check)
