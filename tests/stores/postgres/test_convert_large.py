"""Two million rows become a window while others read and write them, and nobody waits as for a copy."""

from __future__ import annotations

import threading
import time

import psycopg

from tests.stores.postgres.projects import Project
from tests.stores.postgres.windows import NOW, describe, execute

ROWS = 2_000_000
LARGE = f"""
create table orders (id bigint, at timestamptz not null, v text, primary key (id, at));
insert into orders select n, '2020-01-01 00:00Z'::timestamptz + n * interval '100 seconds', 'v' || n
from generate_series(1, {ROWS}) n;
create index on orders (at);
"""
DIGEST = f"select count(*), sum(hashtextextended(o::text, 0)) from orders o where id <= {ROWS}"


class Traffic:
    """A writer and a reader of the table, who note how long each statement took, and the writer's ids."""

    def __init__(self, url: str) -> None:
        self._url, self._over = url, threading.Event()
        self.waits: list[float] = []
        self.written = ROWS
        self._threads = [threading.Thread(target=each) for each in (self._write, self._read)]

    def __enter__(self) -> Traffic:
        for each in self._threads:
            each.start()
        time.sleep(0.5)
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for each in self._threads:
            each.join()

    def _write(self) -> None:
        with psycopg.connect(self._url, autocommit=True) as connection:
            while not self._over.wait(0.002):
                before = time.monotonic()
                connection.execute("insert into orders values (%s, '2026-11-29', 'new')", (self.written + 1,))
                self.waits.append(time.monotonic() - before)
                self.written += 1

    def _read(self) -> None:
        with psycopg.connect(self._url, autocommit=True) as connection:
            while not self._over.wait(0.002):
                before = time.monotonic()
                found = connection.execute("select v from orders where id = 1999999").fetchone()
                self.waits.append(time.monotonic() - before)
                assert found == ("v1999999",)


def test_two_million_rows_are_converted_beside_a_writer_and_a_reader(events: Project) -> None:
    execute(events, LARGE)
    describe(events, "orders", "orders")
    before = events.rows(DIGEST)

    with Traffic(events.url) as traffic:
        events.done("partitions", "convert", "orders", *NOW)

    assert events.rows(DIGEST) == before
    assert events.rows(f"select count(*) from orders where id > {ROWS}") == [(traffic.written - ROWS,)]
    assert max(traffic.waits) < 2, max(traffic.waits)
    assert events.rows("select relkind::text from pg_class where relname = 'orders'") == [("p",)]
