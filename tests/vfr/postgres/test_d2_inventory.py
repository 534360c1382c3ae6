"""D2: the live schema is the document's, but for the deviations listed with the defect that each of them mends."""

import json
import re
from collections import Counter

import psycopg
import pytest

from . import migrations
from .inventory import COLUMNS, CONSTRAINTS, INDEXES, NAMES, RELATIONS, TRIGGERS
from .test_d1_inventory import Deviation

FIXTURE = json.loads((migrations.ROOT / "tests" / "fixtures" / "inventory_d2.json").read_text())["postgres"]
DOCUMENT: dict[str, str] = FIXTURE["document"]
DEVIATIONS: list[Deviation] = FIXTURE["deviations"]

# Whatever is not D1's is compared, so that a table, a function or an index that nobody listed is seen.
OURS = """pg_class.relnamespace = 'public'::regnamespace AND NOT pg_class.relispartition
          AND pg_class.relname !~ '^(ml|mv|vw)_' AND pg_class.relname <> 'alembic_version'"""
DEFAULTS = """
    SELECT 'default ' || relname || '.' || attname, pg_get_expr(adbin, adrelid)
    FROM pg_attrdef JOIN pg_attribute ON attrelid = adrelid AND attnum = adnum
    JOIN pg_class ON pg_class.oid = adrelid WHERE {ours}
"""
FREE_INDEXES = INDEXES.replace(
    "i.relname ~ '^idx_'",
    "NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid AND contype IN ('p', 'u', 'x'))",
)
POLICIES = """
    SELECT 'policy ' || tablename || '.' || policyname, cmd FROM pg_policies
    JOIN pg_class ON oid = format('%I.%I', schemaname, tablename)::regclass WHERE {ours}
"""
FUNCTIONS = """
    SELECT 'function ' || proname, pg_get_function_result(oid) FROM pg_proc
    WHERE pronamespace = 'public'::regnamespace AND proname <> ALL(%s)
      AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_proc.oid AND deptype = 'e')
"""


def inventory(connection: psycopg.Connection) -> dict[str, str]:
    """Every object of schema public that is not D1's, by kind and name, in words that do not differ between servers."""
    found: dict[str, str] = {}
    for query in (RELATIONS, COLUMNS, DEFAULTS, CONSTRAINTS, FREE_INDEXES, TRIGGERS, POLICIES):
        found |= dict(connection.execute(query.replace("{ours}", OURS)).fetchall())
    found |= dict(connection.execute(FUNCTIONS, [NAMES]).fetchall())
    return {name: re.sub(r"public\.", "", text) for name, text in sorted(found.items())}


def test_inventory_of_the_document_is_complete() -> None:
    assert Counter(name.split(" ")[0] for name in DOCUMENT) == {
        "table": 6,  # 4, and two that it uses and never defines
        "column": 76,  # 73, and three that it adds to trading_decisions
        "default": 27,
        "check": 2,
        "foreign": 3,
        "key": 4,
        "unique": 1,
        "index": 12,
        "function": 2,
        "trigger": 1,
        "template": 1,
        "partition": 2,
        "call": 1,
    }


def test_columns_of_the_document_are_complete_in_each_table() -> None:
    assert Counter(re.split("[ .]", name)[1] for name in DOCUMENT if name.startswith("column ")) == {
        "probabilistic_models": 20,
        "user_probability_preferences": 18,
        "model_training_history": 23,
        "probability_config_templates": 12,
        "trading_decisions": 3,
    }


def test_schema_is_that_of_the_document_but_for_the_deviations(connection: psycopg.Connection) -> None:
    expected: dict[str, str | None] = {**DOCUMENT}
    for deviation in DEVIATIONS:
        assert DOCUMENT.get(deviation["object"]) == deviation["document"]
        expected[deviation["object"]] = deviation["ours"]
    assert inventory(connection) == {name: text for name, text in expected.items() if text is not None}


def test_no_object_deviates_twice() -> None:
    assert [name for name, times in Counter(d["object"] for d in DEVIATIONS).items() if times > 1] == []


@pytest.mark.parametrize("deviation", DEVIATIONS, ids=lambda deviation: deviation["object"])
def test_deviation_is_one_and_tells_its_defect(deviation: Deviation) -> None:
    assert deviation["document"] != deviation["ours"]
    assert deviation["why"]
    assert deviation["defect"] in {*range(28, 41), "choice"}


def test_every_column_and_table_of_the_document_is_there(connection: psycopg.Connection) -> None:
    live = inventory(connection)
    assert [name for name in DOCUMENT if name.startswith(("column ", "table ")) and name not in live] == []


def test_indexes_left_out_are_a_duplicate_or_those_of_a_clickhouse_table() -> None:
    dropped = {d["object"]: d["defect"] for d in DEVIATIONS if d["object"].startswith("index ") and d["ours"] is None}
    assert dropped == {
        "index idx_active_models_performance": 32,
        "index idx_prob_decisions_confidence_time": 39,
        "index idx_prob_decisions_symbol_confidence": 39,
        "index idx_prob_decisions_uncertainty_symbol": 39,
    }
