"""What slows a run in ClickHouse down or ends it: parts to merge, a disk that is nearly or quite full."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import clickhouse_connect
import pytest

from tests.backfill import project
from tests.backfill.machines import fill_up, small_disk
from tests.servers.command_line import Provision
from tests.servers.engines import EmbeddedEngine

# Texts that cannot be made smaller, 2 kB a row, so that a month is 8 MB.
_TABLES = (
    "DROP TABLE IF EXISTS orders, wide, wide_mv, provision_backfill, provision_ledger, provision_fill_wide SYNC",
    "CREATE TABLE orders (at DateTime('UTC'), n UInt64) ENGINE = MergeTree PARTITION BY toYYYYMM(at) ORDER BY at",
    "INSERT INTO orders SELECT toDateTime('2026-01-01 00:00:00', 'UTC') + number * 600, number FROM numbers(12000)",
    "CREATE TABLE wide (at DateTime('UTC'), n UInt64, text String) ENGINE = MergeTree PARTITION BY toYYYYMM(at)"
    " ORDER BY n",
    "CREATE MATERIALIZED VIEW wide_mv TO wide AS SELECT at, n, randomString(2000) AS text FROM orders",
)
_WIDE = """
store: clickhouse
view: wide_mv
time: at
before: 2026-03-19 00:00:00
"""
ROWS = 11_088  # of January, February and March until the 19th
_FILLED = "SELECT count(), uniqExact(n), min(length(text)) FROM wide"


@pytest.fixture(scope="module")
def disk() -> Iterator[Path]:
    with small_disk(400) as place:
        yield place


@pytest.fixture(scope="module")
def server(disk: Path) -> Iterator[str]:
    """A ClickHouse whose data is on the small disk."""
    engine = EmbeddedEngine("clickhouse", disk / "engine")
    engine.launch()
    try:
        engine.wait()
        yield urlunsplit(urlsplit(engine.url)._replace(path="/default"))
    finally:
        (disk / "filler").unlink(missing_ok=True)
        engine.stop()


@pytest.fixture
def clickhouse(server: str) -> Iterator[Any]:
    with closing(clickhouse_connect.get_client(dsn=server, autogenerate_session_id=False)) as client:
        for statement in _TABLES:
            client.command(statement)
        yield client


@pytest.fixture
def shop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: str, redis_6: str, disk: Path, clickhouse: Any
) -> Iterator[Path]:
    for folder in ("clickhouse", "redis", "backfills"):
        (tmp_path / folder).mkdir()
    (tmp_path / "provision.toml").write_text(project.CLICKHOUSE_AND_REDIS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SHOP_CLICKHOUSE", server)
    monkeypatch.setenv("SHOP_REDIS", redis_6)
    monkeypatch.setenv("PROVISION_ENV", "test")
    yield tmp_path
    (disk / "filler").unlink(missing_ok=True)
    clickhouse.command("SYSTEM START MERGES wide")


def document(place: Path, more: str = "") -> None:
    (place / "backfills" / "wide.yaml").write_text(_WIDE + more)


def standing(provision: Provision) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(provision("backfill", "status", "wide", "-o", "json").out)[0]
    return found


def held(provision: Provision, started: subprocess.Popen[str], reason: str) -> dict[str, Any]:
    """The run once it says this reason; it must not end meanwhile."""
    project.until(lambda: re.fullmatch(reason, str(standing(provision)["throttled_by"])) is not None)
    assert started.poll() is None
    return standing(provision)


def test_parts_to_merge_hold_the_run_until_they_are_merged(shop: Path, provision: Provision, clickhouse: Any) -> None:
    document(shop)
    clickhouse.command("SYSTEM STOP MERGES wide")
    many = {"max_block_size": 1, "min_insert_block_size_rows": 1, "min_insert_block_size_bytes": 1}
    for n in range(4):
        rows = f"SELECT toDateTime('2026-02-01 00:00:00', 'UTC'), 20000 + {n} * 80 + number, repeat('x', 2000)"
        clickhouse.command(f"INSERT INTO wide {rows} FROM numbers(80)", settings=many)

    started = project.process(shop, "backfill", "run", "wide")
    try:
        before = held(provision, started, r"3\d\d parts to merge")
    finally:
        clickhouse.command("SYSTEM START MERGES wide")
        clickhouse.command("OPTIMIZE TABLE wide FINAL")
    code, _, err = project.ended(started)

    assert (before["state"], before["rows_done"]) == ("running", 0)
    assert (code, err) == (0, "")
    assert clickhouse.query(_FILLED).result_rows == [(ROWS + 320, ROWS + 320, 2000)]


def test_a_disk_that_is_nearly_full_holds_the_run_which_can_be_cancelled(
    shop: Path, provision: Provision, disk: Path
) -> None:
    document(shop)
    fill_up(disk, shutil.disk_usage(disk).total // 25)
    started = project.process(shop, "backfill", "run", "wide")
    before = held(provision, started, r"[34] % of the disk is free")

    assert (before["state"], before["rows_done"]) == ("running", 0)
    assert provision("backfill", "cancel", "wide").code == 0
    assert project.ended(started)[0] == 0
    assert standing(provision)["state"] == "cancelled"


def test_the_document_says_how_much_room_and_how_many_parts_are_enough(
    shop: Path, provision: Provision, disk: Path
) -> None:
    document(shop, "yield: {free_disk: 99%, parts: 5}\n")
    fill_up(disk, shutil.disk_usage(disk).total // 2)
    started = project.process(shop, "backfill", "run", "wide")
    held(provision, started, r"\d+ % of the disk is free")
    provision("backfill", "cancel", "wide")

    assert project.ended(started)[0] == 0


def test_a_full_disk_ends_the_run_and_it_goes_on_once_there_is_room(
    shop: Path, provision: Provision, disk: Path, clickhouse: Any
) -> None:
    document(shop, "yield: {free_disk: 0%}\n")
    fill_up(disk, 14 << 20)

    full = provision("backfill", "run", "wide")

    assert full.code == 5
    assert full.err.startswith("error[disk-full]: clickhouse has no space left: "), full.err
    assert full.err.endswith("\n  fix    free some space, then `provision backfill resume wide`\n")
    before = standing(provision)
    assert (before["state"], before["rows_done"] < ROWS) == ("interrupted", True)
    (disk / "filler").unlink()
    assert provision("backfill", "resume", "wide").code == 0
    assert clickhouse.query(_FILLED).result_rows == [(ROWS, ROWS, 2000)]
    assert standing(provision)["rows_done"] == ROWS


def test_a_view_that_is_gone_ends_the_run_and_it_goes_on_once_it_is_back(
    shop: Path, provision: Provision, disk: Path, clickhouse: Any
) -> None:
    document(shop, "yield: {free_disk: 80%}\n")
    fill_up(disk, shutil.disk_usage(disk).total // 2)
    started = project.process(shop, "backfill", "run", "wide")
    held(provision, started, r"\d+ % of the disk is free")
    clickhouse.command("DROP VIEW wide_mv SYNC")
    code, _, err = project.ended(started)

    assert code == 5
    said = "error[schema-changed]: the schema changed under the run: clickhouse has no materialized view wide_mv\n"
    assert err.startswith(said)
    assert standing(provision)["state"] == "errored"
    (disk / "filler").unlink()
    clickhouse.command(_TABLES[-1])
    assert provision("backfill", "resume", "wide").code == 0
    assert clickhouse.query(_FILLED).result_rows == [(ROWS, ROWS, 2000)]
