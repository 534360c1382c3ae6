"""What happens to a run when the ground moves under it; each time it says so, and can go on."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path

import psycopg
import pytest

from tests.backfill import project
from tests.backfill.project import append, standing
from tests.expected import Expected
from tests.servers.command_line import Provision

Database = psycopg.Connection[tuple[object, ...]]
ROWS = 20_000
ORDERS = {"key": "", "physical": "order: physical\n"}
CHANGED = "error[schema-changed]: the schema changed under the run: "
# What is done to the database, what undoes it, and the first line of what the run says.
CHANGES = {
    "column dropped": (
        "alter table orders drop column score",
        "alter table orders add column score numeric(5,4); update orders set score = 0.9 where mod(n, 7) = 0;"
        " update orders set score = 0.5 where mod(n, 7) <> 0 and source like 'web-%'",
        CHANGED + 'column "score" does not exist',
    ),
    "type changed": (
        "alter table orders alter column source type integer using null",
        "alter table orders alter column source type text using case when mod(n, 10) = 0 then 'shop' end",
        CHANGED + 'column "source" is of type integer but expression is of type text',
    ),
    "type of the key changed": (
        "alter table orders alter column id type text",
        "alter table orders alter column id type uuid using id::uuid",
        CHANGED + "operator does not exist: text > uuid",
    ),
    "table renamed": (
        "alter table orders rename to orders_old",
        "alter table orders_old rename to orders",
        CHANGED + 'relation "orders" does not exist',
    ),
    "table dropped": (
        "create table copy as table orders; drop table orders",
        "create table orders (like copy); insert into orders table copy; alter table orders add primary key (id)",
        CHANGED + 'relation "orders" does not exist',
    ),
    "value no longer allowed": (
        "alter table orders add constraint short check (length(source) < 5) not valid",
        "alter table orders drop constraint short",
        'error[batch-failed]: row KEY: new row for relation "orders" violates check constraint "short"',
    ),
}


Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start(shop: Path, url: str, database: Database) -> Iterator[Start]:
    """Begins a run over ROWS orders in a process of its own; returns once rows are filled."""
    started: list[subprocess.Popen[str]] = []
    project.sow(url, ROWS)

    def run(*more: object) -> subprocess.Popen[str]:
        started.append(project.process(shop, "backfill", "run", "source", "--rate", 3000, *more))
        project.until(lambda: project.rows_done(database) > 500 or started[-1].poll() is not None)
        return started[-1]

    yield run
    for each in started:
        each.kill()
        each.communicate()


# A walk through the heap does not look at the key.
_BLIND = ("type of the key changed", "physical")


@pytest.mark.parametrize(("change", "order"), [pair for pair in product(CHANGES, ORDERS) if pair != _BLIND])
def test_a_change_under_the_run_ends_it_and_it_goes_on_once_that_is_undone(
    shop: Path, start: Start, provision: Provision, database: Database, change: str, order: str
) -> None:
    append(shop, ORDERS[order])
    doing, undoing, said = CHANGES[change]
    started = start()
    database.execute(doing.encode())

    code, _, err = project.ended(started)

    assert code == 5
    assert re.sub(r"row [-0-9a-f]{36}", "row KEY", err).startswith(f"{said}\n  where  backfills/source.yaml\n  fix  ")
    assert standing(provision)["state"] == "errored"
    database.execute(undoing.encode())
    resumed = provision("backfill", "resume", "source")
    assert (resumed.code, resumed.err) == (0, "")
    assert database.execute(project.REFERENCE).fetchone() == (project.expected(ROWS),)


@pytest.fixture
def filler(url: str, shop: Path, database: Database, monkeypatch: pytest.MonkeyPatch) -> str:
    """A user with no more rights than it takes; SHOP_POSTGRES is its url."""
    assert shop.exists()
    name = f"filler_{database.info.dbname}"
    database.execute(f"create role {name} login; grant select, update on orders, alembic_version to {name}".encode())
    database.execute(f"grant create on database {database.info.dbname} to {name}".encode())
    database.execute(f"alter schema provision owner to {name}".encode())
    database.execute(f"grant all on all tables in schema provision to {name}".encode())
    monkeypatch.setenv("SHOP_POSTGRES", url.replace("postgres@", f"{name}@", 1))
    return name


@pytest.mark.parametrize(
    ("right", "what", "fix"),
    [
        ("update on orders", "table orders", "grant select, update on orders to the user of the url"),
        ("select on orders", "table orders", "grant select, update on orders to the user of the url"),
    ],
)
def test_a_right_taken_away_under_the_run_ends_it(
    start: Start, provision: Provision, database: Database, filler: str, right: str, what: str, fix: str
) -> None:
    started = start()
    database.execute(f"revoke {right} from {filler}".encode())

    code, _, err = project.ended(started)

    said = f"error[no-privilege]: postgres: permission denied for {what}\n  where  backfills/source.yaml\n"
    assert (code, err) == (5, f"{said}  fix    {fix}\n")
    assert standing(provision)["state"] == "errored"
    database.execute(f"grant {right} to {filler}".encode())
    assert provision("backfill", "resume", "source").code == 0
    assert database.execute(project.REFERENCE).fetchone() == (project.expected(ROWS),)


def test_a_log_that_may_not_be_written_any_more_ends_the_run(
    expected: Expected, start: Start, provision: Provision, database: Database, filler: str
) -> None:
    started = start()
    owner = database.execute("select relowner from pg_class where relname = 'backfill_part'").fetchone()
    assert owner == database.execute("select oid from pg_roles where rolname = %s", [filler]).fetchone()
    database.execute("alter table provision.backfill_part owner to postgres")
    database.execute(f"revoke all on provision.backfill_part from {filler}".encode())

    code, _, err = project.ended(started)

    assert code == 5
    expected(err)
    database.execute(f"grant all on provision.backfill_part to {filler}".encode())
    assert provision("backfill", "resume", "source").code == 0
    assert database.execute(project.REFERENCE).fetchone() == (project.expected(ROWS),)


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        (
            "drop table provision.backfill_run, provision.backfill_part, provision.backfill_skipped",
            r"error\[(run-gone|schema-changed)\]: (run \S+ is not in the log any more|the schema)",
        ),
        (
            "delete from provision.backfill_run",
            r"error\[run-gone\]: run \S+ is not in the log any more\n.*\n.*`provision backfill run ",
        ),
    ],
    ids=["tables", "rows"],
)
def test_a_log_that_is_gone_ends_the_run_and_the_next_one_begins_anew(
    start: Start, provision: Provision, database: Database, statement: str, told: str
) -> None:
    started = start()
    database.execute(statement.encode())

    code, _, err = project.ended(started)

    assert code == 5
    assert re.match(told, err), err
    assert provision("backfill", "run", "source").code == 0
    assert database.execute(project.REFERENCE).fetchone() == (project.expected(ROWS),)


@pytest.mark.parametrize("order", ORDERS)
def test_connections_ended_by_the_administrator_again_and_again_lose_nothing_and_double_nothing(
    shop: Path, start: Start, provision: Provision, database: Database, order: str
) -> None:
    append(shop, ORDERS[order])
    database.execute(
        "create table touched (n bigint); create function touch() returns trigger language plpgsql as $$ begin"
        " insert into touched values (new.n); return null; end $$;"
        "create trigger touch after update on orders for each row execute function touch()"
    )
    started = start("--workers", 3)
    ended = 0
    while started.poll() is None:
        # All of them but this one, the log's and the lease's too: in a batch, in its commit, between two.
        every = "select count(pg_terminate_backend(pid)) from pg_stat_activity"
        row = database.execute(
            f"{every} where datname = current_database() and pid <> pg_backend_pid()".encode()
        ).fetchone()
        ended += int(str(row[0])) if row else 0
        database.execute("select pg_sleep(0.15 + random() * 0.2)")

    code, _, err = project.ended(started)

    assert (code, err) == (0, ""), err
    assert ended > 20
    assert database.execute(project.REFERENCE).fetchone() == (project.expected(ROWS),)
    assert database.execute("select count(*), count(distinct n) from touched").fetchone() == (18_000, 18_000)
    assert standing(provision)["rows_done"] == 18_000


def test_a_query_of_the_user_that_fails_under_the_run_ends_it(
    shop: Path, start: Start, provision: Provision, database: Database
) -> None:
    database.execute("create table busy (why text)")
    append(shop, "yield: {sql: select why from busy}\n")
    started = start()
    database.execute("drop table busy")

    code, _, err = project.ended(started)
    again = provision("backfill", "resume", "source")

    said = 'error[bad-yield]: yield.sql: relation "busy" does not exist\n  where  backfills/source.yaml:10:9\n'
    fix = (
        "  fix    bring back what the query reads, then `provision backfill resume source --env test`; where the file"
        " is to change, `provision backfill cancel source --env test`, edit it, then"
        " `provision backfill run source --env test`\n"
    )
    assert (code, err) == (5, said + fix)
    assert (again.code, again.err) == (2, said + "  fix    correct the query\n")
    database.execute("create table busy (why text)")
    assert provision("backfill", "resume", "source").code == 0
    assert database.execute(project.REFERENCE).fetchone() == (project.expected(ROWS),)
