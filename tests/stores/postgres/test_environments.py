"""Every ordinary env.py works as it is, and each revision has its ledger entry in its own transaction."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import clickhouse_connect
import pytest

from tests.stores.postgres import environments
from tests.stores.postgres.projects import Project, Provision, at, database, rows, schema

Write = Callable[[Path], None]
ENVIRONMENTS: dict[str, tuple[Write, str]] = {
    "generic": (lambda root: environments.initialised(root, "generic"), "+psycopg"),
    "async with psycopg": (lambda root: environments.initialised(root, "async"), "+psycopg"),
    "async with asyncpg": (lambda root: environments.initialised(root, "async"), "+asyncpg"),
    "begin": (lambda root: environments.written(root, environments.BEGIN), "+psycopg"),
    "own connection": (lambda root: environments.written(root, environments.OWN), "+psycopg"),
}
# The table that a revision made, and its ledger entry: written by the same transaction when xmin is the same.
SAME_TRANSACTION = """
select l.revision, l.xmin::text, c.xmin::text from provision.ledger l
join pg_class c on c.relname = 't' || split_part(l.revision, '/', 2) order by 1
"""


@pytest.mark.parametrize("named", ENVIRONMENTS)
def test_up_stopped_after_ten_of_two_dozen_leaves_ten_in_their_own_transactions(
    named: str, root: Path, every_server: str, provision: Provision, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, driver = ENVIRONMENTS[named]
    write(root)
    name_driver(root / "alembic.ini", driver)
    with database(every_server) as url, database(every_server) as theirs:
        monkeypatch.setenv("PEERS_URL", url)
        project = Project(root, url, provision, driver)
        project.tables(24)

        project.up("--steps", "10")
        assert_own_transactions(project, 10)
        assert project.rows("select version_num from alembic_version") == [("0010",)]
        assert "0010" in project.alembic("current")

        project.up()
        assert_own_transactions(project, 24)
        assert project.rows("select version_num from alembic_version") == [("0024",)]

        project.alembic("upgrade", "head", url=theirs)
        assert project.schema() == schema(theirs)

        project.down("--all")
        assert project.schema() == []
        assert project.rows("select version_num from alembic_version") == []


def assert_own_transactions(project: Project, count: int) -> None:
    written = project.rows(SAME_TRANSACTION)
    assert [row[0] for row in written] == [f"postgres/{number:04d}" for number in range(1, count + 1)]
    assert all(ledger == table for _, ledger, table in written)
    assert len({ledger for _, ledger, _ in written}) == count
    assert [kind for _, kind in project.events()] == ["applied"] * count


def name_driver(ini: Path, driver: str) -> None:
    """Let the ini name the driver, as it does in a project that has chosen one."""
    lines = ini.read_text().splitlines(keepends=True)
    kept = [line for line in lines if not line.startswith("sqlalchemy.url")]
    place = next(number for number, line in enumerate(kept) if line.startswith("[alembic]"))
    kept.insert(place + 1, f"sqlalchemy.url = postgresql{driver}://somewhere/else\n")
    ini.write_text("".join(kept))


def test_up_begin_says_that_it_runs_alembic_for_each_revision(project: Project) -> None:
    environments.written(project.root, environments.BEGIN)
    project.tables(3)

    ran = project.up()

    note = "  … postgres: env.py hands over a connection in a transaction: one Alembic run for each revision\n"
    assert ran.out.count(note) == 1


@pytest.mark.parametrize(("level", "shown"), [("", "read committed"), ("SERIALIZABLE", "serializable")])
def test_up_transactions_have_the_isolation_that_env_asks_for_and_our_limits(
    project: Project, level: str, shown: str
) -> None:
    asked = f'.execution_options(isolation_level="{level}")' if level else ""
    plain = environments.PLAIN.replace("engine.connect() as", f"engine{asked}.connect() as")
    environments.written(project.root, plain)
    settings = ("transaction_isolation", "lock_timeout", "application_name")
    read = ", ".join(f"current_setting('{name}') as {name}" for name in settings)
    project.write("0001", f'op.execute("create table seen as select {read}")')
    project.write("0002", f'op.execute("insert into seen select {read}")')

    project.up()

    found = project.rows("select * from seen order by 3")
    assert [row[:2] for row in found] == [(shown, "750ms")] * 2
    assert [row[2].rsplit("/", 2)[1:] for row in found] == [["postgres", "0001"], ["postgres", "0002"]]
    assert [kind for _, kind in project.events()] == ["applied"] * 2


def test_up_noisy_env_prints_nothing_of_its_own_and_leaves_logging_as_it_was(project: Project) -> None:
    ini = (Path(environments.__file__).parent / "noisy.ini").read_text()
    environments.written(project.root, environments.NOISY, ini)
    project.tables(1)
    ours = logging.getLogger("ours.own")
    before = (list(logging.getLogger().handlers), logging.getLogger().level, ours.disabled)

    ran = project.up()

    assert "noise" not in ran.out + ran.err
    assert "INFO" not in ran.out + ran.err
    assert (list(logging.getLogger().handlers), logging.getLogger().level, ours.disabled) == before


def test_up_env_that_names_another_database_is_refused_before_any_statement(
    project: Project, postgres_15: str, clickhouse_embedded: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    both = project.root / "provision.toml"
    both.write_text(both.read_text().replace("[environments.test]", BESIDE))
    (project.root / "clickhouse").mkdir()
    (project.root / "clickhouse" / "001_t.sql").write_text("CREATE TABLE t (x Int32) ENGINE = MergeTree ORDER BY x;")
    monkeypatch.setenv("PEERS_CLICKHOUSE", at(clickhouse_embedded, "beside"))
    with database(postgres_15, "elsewhere") as other:
        write_env_that_goes_to(project.root, other)
        project.tables(2)

        ran = project.provision("up")

        assert ran.code == 2
        assert "error[wrong-database]: env.py connects to database 'elsewhere_" in ran.err
        assert "not to the configured 'peers_" in ran.err
        assert rows(other, ALL) == []
        assert project.schema() == []
    with clickhouse_connect.get_client(
        dsn=at(clickhouse_embedded, "default").replace("clickhouse://", "http://")
    ) as it:
        assert it.query("SELECT name FROM system.tables WHERE database = 'beside' AND name = 't'").result_rows == []
        it.command("DROP DATABASE beside")


def write_env_that_goes_to(root: Path, url: str) -> None:
    target = url.replace("postgresql://", "postgresql+psycopg://", 1).replace("%", "%%")
    chosen = f"config = context.config\nconfig.set_main_option('sqlalchemy.url', '{target}')"
    environments.written(root, environments.PLAIN.replace("config = context.config", chosen))


BESIDE = """[stores.clickhouse]
[environments.test]
clickhouse.url = "${PEERS_CLICKHOUSE}"
"""
ALL = """
select relname from pg_class c join pg_namespace n on n.oid = relnamespace
where nspname not in ('pg_catalog', 'information_schema', 'pg_toast')
"""
