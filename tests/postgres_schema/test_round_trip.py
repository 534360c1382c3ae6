"""Up, down and up again end in the same schema, together and revision by revision."""

import psycopg

from . import migrations
from .servers import Server


def test_round_trip_three_rounds_end_in_the_same_schema(server: Server, database: str) -> None:
    url = server.url(database)
    migrations.upgrade(url)
    head = server.dump(database)
    assert "CREATE TABLE public.probabilistic_models" in head
    for _ in range(3):
        migrations.downgrade(url)
        migrations.upgrade(url)
        assert server.dump(database) == head


def test_round_trip_each_revision_restores_exactly(server: Server, database: str) -> None:
    url = server.url(database)
    migrations.upgrade(url, "0001")
    migrations.downgrade(url)
    below, before = "base", server.dump(database)
    for revision in migrations.revision_ids():
        migrations.upgrade(url, revision)
        after = server.dump(database)
        assert after != before, f"{revision} changes nothing"
        migrations.downgrade(url, below)
        assert server.dump(database) == before, f"downgrade of {revision} leaves a difference"
        migrations.upgrade(url, revision)
        assert server.dump(database) == after, f"second upgrade of {revision} differs from the first"
        below, before = revision, after


def test_round_trip_downgrade_to_base_leaves_the_version_table_alone(server: Server, database: str) -> None:
    url = server.url(database)
    migrations.upgrade(url)
    migrations.downgrade(url)
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
