"""The shipped files: up, down, up again; what each holds."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from .engine import FOLDER, UPS, Database, Engine, down_of

OBJECTS = {
    "trading_decisions_probabilistic",
    "probability_metrics_realtime",
    "model_feedback_events",
    "probabilistic_performance_analytics",
    "probabilistic_performance_daily",
    "confidence_monitoring",
    "confidence_monitoring_mv",
    "model_performance",
    "model_performance_mv",
}


def test_files_three_rounds_of_up_and_down_end_the_same_and_leave_nothing(database: Database) -> None:
    rounds = []
    for _ in range(3):
        database.up()
        rounds.append(database.schema())
        database.down()
        assert database.schema() == {}
    assert set(rounds[0]) == OBJECTS
    assert rounds[0] == rounds[1] == rounds[2]


def test_files_each_one_up_down_up_is_exact(database: Database) -> None:
    for path in UPS:
        before = database.schema()
        database.run_file(path)
        after = database.schema()
        assert after != before
        database.run_file(down_of(path))
        assert database.schema() == before
        database.run_file(path)
        assert database.schema() == after


def test_files_every_table_and_stored_column_has_a_comment(migrated: Database, engine: Engine) -> None:
    bare = engine.rows(f"SELECT name FROM system.tables WHERE database = '{migrated.name}' AND comment = ''")
    columns = engine.rows(
        "SELECT table, name FROM system.columns WHERE comment = '' AND (database, table) IN"
        f" (SELECT database, name FROM system.tables WHERE database = '{migrated.name}' AND engine LIKE '%MergeTree')"
    )
    assert (bare, columns) == ([], [])


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.sql")), ids=lambda path: path.name)
def test_files_are_short_described_and_name_no_database(path: Path) -> None:
    text = path.read_text(encoding="utf8")
    assert text.startswith("-- description: ")
    assert len(text.splitlines()) <= 150
    assert "IF NOT EXISTS" not in text
    assert max(map(len, text.splitlines())) <= 120
    assert re.search(r"\b(TABLE|VIEW|TO|FROM) \w+\.\w+", text) is None
    assert path in UPS or path in map(down_of, UPS)


def test_files_every_up_has_a_down() -> None:
    assert all(down_of(path).exists() for path in UPS)
    assert len(UPS) == 11
