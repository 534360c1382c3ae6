"""A ratio that SummingMergeTree adds up."""

from __future__ import annotations

import re
from collections.abc import Iterator

from provision.model import Severity
from provision.model.lint import Hit, Rule, Unit
from provision.stores.clickhouse.lint.world import ClickhouseWorld, table_of

_RATIO = re.compile(
    r"(?:^|_)(?:rate|ratio|avg|average|mean|share|pct|percent|percentage|accuracy|confidence|calibration|score|sharpe|"
    r"drawdown|probability|latency|min|max|median|p\d\d)(?:_|$)"
)

_SUM = re.compile(r"^(?:total|sum|count|n|num)_|_(?:total|sum|count)$")


def check(unit: Unit, _world: ClickhouseWorld) -> Iterator[Hit]:
    table = table_of(unit)
    if (
        table is None
        or table.engine is None
        or not table.engine.name.endswith("SummingMergeTree")
        or table.engine.children
    ):
        return
    for name, column in table.columns.items():
        kinds = {each.name for each in column.all("DataType")}
        if (
            name not in table.key
            and _RATIO.search(name)
            and not _SUM.search(name)
            and kinds & {"Float64", "Float32", "Decimal"}
        ):
            what = f"SummingMergeTree adds up {name} of rows with one key: two rows of 0.7 become 1.4"
            fix = "keep sums and counts (AggregatingMergeTree, SimpleAggregateFunction(sum, …)) and divide when reading"
            yield Hit(unit, what, fix, f"{table.name}.{name}", unit.body.at(name))


RULE = Rule("summing-ratio", Severity.ERROR, "A ratio that SummingMergeTree adds up", check)
