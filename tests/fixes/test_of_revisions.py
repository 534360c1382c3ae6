"""Revisions of PostgreSQL that fail or are refused: written as the fix says, the next `up` applies them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.backfill import project
from tests.fixes.following import failed, fix_of
from tests.servers.command_line import Provision

ENV = ("--env", "test")
SECOND = "alembic/versions/0002_source_is_there.py"
TOML = "provision.toml"
ENV_PY = "alembic/env.py"
REVISION = """\
{1}
revision = "0002"
down_revision = "0001"

from alembic import op


def upgrade() -> None:
    {0}


def downgrade() -> None:
    pass
"""


def upgrade(body: str, head: str = "") -> str:
    return REVISION.format(body, head)


class Case(NamedTuple):
    """A file as it is wrong, words of the fix, and the file as the fix says; `typed` other than `up`."""

    code: str
    file: str
    wrong: str | None
    words: str
    right: str | None
    typed: str = "up"
    ends: int = 0


TEMPLATE = (project.ROOT / "provision/stores/postgres/setup/template/env.py").read_text()
TEXT = project._TOML.format(lease=30)
CONFIGURE = "        context.configure("
ASKS = TEMPLATE.replace(CONFIGURE, f'        connection.exec_driver_sql("select 1")\n{CONFIGURE}')
ROLLED = 'op.execute("create table t (x int)")\n    op.get_bind().rollback()'
SAVED = (
    'op.execute("create table t (x int)")\n    with op.get_bind().begin_nested() as inner:\n        inner.rollback()'
)
SETUP = '[stores.postgres]\nenv_setup = "shop_start:begin"\n'
CASES = [
    Case("revision-failed", SECOND, upgrade("raise ValueError('no')"), "correct", upgrade("pass")),
    Case("rolled-back-inside", SECOND, upgrade(ROLLED), "begin_nested()", upgrade(SAVED)),
    Case("alembic-refused", SECOND, upgrade("pass", "import nowhere"), "correct the line", upgrade("pass")),
    Case("not-committed", ENV_PY, ASKS, "commit", ASKS.replace('"select 1")', '"select 1"); connection.commit()')),
    Case("env-failed", ENV_PY, TEMPLATE + "\nraise ValueError('no')\n", "correct the line", TEMPLATE),
    Case("missing-env", ENV_PY, None, "restore the file from version control", TEMPLATE),
    Case("env-setup-failed", TOML, TEXT.replace("[stores.postgres]\n", SETUP), "a function as `module:function`", TEXT),
    Case(
        "transaction-in-repeatable",
        "alembic/repeatable/a.sql",
        "select 1;\ncommit;\n",
        "take the COMMIT out",
        "select 1;\n",
    ),
    Case("no-home", TOML, TEXT.replace('home = "postgres"', 'home = "none"'), "name a home store", TEXT),
]


@pytest.fixture
def shop_of(shop: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The second revision does nothing and waits for nothing; the environment is named in every command."""
    monkeypatch.delenv("PROVISION_ENV")
    (shop / SECOND).write_text(upgrade("pass"))
    return shop


def put(root: Path, name: str, text: str | None) -> None:
    path = root / name
    path.parent.mkdir(exist_ok=True)
    path.unlink(missing_ok=True)
    if text is not None:
        path.write_text(text)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.code)
def test_file_is_written_as_the_fix_says(shop_of: Path, provision: Provision, case: Case) -> None:
    put(shop_of, case.file, case.wrong)
    ran = failed(case.code, provision(*case.typed.split(), *ENV))

    assert case.words in fix_of(ran), ran.err
    put(shop_of, case.file, case.right)
    ran = provision("up", *ENV)
    assert ran.code == 0, ran.err
    assert provision("status", "--check", *ENV).code == 0


def folder(path: Path) -> None:
    path.mkdir()


def link(path: Path) -> None:
    outside = path.parents[3] / "outside.py"
    outside.write_text(upgrade("pass"))
    path.symlink_to(outside)


@pytest.mark.parametrize(("code", "make"), [("not-a-file", folder), ("outside-project", link)])
def test_what_is_no_file_of_the_project_is_one(shop_of: Path, provision: Provision, code: str, make: object) -> None:
    path = shop_of / SECOND
    path.unlink()
    assert callable(make)
    make(path)
    fix = fix_of(failed(code, provision("up", *ENV)))

    assert "in its place" in fix
    os.rmdir(path) if path.is_dir() else path.unlink()
    path.write_text(upgrade("pass"))
    assert provision("up", *ENV).code == 0
    assert provision("status", "--check", *ENV).code == 0
