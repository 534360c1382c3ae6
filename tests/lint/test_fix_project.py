"""`lint --fix` over revisions: what it writes runs on a real server, and what may be applied is left as it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from tests.servers.command_line import Provision

TABLE = "CREATE TABLE orders (id int PRIMARY KEY, user_id int, total int)"
PROOF = "with op.get_context().autocommit_block():\n        op.execute('ALTER TABLE orders VALIDATE CONSTRAINT chk')"
DOWN = 'raise NotImplementedError("a test")'


@pytest.fixture
def database(postgres_18: str) -> Iterator[str]:
    """The url of an empty database."""
    with psycopg.connect(postgres_18, autocommit=True) as connection:
        connection.execute("create database fixed")
        yield urlsplit(postgres_18)._replace(path="/fixed").geturl()
        connection.execute("drop database fixed with (force)")


@pytest.fixture
def branch(
    database: str,
    project: Path,
    revision: Callable[..., Path],
    git: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[[str], Path]:
    """A project whose main branch makes the table; writes a revision that main does not have."""
    env = project / "alembic" / "env.py"
    env.write_text(
        "from alembic import context\nfrom sqlalchemy import create_engine, pool\n\nif context.is_offline_mode():\n"
        "    context.configure(url='postgresql://')\n    with context.begin_transaction():\n"
        "        context.run_migrations()\nelse:\n"
        "    url = context.config.get_main_option('sqlalchemy.url')\n"
        "    with create_engine(url, poolclass=pool.NullPool).connect() as connection:\n"
        "        context.configure(connection=connection)\n        with context.begin_transaction():\n"
        "            context.run_migrations()\n"
    )
    toml = project / "provision.toml"
    told = toml.read_text().replace('"p"', '"p"\nhome = "postgres"')
    toml.write_text(told.replace("postgresql://nowhere/p", database))
    monkeypatch.setenv("PROVISION_ENV", "strict")
    revision("0001", f'op.execute("{TABLE}")')
    git("init", "-q", "-b", "main")
    git("add", "-A")
    git("commit", "-qm", "one")
    return lambda up: revision("0002", up, down=DOWN)


def block(call: str) -> str:
    return f"with op.get_context().autocommit_block():\n        {call}"


EXECUTED = 'op.execute("""\n        CREATE UNIQUE INDEX{}i\n            ON orders (user_id);\n    """)'
LONG = 'op.create_index(\n{0}    "i",\n{0}    "orders",\n{0}    ["user_id"]{1},\n{0})'
OPTION = ", postgresql_concurrently=True"
CASES = [
    ('op.execute("CREATE INDEX i ON orders (id)")', block('op.execute("CREATE INDEX CONCURRENTLY i ON orders (id)")')),
    (EXECUTED.format(" "), block(EXECUTED.format(" CONCURRENTLY "))),
    ('op.create_index("i", "orders", ["id"])', block(f'op.create_index("i", "orders", ["id"]{OPTION})')),
    (LONG.format("    ", ""), block(LONG.format("        ", OPTION))),
    (
        'op.execute("ALTER TABLE orders ADD CONSTRAINT chk CHECK (total >= 0)")',
        f'op.execute("ALTER TABLE orders ADD CONSTRAINT chk CHECK (total >= 0) NOT VALID")\n    {PROOF}',
    ),
    (
        'op.create_check_constraint("chk", "orders", "total >= 0")',
        f'op.create_check_constraint("chk", "orders", "total >= 0", postgresql_not_valid=True)\n    {PROOF}',
    ),
]


@pytest.mark.parametrize(("before", "after"), CASES)
def test_mended_revision_runs_and_has_no_finding_of_level_error(
    branch: Callable[[str], Path], provision: Provision, database: str, before: str, after: str
) -> None:
    path = branch(before)
    text = path.read_text()
    shown = provision("lint", "--changed-since", "main", "--fix")
    assert shown.err.startswith("--- alembic/versions/0002_r.py")
    assert path.read_text() == text
    provision("lint", "--changed-since", "main", "--fix", "--yes")
    assert path.read_text() == text.replace(before, after)
    assert provision("lint", "--changed-since", "main").code == 0
    done = provision("up")
    assert done.code == 0, done.err
    with psycopg.connect(database) as connection:
        valid = connection.execute(
            "select indisvalid from pg_index where indexrelid = to_regclass('i') union all "
            "select convalidated from pg_constraint where conname = 'chk'"
        ).fetchall()
    assert valid == [(True,)]


@pytest.mark.parametrize(
    "up",
    [
        'for name in ("i",):\n        op.execute(f"CREATE INDEX {name} ON orders (user_id)")',
        'op.execute("CREATE INDEX i ON orders (user_id); CREATE INDEX j ON orders (total)")',
        'sql = "CREATE INDEX i ON orders (user_id)"\n    op.execute(sql)',
        'op.execute("CREATE INDEX i "\n               "ON orders (user_id)")',
        'op.execute("ALTER TABLE orders ADD CHECK (total >= 0)")',
        'op.create_index("i", "orders", ["user_id"], **{})',
    ],
)
def test_call_that_has_no_one_form_is_left_as_it_is(
    branch: Callable[[str], Path], provision: Provision, up: str
) -> None:
    path = branch(up)
    text = path.read_text()
    ran = provision("lint", "--changed-since", "main", "--fix", "--yes")
    assert (ran.code, ran.err) == (1, "nothing has one right form\n")
    assert path.read_text() == text


def test_file_that_a_database_has_applied_is_left_as_it_is(branch: Callable[[str], Path], provision: Provision) -> None:
    path = branch('op.execute("CREATE INDEX i ON orders (user_id)")')
    text = path.read_text()
    assert provision("up").code == 0
    ran = provision("lint", "--changed-since", "main", "--fix", "--yes")
    assert ran.err.split("\n")[0] == "alembic/versions/0002_r.py is left as it is: strict has applied it, or begun to"
    assert path.read_text() == text


def test_file_that_the_base_branch_has_is_left_as_it_is(
    branch: Callable[[str], Path], provision: Provision, git: Callable[..., None]
) -> None:
    path = branch('op.execute("CREATE INDEX i ON orders (user_id)")')
    git("add", "-A")
    git("commit", "-qm", "two")
    path.write_text(text := path.read_text().replace("user_id", "total"))
    assert "nothing has one right form" in provision("lint", "--changed-since", "main", "--fix", "--yes").err
    assert path.read_text() == text


def test_files_of_a_database_that_does_not_answer_are_left_as_they_are(
    branch: Callable[[str], Path], provision: Provision, project: Path, database: str
) -> None:
    path = branch('op.execute("CREATE INDEX i ON orders (user_id)")')
    text = path.read_text()
    toml = project / "provision.toml"
    toml.write_text(toml.read_text().replace(database, "postgresql://nobody@127.0.0.1:1/none"))
    provision("lint", "--changed-since", "main", "--fix", "--yes")
    assert path.read_text() == text


def test_project_needs_a_reference(branch: Callable[[str], Path], provision: Provision) -> None:
    branch("pass")
    ran = provision("lint", "--fix")
    assert (ran.code, ran.err.split(":")[0]) == (2, "error[usage]")
