"""One project on one database for many fixes: each case brings its fault, does what is printed, and clears up."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import psycopg

from provision.cli.main import run
from tests.backfill import project
from tests.backfill.conftest import new_database
from tests.fixes.following import failed, fix_of
from tests.servers.command_line import Provision

ENV = ("--env", "test")
Files = Mapping[str, str | None]
NOTHING: Files = {}


class Case(NamedTuple):
    """A fault and its way out. Files are texts by name (None: not there); statements are of the owner.

    `words` are what the fix must say; `right` is the command line that then ends well, the wrong one where it is empty.
    """

    code: str
    wrong: str
    words: str
    files: Files = NOTHING
    mended: Files = NOTHING
    right: str = ""
    sql: str = ""
    cure: str = ""
    after: str = ""
    user: str = ""
    ends: tuple[int, ...] = (0,)


class Steady:
    """The project in its folder, its database with a table `orders` of 40 rows."""

    def __init__(self, place: Path, url: str) -> None:
        self.place, self.url = place, url

    def execute(self, sql: str) -> None:
        if sql:
            with psycopg.connect(self.url, autocommit=True) as connection:
                connection.execute(sql.encode())

    def as_user(self, name: str) -> str:
        return self.url.replace("postgres@", f"{name}@", 1) if name else self.url

    @contextmanager
    def written(self, *several: Files) -> Iterator[Callable[[Files], None]]:
        """Files of the cases, which are as they were when the block ends."""
        before = {
            name: (self.place / name).read_text() if (self.place / name).is_file() else None
            for files in several
            for name in files
        }
        try:
            yield self.write
        finally:
            self.write(before)

    def write(self, files: Files) -> None:
        for name, text in files.items():
            path = self.place / name
            path.unlink(missing_ok=True)
            if text is not None:
                path.parent.mkdir(exist_ok=True)
                path.write_text(text)
            elif path.parent != self.place and path.parent.is_dir() and not any(path.parent.iterdir()):
                path.parent.rmdir()


def lay_out(place: Path, server: str) -> Steady:
    """A new project of its own on a new database; called with the folder as the working directory."""
    url = new_database(server)
    project.lay_out(place, 1)
    return Steady(place, url)


def begin(steady: Steady) -> None:
    assert run(["up", "postgres/0001", *ENV]) == 0
    project.sow(steady.url, 40)


def role(steady: Steady) -> str:
    """A name for a role that no other database has."""
    return f"reader_{urlsplit(steady.url).path.strip('/')}"


def words(line: str) -> list[str]:
    """As typed; the environment is named, where the line does not do it and the command takes one."""
    typed = line.split()
    takes = "--env" not in typed and typed[0] not in ("store", "lint", "local", "graph", "verify")
    return [*typed, *ENV] if takes else typed


def follow(steady: Steady, provision: Provision, case: Case, user: Callable[[str], None]) -> None:
    """Bring the fault, read its fix, do it, and see the command end well."""
    reader = role(steady)
    wrong, right = (words(line) for line in (case.wrong, case.right or case.wrong))
    try:
        with steady.written(case.files, case.mended) as write:
            write(case.files)
            steady.execute(case.sql.replace("READER", reader))
            user(steady.as_user(case.user.replace("READER", reader)))
            ran = provision(*wrong)
            said = case.words.replace("READER", reader)
            assert said.lower() in fix_of(failed(case.code, ran)).lower(), ran.err
            write(case.mended)
            steady.execute(case.cure.replace("READER", reader))
            if not case.cure:
                user(steady.url)
            ran = provision(*right)
            assert ran.code in case.ends, ran.out + ran.err
    finally:
        user(steady.url)
        steady.execute(case.after.replace("READER", reader))
