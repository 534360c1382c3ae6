"""Not ClickHouse's SQL."""

from __future__ import annotations

from collections.abc import Iterator

from provision.model import Severity
from provision.model.lint import Hit, Rule, Unit
from provision.stores.clickhouse.lint.world import ClickhouseWorld


def check(unit: Unit, _world: ClickhouseWorld) -> Iterator[Hit]:
    if unit.body.refused:
        fix = "correct the statement; it stops every run here"
        if unit.body.at("INDEX", "CONCURRENTLY"):
            fix = "ALTER TABLE … ADD INDEX … TYPE minmax: ClickHouse has skip indexes, and builds none concurrently"
        yield Hit(unit, unit.body.refused, fix, "", unit.body.refused_at)


RULE = Rule("clickhouse-syntax", Severity.ERROR, "Not ClickHouse's SQL", check)
