"""A statement that goes on at the server after its client was killed is waited for, not run twice."""

from __future__ import annotations

import psycopg

from tests.concurrency.conftest import Rows
from tests.concurrency.project import Small
from tests.concurrency.test_lease import APPLIED, CREATE, SLEEPING, SLOW

CONCURRENTLY = """with op.get_context().autocommit_block():
    op.execute("create index concurrently effects_revision on effects (revision)")"""
INDEX_RUNS = "select pid from pg_stat_activity where query like 'create index concurrently%' and state = 'active'"


def test_sleeping_revision_of_a_killed_run_is_outlasted(small: Small, rows: Rows) -> None:
    small.revisions(CREATE, SLOW.format("0002", 6))
    run = small.start("up")
    run.until(lambda: bool(rows(SLEEPING)), "the slow statement")
    run.kill()
    assert rows(SLEEPING)

    ended = small.run("up")

    assert ended.code == 0, ended.err
    assert "an earlier run's statement is still running" in ended.out
    assert rows("select revision from effects") == [("0002",)]


def test_index_built_after_its_client_was_killed_is_not_built_twice(small: Small, rows: Rows, postgres: str) -> None:
    small.revisions(CREATE, CONCURRENTLY)
    assert small.run("up", "postgres/0001").code == 0
    with psycopg.connect(postgres) as blocker:
        blocker.execute("insert into effects values ('open')")  # CONCURRENTLY waits for this transaction
        run = small.start("up")
        run.until(lambda: bool(rows(INDEX_RUNS)), "the index being built")
        before = rows(INDEX_RUNS)
        run.kill()
        following = small.start("up")
        following.until(lambda: bool(rows("select 1 from provision.lease where token = 3")), "the next run's lease")
        assert rows(INDEX_RUNS) == before

    ended = following.end()

    assert ended.code == 0, ended.err
    assert rows("select count(*) from pg_index where indexrelid = 'effects_revision'::regclass and indisvalid") == [
        (1,)
    ]
    assert [name for name, _ in rows(APPLIED)] == ["postgres/0001", "postgres/0002"]


def test_insert_of_a_killed_run_is_outlasted_in_clickhouse(both: Small, found: Rows) -> None:
    (both.folder / "clickhouse/001_effects.sql").write_text(
        "CREATE TABLE effects (step UInt8) ENGINE = MergeTree ORDER BY step"
        " SETTINGS non_replicated_deduplication_window = 100;\n"
    )
    (both.folder / "clickhouse/002_slow.sql").write_text(
        "INSERT INTO effects SELECT number FROM numbers(6) WHERE sleepEachRow(0.5) = 0 ORDER BY ALL"
        " SETTINGS max_block_size = 1;\n"
    )
    running = "SELECT 1 FROM system.processes WHERE Settings['log_comment'] LIKE 'provision/small/%/clickhouse/002%'"
    run = both.start("up")
    run.until(lambda: bool(found(running)), "the slow insert")
    run.kill()

    ended = both.run("up")

    assert ended.code == 0, ended.err
    assert found("SELECT count() FROM effects") == [(6,)]
    assert found("SELECT version, count() FROM schema_versions GROUP BY version ORDER BY 1") == [(1, 1), (2, 1)]
