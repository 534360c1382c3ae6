"""`alembic/repeatable/*.sql`: skipped without its extension, applied when that comes, again when the file changes."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from tests.cli.conftest import PROJECTS, Provision
from tests.expected import Expected

VIEW = """-- description: Orders with their accounts
-- needs: extension hstore

CREATE OR REPLACE VIEW order_list AS SELECT id, {columns} FROM orders;

-- down:
DROP VIEW order_list;
"""
PROJECT = """
[project]
name = "repeated"
home = "postgres"
[stores.postgres]
path = "alembic"
[environments.test]
postgres.url = "${REPEATED}"
"""


@pytest.fixture
def database(postgres_15: str, request: pytest.FixtureRequest) -> Iterator[str]:
    """The url of a new database on a server that has the extension hstore."""
    name = f"repeated_{abs(hash(request.node.name)) % 10**8}"
    with psycopg.connect(postgres_15, autocommit=True) as admin:
        admin.execute(f"create database {name}")
        yield urlsplit(postgres_15)._replace(path=f"/{name}").geturl()
        admin.execute(f"drop database {name} with (force)")


@pytest.fixture
def project(tmp_path: Path, database: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three revisions and one repeatable view."""
    shutil.copytree(PROJECTS / "small" / "alembic", tmp_path / "alembic")
    (tmp_path / "alembic" / "versions" / "0003_order_notes.py").write_text(
        '"""Notes on orders"""\nfrom alembic import op\n\nrevision = "0003"\ndown_revision = "0002"\n\n\n'
        'def upgrade():\n    op.execute("alter table orders add note text")\n\n\n'
        'def downgrade():\n    op.execute("alter table orders drop column note")\n'
    )
    (tmp_path / "alembic" / "repeatable").mkdir()
    (tmp_path / "provision.toml").write_text(PROJECT)
    write(tmp_path, "note")
    monkeypatch.setenv("REPEATED", database)
    monkeypatch.setenv("PROVISION_ENV", "test")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(project: Path, columns: str) -> None:
    (project / "alembic" / "repeatable" / "order_list.sql").write_text(VIEW.format(columns=columns))


def columns(database: str) -> list[str]:
    with psycopg.connect(database) as connection:
        rows = connection.execute(
            "select attname from pg_attribute where attrelid = to_regclass('order_list') and attnum > 0 order by attnum"
        )
        return [row[0] for row in rows]


def events(database: str) -> list[tuple[str, str]]:
    with psycopg.connect(database) as connection:
        return connection.execute(
            "select kind, coalesce(detail->>'reason', detail->>'error', '') from provision.ledger"
            " where revision = 'postgres/order_list' order by token, n"
        ).fetchall()


def extend(database: str) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("create extension hstore")


@pytest.mark.usefixtures("project")
def test_repeatable_without_its_extension_is_skipped_once(database: str, provision: Provision) -> None:
    first = provision("up")
    again = provision("up")

    assert first.code == 0
    assert "  - postgres/order_list  skipped: needs extension hstore\n" in first.out
    assert first.out.splitlines()[-1].startswith("3 applied, 1 skipped in ")
    assert again.out.endswith("nothing to do\n")
    assert events(database) == [("skipped", "needs extension hstore")]
    status = provision("status", "--check")
    assert (status.code, columns(database)) == (0, [])
    assert "3 applied, 1 skipped\n    - postgres/order_list  skipped   Orders with their accounts\n" in status.out
    assert status.out.endswith("needs extension hstore\neverything is applied\n")


@pytest.mark.usefixtures("project")
def test_repeatable_is_applied_when_its_extension_has_come(database: str, provision: Provision) -> None:
    provision("up")
    extend(database)

    document = json.loads(provision("up", "--output", "json").out)

    assert [each["id"] for each in document["applied"]] == ["postgres/order_list"]
    assert columns(database) == ["id", "note"]
    assert [kind for kind, _ in events(database)] == ["skipped", "applied"]


def test_repeatable_is_applied_again_only_when_its_file_changes(
    project: Path, database: str, provision: Provision
) -> None:
    extend(database)
    provision("up")
    assert provision("up").out.endswith("nothing to do\n")
    write(project, "note, id as number")

    assert "the file has changed since; it is applied again" in provision("status").out
    assert provision("up").code == 0

    assert columns(database) == ["id", "note", "number"]
    assert [kind for kind, _ in events(database)] == ["applied", "applied"]


@pytest.mark.usefixtures("project")
def test_repeatable_goes_down_before_any_revision_and_comes_back(database: str, provision: Provision) -> None:
    extend(database)
    provision("up")

    down = json.loads(provision("down", "--steps", "1", "--allow-destructive", "--output", "json").out)
    assert [each["id"] for each in down["reverted"]] == ["postgres/order_list", "postgres/0003"]
    assert columns(database) == []

    up = json.loads(provision("up", "--output", "json").out)
    assert [each["id"] for each in up["applied"]] == ["postgres/0003", "postgres/order_list"]
    assert columns(database) == ["id", "note"]


@pytest.mark.usefixtures("project")
def test_repeatable_waits_for_every_revision_of_its_store(database: str, provision: Provision) -> None:
    extend(database)

    assert provision("up", "--steps", "2").code == 0

    assert events(database) == []


def test_repeatable_with_an_error_is_rolled_back_and_named(
    expected: Expected, project: Path, database: str, provision: Provision
) -> None:
    extend(database)
    write(project, "no_such_column")

    ran = provision("up")

    assert ran.code == 5
    expected(ran.err)
    assert columns(database) == []
    write(project, "note")
    assert provision("up").code == 0
    assert [kind for kind, _ in events(database)] == ["failed", "applied"]


def test_repeatable_whose_file_is_gone_is_unknown_and_not_called_undone_by_alembic(
    project: Path, database: str, provision: Provision
) -> None:
    extend(database)
    provision("up")
    (project / "alembic" / "repeatable" / "order_list.sql").unlink()

    assert "newer than every file here" in provision("up").out

    assert [kind for kind, _ in events(database)] == ["applied"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "-- needs: pg_cron\nselect 1;\n",
            "error[bad-header]: `-- needs: pg_cron` is not understood\n"
            "  where  alembic/repeatable/order_list.sql\n"
            "  fix    write `-- needs: extension NAME`, several separated by commas\n",
        ),
        (
            "-- description: nothing yet\n-- down:\ndrop view x;\n",
            "error[empty-migration]: order_list.sql is empty\n"
            "  where  alembic/repeatable/order_list.sql\n"
            "  fix    write its SQL or delete it\n",
        ),
    ],
)
def test_repeatable_that_cannot_be_read_is_refused(
    project: Path, provision: Provision, text: str, message: str
) -> None:
    (project / "alembic" / "repeatable" / "order_list.sql").write_text(text)

    ran = provision("plan", "--offline")

    assert (ran.code, ran.err) == (2, message)


def test_repeatable_without_a_down_part_stops_a_down(project: Path, database: str, provision: Provision) -> None:
    extend(database)
    path = project / "alembic" / "repeatable" / "order_list.sql"
    path.write_text(path.read_text().split("-- down:")[0])
    provision("up")

    ran = provision("down", "--steps", "1", "--allow-destructive")

    assert ran.code == 3
    assert "postgres/order_list has no way down: it has no `-- down:` part" in ran.err
