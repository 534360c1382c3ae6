"""Windows of ClickHouse's tables: its partitions, as they are there, dropped whole when they are over."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from provision.cli.main import run
from provision.errors import ProvisionError
from provision.kinds import build
from provision.model import StoreOptions
from provision.model.partitions import Bounds, Interval, PartitionSet, TableWindows, Unit
from provision.partitions import document
from provision.stores.clickhouse.partitions.bounds import bounds, elements, key_of, zone_of
from provision.stores.clickhouse.partitions.keys import KEYS
from provision.stores.clickhouse.partitions.table import ClickhousePartitions
from provision.stores.clickhouse.server import Client
from provision.stores.clickhouse.store import ClickhouseStore
from tests.servers.command_line import Provision, Ran

ROOT = Path(__file__).parents[3]
TOML = """
[project]
name = "windows"
home = "none"
[stores.clickhouse]
[environments.test]
clickhouse.url = "{url}"
"""
DOCUMENT = "store: clickhouse\ntable: {table}\ncolumn: {column}\ninterval: {interval}\n{more}"


@pytest.fixture
def url(clickhouse_embedded: str) -> Iterator[str]:
    base = clickhouse_embedded.rsplit("/", 1)[0]
    admin = Client(f"{base}/default", "clickhouse")
    admin.command("CREATE DATABASE windows")
    yield f"{base}/windows"
    admin.command("DROP DATABASE windows")
    admin.close()


@pytest.fixture
def client(url: str) -> Iterator[Client]:
    made = Client(url, "clickhouse")
    made.command(
        "CREATE TABLE t (at DateTime64(3, 'UTC'), v Int64) ENGINE = MergeTree PARTITION BY toYYYYMM(at) ORDER BY at"
    )
    for month in ("2026-01", "2026-02", "2026-11"):
        made.command(f"INSERT INTO t SELECT '{month}-01 00:00:00', number FROM numbers(100)")
        made.command(f"INSERT INTO t VALUES ('{month}-28 23:59:59.999', 1)")
    yield made
    made.close()


@pytest.fixture
def store(url: str, tmp_path: Path) -> Iterator[ClickhouseStore]:
    made = build(StoreOptions("clickhouse", "clickhouse", "windows", tmp_path, tmp_path))
    assert isinstance(made, ClickhouseStore)
    made.open(url)
    yield made
    made.close()


@pytest.fixture
def provision(capfd: pytest.CaptureFixture[str]) -> Provision:
    """Run one command line in this process."""

    def ran(*arguments: object) -> Ran:
        capfd.readouterr()
        code = run([str(each) for each in arguments])
        out, err = capfd.readouterr()
        return Ran(code, out, err)

    return ran


@pytest.fixture
def project(tmp_path: Path, client: Client, url: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    assert client.database == "windows"
    (tmp_path / "provision.toml").write_text(TOML.format(url=url))
    (tmp_path / "clickhouse").mkdir()
    (tmp_path / "partitions").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PROVISION_ENV", "test")
    return tmp_path


def describe(root: Path, table: str = "t", column: str = "at", interval: str = "1 month", more: str = "") -> None:
    text = DOCUMENT.format(table=table, column=column, interval=interval, more=more)
    (root / "partitions" / "t.yaml").write_text(text)


MONTH = Interval(1, Unit.MONTH)


def look(store: ClickhouseStore, table: str, interval: Interval = MONTH) -> TableWindows:
    found = store.partitions.look([wanted(table, "at", interval)])["t"]
    assert isinstance(found, TableWindows), found
    return found


def wanted(table: str, column: str, interval: Interval) -> PartitionSet:
    return PartitionSet("t", "clickhouse", table, column, interval, 0, 0, "", "partitions/t.yaml", "")


def test_list_shows_partitions_with_their_parts_and_nothing_is_made(project: Path, provision: Provision) -> None:
    describe(project)

    listed = provision("partitions", "list", "-o", "json")

    [table] = json.loads(listed.out)
    assert [
        (each["name"], each["from"][:10], each["to"][:10], each["rows"], each["parts"]) for each in table["windows"]
    ] == [
        ("202601", "2026-01-01", "2026-02-01", 101, 2),
        ("202602", "2026-02-01", "2026-03-01", 101, 2),
        ("202611", "2026-11-01", "2026-12-01", 101, 2),
    ]
    assert (table["needs"], table["gaps"], table["covered_until"]) == (None, [], None)
    assert listed.code == 0
    assert "nothing to do" in provision("partitions", "ensure").out


def test_retire_drops_what_is_over_and_only_that(project: Path, provision: Provision, client: Client) -> None:
    describe(project, more="retain: 9 months\n")

    dry = provision("partitions", "retire", "--as-of", "2026-12-01", "--dry-run")
    assert "would retire 2 windows" in dry.out
    assert client.rows("SELECT count() FROM t") == [(303,)]
    ran = provision("partitions", "retire", "--as-of", "2026-12-01")

    assert ran.code == 0, ran.err
    assert "retired 2 windows" in ran.out
    assert client.rows("SELECT min(at) >= '2026-11-01', count() FROM t") == [(1, 101)]
    assert "nothing to do" in provision("partitions", "retire", "--as-of", "2026-12-01").out


def test_a_retention_that_would_empty_the_table_keeps_its_newest_partition(
    project: Path, provision: Provision, client: Client
) -> None:
    describe(project, more="retain: 1 month\n")

    for dry in (("--dry-run",), ()):
        ran = provision("partitions", "retire", "--as-of", "2027-06-01", *dry)
        assert (ran.code, "error[would-empty]: 202611 holds the last rows of t" in ran.err) == (3, True), ran.err

    assert client.rows("SELECT DISTINCT toYYYYMM(at) FROM t") == [(202611,)]


def test_a_partition_that_is_written_to_while_it_is_retired_is_kept(
    project: Path, provision: Provision, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    describe(project, more="retain: 9 months\n")
    retire = ClickhousePartitions.retire

    def late(self: ClickhousePartitions, *given: Any) -> None:
        client.command("INSERT INTO t VALUES ('2026-01-05', 7)")
        retire(self, *given)

    monkeypatch.setattr(ClickhousePartitions, "retire", late)

    ran = provision("partitions", "retire", "--as-of", "2026-12-01")

    assert (ran.code, "error[window-filled]: 202601 is written to" in ran.err) == (5, True), ran.err
    assert client.rows("SELECT count() FROM t WHERE toYYYYMM(at) = 202601") == [(102,)]
    monkeypatch.undo()
    monkeypatch.chdir(project)
    assert provision("partitions", "retire", "--as-of", "2026-12-01", "--env", "test").code == 0
    assert client.rows("SELECT DISTINCT toYYYYMM(at) FROM t ORDER BY 1") == [(202611,)]


@pytest.mark.parametrize("key", ["(s, toYYYYMM(at))", "(toYYYYMM(at), length(s), s)"])
def test_partitions_of_a_tuple_are_windows_of_their_time(
    project: Path, provision: Provision, client: Client, key: str
) -> None:
    client.command(f"CREATE TABLE u (at DateTime('UTC'), s String) ENGINE = MergeTree PARTITION BY {key} ORDER BY at")
    client.command("INSERT INTO u SELECT '2026-01-05', s FROM (SELECT arrayJoin(['a, (', 'it\\'s', '']) AS s)")
    client.command("INSERT INTO u VALUES ('2026-01-06', 'it\\'s'), ('2026-11-05', 'a, (')")
    describe(project, "u", more="retain: 9 months\n")

    [listed] = json.loads(provision("partitions", "list", "-o", "json").out)
    ran = provision("partitions", "retire", "--as-of", "2026-12-01")

    assert [(each["name"], each["rows"], each["parts"]) for each in listed["windows"]] == [
        ("202601", 4, 4), ("202611", 1, 1),
    ]  # fmt: skip
    assert (ran.code, "retired 1 window" in ran.out) == (0, True), ran.out + ran.err
    assert client.rows("SELECT toYYYYMM(at), s FROM u") == [(202611, "a, (")]


def test_weeks_and_a_table_without_rows_have_a_forecast(project: Path, provision: Provision, client: Client) -> None:
    client.command("CREATE TABLE w (at Date) ENGINE = MergeTree PARTITION BY toMonday(at) ORDER BY at")
    describe(project, "w", interval="1 week", more="retain: 2 weeks\n")
    empty = provision("partitions", "forecast", "--as-of", "2026-12-01")
    assert (empty.code, "holds 0 windows" in empty.out) == (0, True), empty.out
    client.command("INSERT INTO w VALUES ('2026-11-01'), ('2026-11-02'), ('2026-11-30')")

    ran = provision("partitions", "retire", "--as-of", "2026-12-01")

    assert (ran.code, "2026-10-26 … 2026-11-02" in ran.out, "2026-11-02 … 2026-11-09" in ran.out) == (0, True, True)
    assert client.rows("SELECT at::String FROM w") == [("2026-11-30",)]


def test_forecast_tells_how_a_table_grows_and_what_leaves(project: Path, provision: Provision, client: Client) -> None:
    describe(project, more="retain: 9 months\n")

    told = provision("partitions", "forecast", "--as-of", "2026-12-01").out

    assert "takes rows for ever" in told
    assert "holds 3 windows, ~303 rows" in told
    assert "grows by" in told
    assert "retires 2 windows, ~202 rows" in told
    client.command("ALTER TABLE t MODIFY TTL toDateTime(at) + INTERVAL 20 YEAR")
    told = provision("partitions", "forecast", "--as-of", "2026-12-01").out
    assert "the server removes windows itself: TTL toDateTime(at) + toIntervalYear(20)" in told


def test_a_window_of_the_very_day_is_kept(project: Path, provision: Provision, client: Client) -> None:
    describe(project, more="retain: 9 months\n")
    provision("partitions", "retire", "--as-of", "2026-11-30")
    assert client.rows("SELECT DISTINCT toYYYYMM(at) FROM t ORDER BY 1") == [(202602,), (202611,)]


def test_where_a_ttl_is_declared_nothing_is_dropped(project: Path, provision: Provision, client: Client) -> None:
    client.command("ALTER TABLE t MODIFY TTL toDateTime(at) + INTERVAL 20 YEAR")
    describe(project, more="retain: 1 month\n")

    ran = provision("partitions", "retire", "--as-of", "2030-01-01")

    assert "the server removes windows itself: TTL toDateTime(at) + toIntervalYear(20)" in ran.out
    assert "nothing to do" in ran.out
    assert client.rows("SELECT count() FROM t") == [(303,)]


def test_too_many_parts_are_told_before_inserts_are_refused(
    project: Path, provision: Provision, client: Client
) -> None:
    describe(project)
    client.command("ALTER TABLE t MODIFY SETTING parts_to_delay_insert = 2, parts_to_throw_insert = 900")

    ran = provision("partitions", "list")

    assert ran.code == 1
    assert "window 202601 has 2 parts: inserts are slowed from 2 on and refused from 900" in ran.out


@pytest.mark.parametrize(
    ("table", "column", "interval", "message"),
    [
        ("tt", "at", "1 month", "clickhouse has no table tt"),
        ("t", "v", "1 month", "t is partitioned by at, not by v"),
        ("t", "at", "1 day", "t has a window each month, and interval says 1 day"),
        ("whole", "at", "1 month", "whole is not partitioned"),
        ("mixed", "at", "1 month", "mixed is partitioned by (v, toMonth(at))"),
    ],
)
def test_what_is_wrong_with_a_table_is_told(
    store: ClickhouseStore, client: Client, table: str, column: str, interval: str, message: str
) -> None:
    client.command("CREATE TABLE whole (at DateTime, v Int64) ENGINE = MergeTree ORDER BY at")
    client.command("CREATE TABLE mixed AS whole ENGINE = MergeTree PARTITION BY (v, toMonth(at)) ORDER BY at")
    found = store.partitions.look([wanted(table, column, document.interval(interval))])["t"]
    assert isinstance(found, ProvisionError)
    assert found.what == message


def test_days_of_another_zone_begin_when_they_do_there(store: ClickhouseStore, client: Client) -> None:
    client.command(
        "CREATE TABLE d (at DateTime('Asia/Tokyo')) ENGINE = MergeTree PARTITION BY toYYYYMMDD(at) ORDER BY at"
    )
    client.command("INSERT INTO d VALUES ('2026-11-02 00:30:00')")
    [window] = look(store, "d", interval=Interval(1, Unit.DAY)).windows
    assert window.bounds == Bounds(datetime(2026, 11, 1, 15, tzinfo=UTC), datetime(2026, 11, 2, 15, tzinfo=UTC))


def test_a_ttl_that_only_moves_rows_leaves_the_windows_to_us(store: ClickhouseStore, client: Client) -> None:
    client.command(
        "CREATE TABLE g (at DateTime, v Int64) ENGINE = MergeTree PARTITION BY toYYYYMM(at) ORDER BY (at, v)"
        " TTL at + INTERVAL 1 DAY RECOMPRESS CODEC(ZSTD(3))"
    )
    assert look(store, "g").leaves == ""


@pytest.mark.parametrize(
    ("function", "value", "start", "end"),
    [
        ("toYear", "2026", "2026-01-01", "2027-01-01"),
        ("toYYYYMM", "202612", "2026-12-01", "2027-01-01"),
        ("toMonday", "'2026-11-30'", "2026-11-30", "2026-12-07"),
        ("toStartOfQuarter", "2026-10-01", "2026-10-01", "2027-01-01"),
        ("toStartOfHour", "2026-11-30 23:00:00", "2026-11-30T23:00", "2026-12-01"),
    ],
)
def test_bounds_of_a_value(function: str, value: str, start: str, end: str) -> None:
    expected = Bounds(*(datetime.fromisoformat(each).replace(tzinfo=UTC) for each in (start, end)))
    assert bounds(function, value, UTC) == expected


def test_keys_and_zones_are_read_as_the_server_writes_them() -> None:
    assert key_of("toYYYYMM(`at`)") == ("toYYYYMM", "at", 0)
    assert key_of("(cityHash64(a, 'x, (') % 4, toMonday(at))") == ("toMonday", "at", 1)
    assert key_of("(toYear(at), toYYYYMM(at))") is None
    assert elements(r"('it\'s, (', [1, 2], 202602)") == [r"'it\'s, ('", "[1, 2]", "202602"]
    assert key_of("toYYYYMM(at, 'UTC')") is None
    assert key_of("intDiv(at, 7)") is None
    assert zone_of("DateTime64(3, 'UTC')", "Asia/Tokyo") is UTC
    assert str(zone_of("DateTime", "Asia/Tokyo")) == "Asia/Tokyo"
    assert zone_of("DateTime", "Nowhere/Town") is None


def test_the_shipped_tables_are_described_and_fit(store: ClickhouseStore, client: Client) -> None:
    names = ["model_feedback_events", "probabilistic_performance_analytics", "probability_metrics_realtime",
             "trading_decisions_probabilistic"]  # fmt: skip
    sets = [document.read(ROOT / f"partitions/{name}.yaml", name, lambda _: KEYS) for name in names]
    for path in sorted((ROOT / "clickhouse").glob("00[1-4]*.sql")):
        for statement in path.read_text().split(";\n") if not path.name.endswith(".down.sql") else ():
            if "CREATE TABLE" in statement:
                client.command(statement)
    found = store.partitions.look(sets)
    assert {name: isinstance(each, TableWindows) and bool(each.leaves) for name, each in found.items()} == {
        name: name == "probability_metrics_realtime" for name in names
    }
