"""Up, down and up again end in the same schema, together and revision by revision."""

import io
import subprocess
from pathlib import Path

import psycopg
from alembic import command
from alembic.config import Config

from . import migrations
from .servers import ENVIRONMENT, Server

# They fill views, and make indexes of windows that hold rows.
NO_CHANGE = ("0055", "0059")


def test_round_trip_each_revision_restores_exactly_and_so_do_three_rounds(server: Server, database: str) -> None:
    """One revision up at a time, then one down at a time, then twice all of them: each state is always the same."""
    url = server.url(database)
    migrations.upgrade(url, "0001")
    migrations.downgrade(url)
    states = [("base", server.dump(database))]
    for revision in migrations.revision_ids():
        migrations.upgrade(url, revision)
        states.append((revision, server.dump(database)))
        assert (states[-1][1] != states[-2][1]) == (revision not in NO_CHANGE), f"{revision} changes nothing"
    for (revision, _), (below, before) in zip(states[:0:-1], states[-2::-1], strict=True):
        migrations.downgrade(url, below)
        assert server.dump(database) == before, f"downgrade of {revision} leaves a difference"
    head = states[-1][1]
    assert "CREATE TABLE public.probabilistic_models" in head
    for _ in range(2):
        migrations.upgrade(url)
        assert server.dump(database) == head
        migrations.downgrade(url)
    leaves_the_version_table_alone(url)


def leaves_the_version_table_alone(url: str) -> None:
    """At the base nothing is left, monthly partitions included, but for Alembic's own table."""
    with psycopg.connect(url) as connection:
        relations = connection.execute("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace")
        functions = connection.execute("SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace")
        assert sorted(name for (name,) in relations) == ["alembic_version", "alembic_version_pkc"]
        assert functions.fetchall() == []


def test_round_trip_env_of_alembic_init_reaches_the_same_schema(server: Server, database: str) -> None:
    migrations.upgrade_in_one_transaction(server.url(database))
    together = server.dump(database)
    migrations.downgrade(server.url(database))
    migrations.upgrade(server.url(database))
    assert server.dump(database) == together


def test_round_trip_another_default_schema_works(server: Server, database: str) -> None:
    server.execute("CREATE SCHEMA vfr", database)
    server.execute(f"ALTER DATABASE {database} SET search_path = vfr", database)
    migrations.upgrade(server.url(database))
    with psycopg.connect(server.url(database)) as connection:
        connection.execute("SET search_path = public")
        issues = connection.execute("SELECT sum(affected_records) FROM vfr.validate_probability_data()").fetchone()
        assert issues == (0,)
    migrations.downgrade(server.url(database))


def test_sql_of_the_shipped_environment_run_by_psql_reaches_the_same_schema(server: Server, database: str) -> None:
    statements = io.StringIO()
    config = Config(output_buffer=statements)
    config.set_main_option("script_location", str(migrations.ROOT / "alembic"))
    config.set_main_option("sqlalchemy.url", "postgresql+psycopg://")
    command.upgrade(config, "head", sql=True)
    psql: list[str | Path] = [
        server.bin / "psql",
        "--quiet",
        "--no-psqlrc",
        "--set=ON_ERROR_STOP=1",
        server.url(database),
    ]
    subprocess.run(psql, input=statements.getvalue(), text=True, check=True, capture_output=True, env=ENVIRONMENT)
    by_psql = server.dump(database)
    migrations.downgrade(server.url(database))
    migrations.upgrade(server.url(database))
    assert server.dump(database) == by_psql
