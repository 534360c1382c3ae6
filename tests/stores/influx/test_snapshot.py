"""A snapshot of InfluxDB 1 has every change that is made by hand, and is the same again once that is undone."""

from __future__ import annotations

from pathlib import Path

from provision.stores.influx.setup.snapshot import taken
from provision.stores.influx.setup.stats import measured
from tests.stores.by_hand import told
from tests.stores.influx.conftest import Write
from tests.stores.influx.raw import Raw

QUERY = "BEGIN SELECT mean(v) AS v INTO app.autogen.n FROM app.autogen.m GROUP BY time(1h), * END"
CHANGES = (
    ("CREATE DATABASE other", "DROP DATABASE other", "other"),
    ("CREATE RETENTION POLICY raw ON app DURATION 30d REPLICATION 1", "DROP RETENTION POLICY raw ON app", "raw"),
    (f"CREATE CONTINUOUS QUERY late ON app {QUERY}", "DROP CONTINUOUS QUERY late ON app", "late"),
    (
        "ALTER RETENTION POLICY month ON app DURATION 60d",
        "ALTER RETENTION POLICY month ON app DURATION 30d SHARD DURATION 1d",
        "month",
    ),
    (
        "ALTER RETENTION POLICY month ON app SHARD DURATION 2d",
        "ALTER RETENTION POLICY month ON app SHARD DURATION 1d",
        "month",
    ),
    ("ALTER RETENTION POLICY month ON app DEFAULT", "ALTER RETENTION POLICY autogen ON app DEFAULT", ""),
    ("DROP RETENTION POLICY spare ON app", "CREATE RETENTION POLICY spare ON app DURATION 2d REPLICATION 1", "spare"),
    (
        "ALTER RETENTION POLICY spare ON app DURATION 3d",
        "ALTER RETENTION POLICY spare ON app DURATION 2d SHARD DURATION 1d",
        "spare",
    ),
    ("DROP DATABASE second", "CREATE DATABASE second", "second"),
    ("DROP CONTINUOUS QUERY kept ON app", f"CREATE CONTINUOUS QUERY kept ON app {QUERY}", "kept"),
)


def test_every_change_by_hand_is_one_difference(write: Write, influx_1: str, raw: Raw, tmp_path: Path) -> None:
    raw.ask("CREATE DATABASE app")
    raw.ask("CREATE RETENTION POLICY month ON app DURATION 30d REPLICATION 1 SHARD DURATION 1d")
    raw.ask(f"CREATE CONTINUOUS QUERY kept ON app {QUERY}")
    raw.ask("CREATE RETENTION POLICY spare ON app DURATION 2d REPLICATION 1")
    raw.ask("CREATE DATABASE second")
    options = write()
    before = taken(options, influx_1)
    for change, undo, name in CHANGES:
        found = told(options, lambda: taken(options, influx_1), lambda change=change: raw.ask(change), tmp_path / "m")
        assert found, change
        assert all(name in each for each in found), found
        raw.ask(undo)
        assert taken(options, influx_1) == before, undo


def test_statistics_say_what_a_tier_holds_and_how_fast_it_grows(write: Write, influx_1: str, raw: Raw) -> None:
    raw.ask("CREATE DATABASE app")
    raw.write("app", [f"m v=1 {moment}" for moment in range(1, 50)])
    found = measured(write(), influx_1).tables["app.autogen"]
    assert (found.rows, (found.writes_per_second or 0) > 0) == (None, True)


def test_users_are_each_servers_own(write: Write, influx_1: str, raw: Raw) -> None:
    before = taken(write(), influx_1)
    raw.ask("CREATE USER late WITH PASSWORD 'word'")
    assert taken(write(), influx_1) == before
    raw.ask("DROP USER late")
