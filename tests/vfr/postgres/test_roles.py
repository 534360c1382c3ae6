"""The roles where the migrating user may not make them, called again, and for what comes later."""

import psycopg
import pytest

from . import migrations
from .rows import scalar
from .servers import Server


def test_user_that_may_not_make_roles_migrates_and_is_told_what_to_run(server: Server, database: str) -> None:
    server.execute("CREATE ROLE managed LOGIN")
    server.execute(f"ALTER DATABASE {database} OWNER TO managed")
    try:
        url = server.url(database).replace("postgres@", "managed@")
        migrations.upgrade(url)
        with psycopg.connect(url, autocommit=True) as connection:
            # On a server without the roles these are made first; what they may do is asked for by the next call.
            for _ in range(2):
                left = [statement for (statement,) in connection.execute("SELECT apply_role_grants()")]
                for statement in left:
                    server.execute(statement)
            assert connection.execute("SELECT apply_role_grants()").fetchall() == []
            connection.execute("SET ROLE vfr_owner")
            assert scalar(connection, "SELECT row_security_active('users')") is False
    finally:
        server.execute("DROP OWNED BY managed CASCADE", database)
        server.execute(f"ALTER DATABASE {database} OWNER TO postgres")
        server.execute("DROP ROLE managed")


def test_later_table_is_read_and_written_by_the_application_and_read_by_reports(head: psycopg.Connection) -> None:
    with head.transaction(force_rollback=True):
        head.execute("CREATE TABLE later (n integer)")
        head.execute("SET LOCAL ROLE vfr_app")
        head.execute("INSERT INTO later VALUES (1)")
        head.execute("RESET ROLE")
        head.execute("SET LOCAL ROLE vfr_report")
        assert scalar(head, "SELECT count(*) FROM later") == 1
        with pytest.raises(psycopg.errors.InsufficientPrivilege), head.transaction():
            head.execute("DELETE FROM later")
        head.execute("RESET ROLE")


COMPUTED = ("mv_daily_features", "mv_daily_feature_days")


def test_what_functions_compute_is_read_and_not_written_by_the_application_which_may_call_them(
    head: psycopg.Connection,
) -> None:
    with head.transaction(force_rollback=True):
        head.execute("SELECT apply_role_grants()")
        head.execute("SET LOCAL ROLE vfr_app")
        for table in COMPUTED:
            assert scalar(head, f"SELECT count(*) FROM {table}") == 0
            for statement in (f"DELETE FROM {table}", f"INSERT INTO {table} DEFAULT VALUES", f"TRUNCATE {table}"):
                with pytest.raises(psycopg.errors.InsufficientPrivilege), head.transaction():
                    head.execute(statement.encode())
        head.execute("SELECT refresh_daily_features()")


def test_the_application_writes_no_table_that_keeps_books(head: psycopg.Connection) -> None:
    """Of all tables with rows of their own those of the platform alone."""
    with head.transaction(force_rollback=True):
        head.execute("SELECT apply_role_grants()")
        written = head.execute(
            "SELECT DISTINCT relnamespace::regnamespace::text, relname FROM pg_class, unnest(ARRAY['INSERT', 'UPDATE',"
            " 'DELETE', 'TRUNCATE']) p WHERE relkind IN ('r', 'p', 'm') AND has_table_privilege('vfr_app', oid, p)"
        ).fetchall()
        books = ("alembic_version", "tenants", "tenant_roles", *COMPUTED)
        assert [each for each in written if each[0] != "public" or each[1] in books] == []
        assert ("public", "ml_models") in written
