"""What a revision of one store requires of another holds, in order and in failure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from . import sites
from .sites import ALL_DOWN, Site

REQUIRES = {
    "clickhouse/001": ["postgres/0001", "postgres/0003"],
    "clickhouse/006": ["postgres/0004"],
    "postgres/0009": ["clickhouse/001"],
    "redis/0001": ["postgres/0004", "postgres/0005"],
    "redis/0002": ["clickhouse/003", "postgres/0006"],
    "redis/0004": ["postgres/0022", "postgres/0025", "postgres/0032"],
    "redis/0005": ["postgres/0020", "postgres/0033"],
    "redis/0006": ["postgres/0026"],
}
# Stands on clickhouse/001, itself or through others.
BEHIND_CLICKHOUSE_001 = {
    *(f"clickhouse/{number:03}" for number in range(2, 8)),
    *(f"postgres/{number:04}" for number in range(9, 37)),
    *(f"redis/{number:04}" for number in range(2, 7)),
}
ROUNDING = 0.002  # seconds; times and durations are printed in milliseconds
BROKEN = "\n\nALTER TABLE trading_decisions_probabilistic ADD COLUMN broken NoSuchType;\n"


@pytest.fixture
def spoilt(postgres_15: str, clickhouse_embedded: str, redis_7: str) -> Iterator[Site]:
    """Empty databases and a copy of the project in which the second statement of clickhouse/001 is wrong."""
    with sites.on_servers(postgres_15, clickhouse_embedded, redis_7, "spoilt", redis_number=10) as site:
        text = first_file(site).read_text(encoding="utf-8")
        first_file(site).write_text(text + BROKEN, encoding="utf-8")
        yield site


def first_file(site: Site) -> Path:
    return site.folder / "clickhouse" / "001_trading_decisions.sql"


def test_shipped_requirements_across_stores_are_these(site: Site) -> None:
    across = {name: needs for name, needs in site.revisions().items() if needs}
    assert across == REQUIRES


def test_ledger_times_keep_the_requirements_up_and_down(site: Site) -> None:
    site.good(*ALL_DOWN)
    site.good("up")
    events = site.history()
    latest = max(event["token"] for event in events)
    for dependent, needs in REQUIRES.items():
        for needed in needs:
            up_of_needed = span(events, latest, needed)
            up_of_dependent = span(events, latest, dependent)
            assert up_of_needed[1] <= up_of_dependent[0] + ROUNDING, f"{dependent} began before {needed} was applied"
            down_of_needed = span(events, latest - 1, needed)
            down_of_dependent = span(events, latest - 1, dependent)
            assert down_of_dependent[1] <= down_of_needed[0] + ROUNDING, f"{needed} was reverted before {dependent}"


def span(events: list[dict[str, Any]], token: int, revision: str) -> tuple[float, float]:
    """When the revision's first and last event of a run were written; of a single one, its duration before that."""
    mine = [event for event in events if (event["token"], event["revision"]) == (token, revision)]
    assert mine[-1]["kind"] in ("applied", "reverted")
    times = [datetime.fromisoformat(event["at"]).timestamp() for event in mine]
    return (times[0] if len(mine) > 1 else times[0] - mine[0]["duration_ms"] / 1000), times[-1]


def test_failure_stops_what_stands_on_it_in_other_stores(spoilt: Site) -> None:
    failed = spoilt.run("up", "--output", "json")
    report = failed.document
    assert failed.code == 5
    assert (report["failed"]["id"], report["failed"]["statement"]) == ("clickhouse/001", 2)
    error = report["failed"]["error"]
    assert error["code"] == "statement-failed"
    assert "NoSuchType" in error["what"]
    assert "clickhouse/001_trading_decisions.sql" in error["where"]
    applied, remaining = {each["id"] for each in report["applied"]}, set(report["remaining"])
    assert {"postgres/0001", "postgres/0002", "postgres/0003"} <= applied
    assert not applied & BEHIND_CLICKHOUSE_001
    assert remaining >= BEHIND_CLICKHOUSE_001
    assert applied | remaining | {"clickhouse/001"} == set(spoilt.revisions()) - sites.OPTIONAL
    assert not applied & remaining

    revisions = {each["id"]: each for store in spoilt.status()["stores"] for each in store["revisions"]}
    assert {name for name, each in revisions.items() if each["state"] == "applied"} == applied
    assert {name for name, each in revisions.items() if each["state"] == "failed"} == {"clickhouse/001"}
    with psycopg.connect(spoilt.urls()["postgres"]) as connection:
        columns = "SELECT count(*) FROM information_schema.columns WHERE column_name = 'aggregated_confidence'"
        assert connection.execute(columns).fetchone() == (0,)


def test_repaired_statement_lets_up_complete(spoilt: Site) -> None:
    assert spoilt.run("up").code == 5
    text = first_file(spoilt).read_text(encoding="utf-8")
    first_file(spoilt).write_text(text.replace("broken NoSuchType", "mended UInt8"), encoding="utf-8")
    assert spoilt.good("up").code == 0
    assert spoilt.applied() == set(spoilt.versioned())
    assert spoilt.good("up").last == "nothing to do"


def test_failure_as_text_says_what_failed_what_ran_and_what_remains(spoilt: Site) -> None:
    failed = spoilt.run("up")
    assert "✗ clickhouse/001" in failed.out
    assert "remaining: " in failed.out
    assert failed.err.startswith("error[statement-failed]: ")
    assert "  where  clickhouse/001_trading_decisions.sql: statement 2" in failed.err
