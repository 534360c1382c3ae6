"""CREATE INDEX CONCURRENTLY that waits for a transaction longer than the lock_timeout of its role allows.

Of itself provision lets it wait: it keeps nobody from his rows.
"""

from __future__ import annotations

import threading

import psycopg

from tests.stores.postgres import environments
from tests.stores.postgres.projects import Project

FOUND = "select indexrelid, indisvalid from pg_index where indexrelid = to_regclass('i')"


def test_index_that_runs_into_its_lock_timeout_is_dropped_and_built_again(project: Project) -> None:
    environments.written(project.root, environments.PLAIN)
    project.write("0001", 'op.execute("create table a (x int)")')
    project.up()
    create = "create index concurrently i on a (x)"
    project.write("0002", f'with op.get_context().autocommit_block():\n        op.execute("{create}")')
    with psycopg.connect(project.url, autocommit=True) as connection:
        connection.execute(f"alter database {connection.info.dbname} set lock_timeout = '300ms'".encode())
    seen: dict[int, bool] = {}
    over = threading.Event()

    def look() -> None:
        with psycopg.connect(project.url, autocommit=True) as connection:
            while not over.wait(0.005):
                seen.update(connection.execute(FOUND).fetchall())

    watcher = threading.Thread(target=look)
    with psycopg.connect(project.url, application_name="report") as connection:
        connection.execute("insert into a values (1)")  # the index is begun, and waits for whoever writes the table
        watcher.start()
        committed = threading.Timer(4.0, connection.commit)
        committed.start()
        ran = project.up()
        committed.join()
    over.set()
    watcher.join()

    assert "postgres/0002 gave way after " in ran.out
    assert "(postgres, report) in a transaction for " in ran.out
    detail = project.rows("select detail from provision.ledger order by token desc, n desc limit 1")
    assert "55P03" in str(detail)
    [(oid, valid)] = project.rows(FOUND)
    assert valid
    assert len(seen) >= 2, "each attempt makes an index of its own"
    assert project.rows("select count(*) from pg_index where not indisvalid") == [(0,)]
    assert oid == max(seen)
    assert [kind for _, kind in project.events()][-1] == "applied"
