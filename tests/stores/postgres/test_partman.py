"""Sets of pg_partman are described, extended and retired; what stops one of them stops no other.

On Debian's 4.7 with PostgreSQL 15; with PROVISION_TEST_PARTMAN5 on 5 with PostgreSQL 17 (`make test-partman5`).
"""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from tests.servers.required import not_run
from tests.stores.postgres import partman5
from tests.stores.postgres.projects import Project
from tests.stores.postgres.windows import describe, execute, windows

MONTHS = """
create table {0} (at timestamptz not null, id int) partition by range (at);
select partman.create_parent(p_parent_table => 'public.{0}', p_control => 'at', p_type => '{1}',
    p_interval => '1 month', p_premake => 2, p_start_partition => '2026-09-01');
"""
CONFIG = "select premake, infinite_time_partitions, retention from partman.part_config order by parent_table"
AS_OF = ("--as-of", "2027-01-15")


@pytest.fixture(scope="module")
def postgres_15(postgres_15: str) -> Iterator[str]:
    """What the databases of this file are made on: on either of the two."""
    if partman5.ROOT:
        with partman5.Postgres17() as server_17:
            yield server_17.url
        return
    with psycopg.connect(postgres_15) as server:
        if server.execute("select from pg_available_extensions where name = 'pg_partman'").fetchone() is None:
            not_run("pg_partman of PostgreSQL 15", "apt-get install postgresql-15-partman", "postgres")
    yield postgres_15


@pytest.fixture
def months(events: Project) -> Project:
    """A table `prices` with pg_partman's own windows, from 2026-09 on."""
    (events.root / "partitions/events.yaml").unlink()
    execute(events, "create schema partman; create extension pg_partman schema partman")
    execute(events, kept_by_partman(events, "prices"))
    return events


def kept_by_partman(project: Project, name: str) -> str:
    [(version,)] = project.rows(
        "select split_part(extversion, '.', 1)::int from pg_extension where extname ~ 'partman'"
    )
    return MONTHS.format(name, "native" if version < 5 else "range")


def starts(project: Project, table: str) -> list[str]:
    """The months that its windows begin in, in order."""
    found = project.rows(
        "select substring(pg_get_expr(relpartbound, c.oid) from '....-..') from pg_inherits join pg_class c"
        f" on c.oid = inhrelid where inhparent = '{table}'::regclass and relname !~ 'default' order by 1"
    )
    return [str(month) for (month,) in found]


def test_sets_of_pg_partman_are_described_extended_and_retired(months: Project) -> None:
    change = "set retention = '61 days', retention_keep_table = false where parent_table = 'public.prices'"
    execute(months, f"update partman.part_config {change}")

    ran = months.done("partitions", "adopt")

    assert "wrote partitions/prices.yaml" in ran.out
    written = (months.root / "partitions/prices.yaml").read_text()
    assert written == (
        "store: postgres\ntable: 'prices'\nengine: partman\ncolumn: 'at'\ninterval: 1 month\nahead: 2\nbehind: 0\n"
        "retain: 61 days\non_retire: drop\n"
    )
    assert "is described already" in months.done("partitions", "adopt").out
    execute(months, "insert into prices values ('2026-09-05', 1), ('2027-01-14', 2)")
    before = starts(months, "prices")
    assert "would make" in months.done("partitions", "ensure", "--dry-run", *AS_OF).out
    assert starts(months, "prices") == before

    months.done("partitions", "ensure", *AS_OF)

    assert starts(months, "prices")[0] == "2026-09"
    assert starts(months, "prices")[-1] >= "2027-03"
    assert months.rows(CONFIG) == [(2, True, "61 days")]
    assert "nothing to do" in months.done("partitions", "ensure", *AS_OF).out
    assert "retired 2 windows" in months.done("partitions", "retire", *AS_OF).out
    assert starts(months, "prices")[0] == "2026-11"
    assert months.rows("select id from prices") == [(2,)]
    execute(months, "select partman.run_maintenance()")


def test_rows_of_the_default_partition_move_into_the_window_that_is_made(months: Project) -> None:
    months.done("partitions", "adopt")
    execute(months, "insert into prices values ('2027-03-05', 1), ('1999-01-01', 2)")
    assert months.rows("select id from only prices_default order by 1") == [(1,), (2,)]

    months.done("partitions", "ensure", *AS_OF)

    assert months.rows("select id from only prices_default") == [(2,)]
    assert months.rows("select count(*) from prices") == [(2,)]


def test_names_that_pg_partman_cannot_read_stop_no_other_table(months: Project) -> None:
    execute(months, "create table ab (at timestamptz not null, id int) partition by range (at)")
    execute(months, "create table ab_2024_01 partition of ab for values from ('2024-01-01') to ('2024-02-01')")
    execute(months, kept_by_partman(months, "ab").split(";", 1)[1])
    execute(months, "update partman.part_config set infinite_time_partitions = true")
    months.done("partitions", "adopt")
    with psycopg.connect(months.url, autocommit=True) as plain:
        try:
            plain.execute("select partman.run_maintenance()")
            readable = True  # 5 goes by the bounds of windows
        except psycopg.Error:
            readable = False

    ran = months.provision("partitions", "ensure", *AS_OF)

    assert starts(months, "prices")[-1] >= "2027-03"
    assert starts(months, "ab")[-1] >= "2027-03"
    assert ran.code == (0 if readable else 5), ran.err
    if not readable:
        assert "it reads the times of windows from their names" in ran.err
        [fix] = [line for line in ran.err.splitlines() if "ALTER TABLE" in line]
        execute(months, fix[fix.index("ALTER TABLE") :])
        months.done("partitions", "ensure", *AS_OF)
        execute(months, "select partman.run_maintenance()")


def test_a_table_is_handed_to_pg_partman(months: Project) -> None:
    execute(months, "create table trades (at date not null, id int) partition by range (at)")
    describe(months, "trades", "trades", more="engine: partman")

    ran = months.done("partitions", "ensure")

    assert "trades is kept by pg_partman now" in ran.out
    assert "takes rows until" in ran.out
    assert months.rows("select count(*) from partman.part_config where parent_table = 'public.trades'") == [(1,)]
    execute(months, "insert into trades values (current_date, 1), (current_date + 85, 2)")
    assert months.rows("select count(*) from only trades_default") == [(0,)]
    assert "nothing to do" in months.done("partitions", "ensure").out


LEFT = {
    "list": ("update partman.part_config set epoch = 'seconds'", "it is not partitioned by hours"),
    "gone": ("drop table prices", "there is no partitioned table of that name"),
    "odd": ("update partman.part_config set partition_interval = '1 mon 3 days'", "it is not partitioned by hours"),
    "retention": ("update partman.part_config set retention = '3 days'", "rows are kept for 3 days"),
    "both": ("update partman.part_config set retention = '1 mon 3 days'", "its retention is no whole number"),
}


@pytest.mark.parametrize(("sql", "said"), LEFT.values(), ids=LEFT)
def test_what_cannot_be_described_is_told_and_nothing_is_written(months: Project, sql: str, said: str) -> None:
    execute(months, sql)

    ran = months.provision("partitions", "adopt")

    assert (ran.code, said in ran.out) == (1, True), ran.out + ran.err
    assert list((months.root / "partitions").iterdir()) == []


def test_without_the_extension_it_is_said(events: Project) -> None:
    describe(events, more="engine: partman")

    ran = events.provision("partitions", "ensure")

    assert (ran.code, "error[extension-missing]" in ran.err) == (2, True), ran.err
    assert "partitions/events.yaml:8:1" in ran.err
    assert windows(events) == []
