"""A view that counts a row once for each element."""

from __future__ import annotations

from collections.abc import Iterator

from provision.model import Severity
from provision.model.lint import Hit, Rule, Unit
from provision.stores.clickhouse.lint.world import ClickhouseWorld, view_of


def check(unit: Unit, _world: ClickhouseWorld) -> Iterator[Hit]:
    view = view_of(unit)
    if view is None:
        return
    joined = any(each.name == "arrayJoin" for each in view.query.all("Function"))
    counts = any(each.name.startswith(("count", "avg", "sum")) for each in view.query.all("Function"))
    if joined and counts:
        what = (
            f"{view.name} counts and averages once for each element of the array, and leaves out rows whose "
            "array is empty"
        )
        fix = "ARRAY JOIN with all that tells the elements apart in the key; and a view of its own for counts of rows"
        yield Hit(unit, what, fix, view.name, unit.body.at("arrayJoin"))


RULE = Rule("array-join-in-view", Severity.WARNING, "A view that counts a row once for each element", check)
