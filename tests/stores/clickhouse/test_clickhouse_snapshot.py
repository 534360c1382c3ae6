"""A snapshot of ClickHouse has every change that is made by hand, and is the same again once that is undone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

import clickhouse_connect
import pytest
from clickhouse_connect.driver.client import Client

from provision.flows.rehearsal import differences
from provision.model import StoreOptions
from provision.ports.kind import Change
from provision.stores.clickhouse.setup.changes import changes
from provision.stores.clickhouse.setup.snapshot import anywhere, taken
from provision.stores.clickhouse.setup.stats import measured

MADE = (
    "CREATE TABLE t (id UInt64, at DateTime('UTC'), note String) ENGINE = MergeTree ORDER BY id",
    "CREATE TABLE sums (at Date, n UInt64) ENGINE = SummingMergeTree ORDER BY at",
    "CREATE VIEW v AS SELECT id FROM t",
)
CHANGES = (
    ("ALTER TABLE t ADD COLUMN x String", "ALTER TABLE t DROP COLUMN x", "table t"),
    ("ALTER TABLE t MODIFY COLUMN id COMMENT 'c'", "ALTER TABLE t MODIFY COLUMN id REMOVE COMMENT", "table t"),
    ("ALTER TABLE t MODIFY TTL at + INTERVAL 1 DAY", "ALTER TABLE t REMOVE TTL", "table t"),
    ("ALTER TABLE t ADD INDEX i id TYPE minmax", "ALTER TABLE t DROP INDEX i", "table t"),
    (
        "ALTER TABLE t MODIFY SETTING merge_with_ttl_timeout = 9",
        "ALTER TABLE t RESET SETTING merge_with_ttl_timeout",
        "table t",
    ),
    ("CREATE TABLE other (a UInt8) ENGINE = Memory", "DROP TABLE other", "table other"),
    ("CREATE VIEW w AS SELECT 1 AS one", "DROP VIEW w", "view w"),
    (
        "CREATE MATERIALIZED VIEW mv TO sums AS SELECT toDate(at) AS at, count() AS n FROM t GROUP BY at",
        "DROP VIEW mv",
        "materialized view mv",
    ),
    ("CREATE FUNCTION snapshot_twice AS (a) -> a * 2", "DROP FUNCTION snapshot_twice", "function snapshot_twice"),
    ("DROP VIEW v", "CREATE VIEW v AS SELECT id FROM t", "view v"),
    ("ALTER TABLE t MODIFY COLUMN note DEFAULT 'a, (b'", "ALTER TABLE t MODIFY COLUMN note REMOVE DEFAULT", "table t"),
    ("ALTER TABLE t ADD CONSTRAINT low CHECK id < 9", "ALTER TABLE t DROP CONSTRAINT low", "table t"),
    (
        "CREATE OR REPLACE VIEW v AS SELECT id + 1 AS id FROM t",
        "CREATE OR REPLACE VIEW v AS SELECT id FROM t",
        "view v",
    ),
)


def run(client: Client, found: Sequence[Change]) -> None:
    for each in found:
        assert not each.by_hand
        for line in each.statements:
            client.command(line)


def test_name_of_the_database_goes_where_it_names_an_object(clickhouse_embedded: str, tmp_path: Path) -> None:
    url = urlsplit(clickhouse_embedded)._replace(path="/here").geturl()
    client = clickhouse_connect.get_client(
        dsn=urlsplit(clickhouse_embedded)._replace(scheme="http", path="/default").geturl()
    )
    client.command("CREATE DATABASE here")
    client.command("CREATE TABLE here.t (id UInt64, place String DEFAULT 'here.t', `a.b` UInt8) ENGINE = Memory")
    client.command("CREATE VIEW here.v AS SELECT id, 'it\\'s here.v' AS at FROM here.t WHERE place != 'here.x'")

    found = taken(StoreOptions("clickhouse", "clickhouse", "vfr", tmp_path, tmp_path), url)

    assert found["table t"] == (
        "CREATE TABLE t (`id` UInt64, `place` String DEFAULT 'here.t', `a.b` UInt8) ENGINE = Memory"
    )
    assert "FROM t WHERE" in found["view v"]
    assert "'here.x'" in found["view v"]
    assert "s here.v'" in found["view v"]
    client.command("DROP DATABASE here")
    client.close()


def test_dictionary_of_a_text_is_named_without_its_database() -> None:
    text = "CREATE TABLE h.t (a UInt8 DEFAULT dictGet('h.d', 'h.a', 1)) ENGINE = Memory COMMENT 'of h.t'"

    assert anywhere(text, "h") == (
        "CREATE TABLE t (a UInt8 DEFAULT dictGet('d', 'h.a', 1)) ENGINE = Memory COMMENT 'of h.t'"
    )


@pytest.mark.parametrize(
    ("of_c", "order"),
    [
        ("AS SELECT 1 AS x FROM `t`", ["table t", "materialized view c", "materialized view b", "materialized view a"]),
        # A column of it has the name of the other one: that is taken for a circle, and every order is as good.
        ("AS SELECT a AS x FROM `t`", ["table t", "materialized view a", "materialized view b", "materialized view c"]),
    ],
)
def test_view_that_reads_another_is_made_behind_it(of_c: str, order: list[str]) -> None:
    made = {
        "materialized view a": "CREATE MATERIALIZED VIEW a TO t AS SELECT * FROM c",
        "materialized view b": "CREATE MATERIALIZED VIEW b TO t AS SELECT n FROM t",
        "materialized view c": f"CREATE MATERIALIZED VIEW c ENGINE = Memory {of_c}",
        "table t": "CREATE TABLE t (n UInt8) ENGINE = Memory",
    }

    assert [each.object for each in changes({}, made)] == order


def test_every_change_by_hand_is_one_difference(clickhouse_embedded: str, tmp_path: Path) -> None:
    url = urlsplit(clickhouse_embedded)._replace(path="/snapshot_of_this").geturl()
    options = StoreOptions("clickhouse", "clickhouse", "vfr", tmp_path, tmp_path)
    client = clickhouse_connect.get_client(
        dsn=urlsplit(clickhouse_embedded)._replace(scheme="http", path="/default").geturl()
    )
    client.command("DROP DATABASE IF EXISTS snapshot_of_this")
    client.command("CREATE DATABASE snapshot_of_this")
    client.database = "snapshot_of_this"
    for statement in MADE:
        client.command(statement)
    client.command("INSERT INTO t SELECT number, now(), 'one' FROM numbers(600)")
    found = measured(options, url).tables["t"]
    assert (found.rows, (found.bytes or 0) > 0, found.writes_per_second) == (600, True, 1.0)
    before = taken(options, url)
    assert list(before) == ["table sums", "table t", "view v"]
    for change, undo, name in CHANGES:
        client.command(change)
        found = differences({"c": before}, {"c": taken(options, url)})
        assert [each.name for each in found] == [name], change
        after = taken(options, url)
        run(client, changes(before, after))  # where it is made, its revision changes nothing
        assert taken(options, url) == after, change
        client.command(undo)
        assert taken(options, url) == before, undo
        run(client, changes(before, after))
        assert taken(options, url) == after, change
        run(client, changes(after, before))
        assert taken(options, url) == before, undo
    client.command("DROP DATABASE snapshot_of_this")
    client.close()
