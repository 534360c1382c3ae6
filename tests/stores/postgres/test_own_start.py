"""What an application does around Alembic: several schemas, a connection of its own, a context; and what it raises."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from tests.stores.postgres import environments
from tests.stores.postgres.projects import Project

SCHEMAS = environments.PLAIN.replace(
    "with engine.connect() as connection:",
    """\
from sqlalchemy import text

with engine.connect() as connection:
  for schema in ("public", "other"):
    connection.execute(text(f"set search_path to {schema}"))
    connection.commit()""",
)
HANDED = """\
from alembic import context

connection = context.config.attributes["connection"]
context.configure(connection=connection)
with context.begin_transaction():
    context.run_migrations()
"""
HANDED_OVER = environments.PLAIN.replace("engine.connect()", 'config.attributes["connect"]()')
GIVES = """\
from contextlib import contextmanager

from sqlalchemy import create_engine as with_pool, pool

log = []


def create_engine(url):
    return with_pool(url, poolclass=pool.NullPool)


@contextmanager
def entered(config):
    with create_engine(config.get_main_option("sqlalchemy.url")).connect() as connection:
        config.attributes["connection"] = connection
        log.append("entered")
        yield
        log.append("left")


def plainly(config):
    config.attributes["connect"] = create_engine(config.get_main_option("sqlalchemy.url")).connect


def failing(config):
    raise RuntimeError("no settings")
"""


def made_schema(project: Project) -> None:
    with psycopg.connect(project.url, autocommit=True) as connection:
        connection.execute("create schema other")


def everywhere(project: Project) -> list[tuple[str, str]]:
    found = project.rows(
        "select schemaname::text, tablename::text from pg_tables"
        " where schemaname in ('public', 'other') and tablename <> 'alembic_version' order by 1, 2"
    )
    return [(schema, table) for schema, table in found]


def test_env_py_that_runs_several_schemas_is_refused_before_anything_ran(project: Project) -> None:
    environments.written(project.root, SCHEMAS)
    made_schema(project)
    project.tables(2)

    ran = project.provision("up")

    assert ran.code == 2
    assert "error[several-runs]: env.py of postgres runs the migrations 2 times" in ran.err
    assert "where  alembic/env.py" in ran.err
    assert everywhere(project) == []
    assert project.rows("select to_regclass('public.alembic_version')::text") == [(None,)]
    assert project.events() == []


def test_fix_of_several_runs_followed_gives_each_schema_a_store(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    env = environments.PLAIN.replace(
        "    context.configure(connection=connection)",
        """\
    schema = connection.exec_driver_sql("select current_schema()").scalar()
    connection.commit()
    context.configure(connection=connection, version_table_schema=schema)""",
    )
    environments.written(project.root, env)
    made_schema(project)
    project.tables(2)
    (project.root / "provision.toml").write_text(
        '[project]\nname = "peers"\nhome = "postgres"\n'
        '[stores.postgres]\npath = "alembic"\nversion_table_schema = "public"\n'
        '[stores.second]\nkind = "postgres"\npath = "alembic"\nversion_table_schema = "other"\n'
        '[environments.test]\npostgres.url = "${PEERS_URL}"\nsecond.url = "${SECOND_URL}"\n'
    )
    joined = "&" if "?" in project.url else "?"
    monkeypatch.setenv("PEERS_URL", f"{project.url}{joined}options=-csearch_path%3Dpublic")
    monkeypatch.setenv("SECOND_URL", f"{project.url}{joined}options=-csearch_path%3Dother")

    project.up()

    tables = ("t0001", "t0002")
    assert everywhere(project) == [(schema, table) for schema in ("other", "public") for table in tables]
    assert "nothing to do" in project.up().out


def test_version_table_that_somebody_else_makes_meanwhile_is_taken_as_it_is(project: Project) -> None:
    environments.written(project.root, environments.PLAIN)
    project.tables(2)
    waits = "select 1 from pg_stat_activity where wait_event_type = 'Lock' and query ~* 'create table alembic_version'"
    with psycopg.connect(project.url) as other, ThreadPoolExecutor(1) as pool:
        other.execute("create table alembic_version (version_num varchar(32) not null primary key)")
        ran = pool.submit(project.provision, "up")
        while not project.rows(waits) and not ran.done():
            time.sleep(0.01)
        other.commit()

    assert ran.result().code == 0, ran.result().err
    assert [name for _, name in everywhere(project)] == ["t0001", "t0002"]


def test_env_py_that_makes_what_is_there_is_an_error_and_ends(project: Project) -> None:
    made = "with engine.connect() as connection:\n    connection.exec_driver_sql('create schema other')"
    environments.written(project.root, environments.PLAIN.replace("with engine.connect() as connection:", made))
    made_schema(project)
    project.tables(1)

    ran = project.provision("up")

    assert ran.code == 2
    assert 'error[env-failed]: env.py of postgres failed: schema "other" already exists' in ran.err


def test_env_py_that_runs_no_migrations_is_an_error_and_ends(project: Project) -> None:
    environments.written(project.root, environments.PLAIN.replace("context.run_migrations()", "pass"))
    project.tables(1)

    ran = project.provision("up")

    assert ran.code == 2
    assert "error[env-failed]: env.py of postgres does not come to context.run_migrations()" in ran.err


@pytest.mark.parametrize(("function", "name"), [("entered", "connection"), ("plainly", "connect")])
def test_env_py_that_takes_its_connection_from_the_application_gets_it(
    project: Project, function: str, name: str
) -> None:
    environments.written(project.root, HANDED if name == "connection" else HANDED_OVER)
    project.tables(2)
    (project.root / f"shop_{function}.py").write_text(GIVES)
    without = project.provision("up")
    assert f"error[env-failed]: env.py of postgres failed: KeyError: '{name}'" in without.err
    toml = project.root / "provision.toml"
    line = f'[stores.postgres]\nenv_setup = "shop_{function}:{function}"'
    toml.write_text(toml.read_text().replace("[stores.postgres]", line))

    project.up()

    assert [table for _, table in everywhere(project)] == ["t0001", "t0002"]
    project.down("--all")
    assert everywhere(project) == []


@pytest.mark.parametrize(
    ("named", "what"),
    [
        ("shop_f:failing", "RuntimeError: no settings"),
        ("shop_f:nowhere", "AttributeError: module 'shop_f' has no attribute 'nowhere'"),
        ("no_such_shop:setup", "ModuleNotFoundError: No module named 'no_such_shop'"),
    ],
)
def test_env_setup_that_fails_is_named(project: Project, named: str, what: str) -> None:
    environments.written(project.root, HANDED)
    project.tables(1)
    (project.root / "shop_f.py").write_text(GIVES)
    toml = project.root / "provision.toml"
    toml.write_text(toml.read_text().replace("[stores.postgres]", f'[stores.postgres]\nenv_setup = "{named}"'))

    ran = project.provision("up")

    assert ran.code == 2
    assert f"error[env-setup-failed]: env_setup {named} of postgres failed: {what}" in ran.err


def test_error_without_words_names_the_line_that_raised_it(project: Project) -> None:
    environments.written(project.root, environments.PLAIN)
    project.write("0001", up="assert op.get_bind() is None")

    ran = project.provision("up")

    assert "AssertionError in 0001_step.py:14: assert op.get_bind() is None" in ran.err


def test_heads_with_labels_of_their_own_are_no_fork(project: Project) -> None:
    environments.written(project.root, environments.PLAIN)
    project.write("a1", parent=None, labels=("orders",))
    project.write("a2", parent="a1")
    project.write("b1", parent=None, labels=("billing",))
    project.write("b2", parent="b1")

    project.up()

    assert sorted(row[0] for row in project.rows("select version_num from alembic_version")) == ["a2", "b2"]
    assert project.alembic("current").count("(head)") == 2
