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
