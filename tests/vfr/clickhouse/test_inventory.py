"""D2: the live schema is the document's, but for the deviations listed with the defect that each of them mends."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TypedDict

import pytest

from .engine import Database


class Deviation(TypedDict):
    object: str
    document: str | None
    ours: str | None
    defect: int | str
    why: str


FOLDER = Path(__file__).parents[2]
FIXTURE = json.loads((FOLDER / "fixtures" / "inventory_d2.json").read_text())["clickhouse"]
DOCUMENT: dict[str, str] = FIXTURE["document"]
DEVIATIONS: list[Deviation] = FIXTURE["deviations"]
SEED = sorted((FOLDER / "vfr" / "clickhouse" / "seed").glob("*.sql"), key=lambda path: path.stem.endswith("_mv"))

TABLES = """
    SELECT name, uuid, engine, sorting_key, partition_key, extract(engine_full, ' TTL (.*?)(?: SETTINGS|$)'),
        extract(engine_full, ' SETTINGS (.*)$'), as_select,
        extract(create_table_query, '^CREATE [A-Z ]+ \\\\S+ TO (\\\\S+)'),
        arrayStringConcat(arraySort(extractAll(create_table_query, 'CONSTRAINT (\\\\w+) ')), ', ')
    FROM system.tables WHERE database = '{}'
"""
TABLE_FACTS = ("table", "order", "partition", "ttl", "settings", "select", "target", "constraints")
COLUMNS = "SELECT table, name, type, default_expression FROM system.columns WHERE database = '{}'"
INDEXES = """
    SELECT name, concat(table, ' (', expr, ') ', type_full, ' ', toString(granularity))
    FROM system.data_skipping_indices WHERE database = '{}'
"""


def inventory(database: Database) -> dict[str, str]:
    """Every object of a database by kind and name; the table inside a materialized view as `name.inner`."""
    tables = [[str(value) for value in row] for row in database.rows(TABLES.format(database.name))]
    names = {name: name for name, *_ in tables} | {f".inner_id.{uuid}": f"{name}.inner" for name, uuid, *_ in tables}
    found = {f"index {name}": str(text) for name, text in database.rows(INDEXES.format(database.name))}
    for name, _, *facts in tables:
        found |= {f"{kind} {names[name]}": fact for kind, fact in zip(TABLE_FACTS, facts, strict=True) if fact}
    for table, column, kind, default in database.rows(COLUMNS.format(database.name)):
        found[f"column {names[str(table)]}.{column}"] = f"{kind} default {default}" if default else str(kind)
    return {name: text.replace(f"{database.name}.", "") for name, text in sorted(found.items())}


def columns_of(table: str) -> Iterator[str]:
    return (name for name in DOCUMENT if re.fullmatch(rf"column {table}\.\w+", name))


def test_inventory_of_the_document_is_complete() -> None:
    counted = {name.split(" ")[1]: len(list(columns_of(name.split(" ")[1]))) for name in DOCUMENT if "table " in name}
    assert {name: number for name, number in counted.items() if not name.endswith(".inner")} == {
        "trading_decisions_probabilistic": 28,
        "probability_metrics_realtime": 13,
        "model_feedback_events": 20,
        "probabilistic_performance_analytics": 17,
        "confidence_monitoring_mv": 7,
        "model_performance_mv": 6,
    }
    kinds = Counter(name.split(" ")[0] for name in DOCUMENT if ".inner" not in name)
    assert kinds == {
        "table": 6,
        "order": 4,
        "partition": 4,
        "ttl": 1,
        "settings": 4,
        "select": 2,
        "column": 91,
        "index": 4,
    }


def test_document_is_what_its_own_statements_make(database: Database) -> None:
    for path in SEED:
        database.run_file(path)
    # The indexes are PostgreSQL statements there, which no ClickHouse runs.
    assert inventory(database) == {name: text for name, text in DOCUMENT.items() if not name.startswith("index ")}


def test_schema_is_that_of_the_document_but_for_the_deviations(migrated: Database) -> None:
    expected: dict[str, str | None] = {**DOCUMENT}
    for deviation in DEVIATIONS:
        assert DOCUMENT.get(deviation["object"]) == deviation["document"]
        expected[deviation["object"]] = deviation["ours"]
    assert inventory(migrated) == {name: text for name, text in expected.items() if text is not None}


def test_no_object_deviates_twice() -> None:
    assert [name for name, times in Counter(d["object"] for d in DEVIATIONS).items() if times > 1] == []


@pytest.mark.parametrize("deviation", DEVIATIONS, ids=lambda deviation: deviation["object"])
def test_deviation_is_one_and_tells_its_defect(deviation: Deviation) -> None:
    assert deviation["document"] != deviation["ours"]
    assert deviation["why"]
    assert deviation["defect"] in {32, 39, 40, *range(41, 51), "choice"}
