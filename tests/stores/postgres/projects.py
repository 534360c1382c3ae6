"""Projects of one store for these tests: written in a folder, run in this process, looked at with a plain driver."""

from __future__ import annotations

import itertools
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg

from tests.servers.command_line import Ran

BIN = Path(sys.executable).parent
_NAMES = itertools.count(1)
_TOML = """\
[project]
name = "peers"
home = "postgres"
[stores.postgres]
{store}
[environments.test]
postgres.url = "${{PEERS_URL}}"
"""
REVISION = '''\
"""{doc}"""

import sqlalchemy as sa

from alembic import op

revision = "{number}"
down_revision = {parent!r}
branch_labels = {labels!r}
depends_on = {depends!r}


def upgrade() -> None:
    {up}


def downgrade() -> None:
    {down}
'''
SCHEMA = """
select table_name, column_name, data_type, is_nullable, column_default from information_schema.columns
where table_schema = 'public' order by 1, 2
"""
Provision = Callable[..., Ran]


@dataclass
class Project:
    """A folder with provision.toml and an Alembic script folder, and the database that it moves."""

    root: Path
    url: str
    provision: Provision
    driver: str = "+psycopg"
    ini: str = "alembic.ini"
    store: str = ""
    written: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        (self.root / "provision.toml").write_text(_TOML.format(store=self.store))

    @property
    def versions(self) -> Path:
        return self.root / "alembic" / "versions"

    def write(self, number: str, up: str = "pass", down: str = "pass", **header: Any) -> Path:
        """One revision after the last one written, unless `parent` says otherwise."""
        parent = header.pop("parent", self.written[-1] if self.written else None)
        fields = {"labels": None, "depends": None, "doc": f"Step {number}", **header}
        place = header.get("folder", self.versions) / f"{number}_step.py"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(REVISION.format(number=number, parent=parent, up=up, down=down, **fields))
        self.written.append(number)
        return place

    def tables(self, count: int) -> None:
        """`count` revisions of one table each."""
        for number in range(1, count + 1):
            up = f'op.create_table("t{number:04d}", sa.Column("id", sa.BigInteger, primary_key=True))'
            self.write(f"{number:04d}", up, f'op.drop_table("t{number:04d}")')

    def up(self, *arguments: str) -> Ran:
        """`provision up`, which must end with 0."""
        return self.done("up", *arguments)

    def down(self, *arguments: str) -> Ran:
        """`provision down`, which must end with 0."""
        return self.done("down", *arguments, "--allow-destructive")

    def done(self, *arguments: str) -> Ran:
        ran = self.provision(*arguments)
        assert ran.code == 0, ran.out + ran.err
        return ran

    def alembic(self, *arguments: str, url: str = "") -> str:
        """What the alembic command prints; it must end with 0."""
        target = (url or self.url).replace("postgresql://", f"postgresql{self.driver}://", 1).replace("%", "%%")
        theirs = self.root / "theirs.ini"
        text = (self.root / self.ini).read_text() if (self.root / self.ini).exists() else "[alembic]\n"
        text = re.sub(r"^sqlalchemy\.url.*$", "", text, flags=re.MULTILINE)
        head = f"[alembic]\nsqlalchemy.url = {target}"
        theirs.write_text(text.replace("[alembic]", head, 1))
        done = subprocess.run(
            [BIN / "alembic", "-c", theirs, *arguments], cwd=self.root, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return rows(self.url, sql)

    def events(self, columns: str = "revision, kind") -> list[tuple[Any, ...]]:
        """The ledger, in order."""
        return self.rows(f"select {columns} from provision.ledger where store = 'postgres' order by token, n")

    def schema(self) -> list[tuple[Any, ...]]:
        return schema(self.url)


def rows(url: str, sql: str) -> list[tuple[Any, ...]]:
    """What a query gives, asked with a connection of its own."""
    with psycopg.connect(url, autocommit=True) as connection:
        return connection.execute(sql.encode()).fetchall()


def schema(url: str) -> list[tuple[Any, ...]]:
    """Every column of every table of schema public, but for Alembic's."""
    return [row for row in rows(url, SCHEMA) if row[0] != "alembic_version"]


def at(url: str, database: str) -> str:
    """The url with another database."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{database}"))


@contextmanager
def database(server: str, prefix: str = "peers") -> Iterator[str]:
    """The url of a new, empty database, dropped when the block ends."""
    name = f"{prefix}_{next(_NAMES)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"create database {name}".encode())
        try:
            yield at(server, name)
        finally:
            connection.execute(f"drop database {name} with (force)".encode())
