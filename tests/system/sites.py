"""Copies of this project, each in an environment with databases of its own, and the command line that moves them."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock
from urllib.parse import urlsplit, urlunsplit

import clickhouse_connect
import psycopg
import redis

from provision.cli.main import run
from provision.embedded import engine
from provision.kinds import with_engine
from tests.chaos import pictures
from tests.servers import databases

REPOSITORY = Path(__file__).resolve().parents[2]
PARTS = ("alembic", "alembic.ini", "clickhouse", "redis", "provision.toml")
PROGRAM = Path(sys.executable).with_name("provision")
REPEATABLES = {"postgres/vw_slow_queries"}  # needs the extension pg_stat_statements
OPTIONAL = {"arango/0005", "redis/0007"}  # of options that no environment chooses
SETS = ("embedded", "debian")
ALL_DOWN = ("down", "--all", "--allow-destructive")
SERVERS = """
[environments.servers]
postgres.url = "${SITE_POSTGRES_URL}"
clickhouse.url = "${SITE_CLICKHOUSE_URL}"
redis.url = "${SITE_REDIS_URL}"
"""


def postgres_schema(url: str) -> str:
    """pg_dump of 18, comments and policies included, without what a server notes for itself.

    Debian's PostgreSQL 15.20 keeps a number of its own, `pg_attver`, among the options of every column of every table.
    """
    text = re.sub(r"(?m)^-- Dumped .*\n", "", pictures.postgres(url))
    return re.sub(r"(?m)^ALTER TABLE ONLY \S+ ALTER COLUMN \S+ SET \(pg_attver=\d+\);\n", "", text)


PICTURES: dict[str, Callable[[str], str]] = {
    "postgres": postgres_schema,
    "clickhouse": pictures.clickhouse,
    "redis": pictures.redis_keys,
}


# These three have sites of their own, whatever is on PATH here.
OFF = {f"PROVISION_{store}__URL": "off" for store in ("INFLUX", "WEAVIATE", "ARANGO")}


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        return json.loads(self.out)

    @property
    def last(self) -> str:
        return self.out.rstrip().rpartition("\n")[2]


@dataclass(frozen=True)
class Site:
    """A copy of the project at `folder`, moved in `environment`; `variables` are those of its urls."""

    folder: Path
    environment: str
    variables: Mapping[str, str] = field(default_factory=dict)
    off: Mapping[str, str] = field(default_factory=lambda: OFF)

    def run(self, *arguments: str) -> Ran:
        """Run a command line in this process."""
        out, err = io.StringIO(), io.StringIO()
        variables = {key: value for key, value in os.environ.items() if not key.startswith("PROVISION_")}
        with (
            contextlib.chdir(self.folder),
            mock.patch.dict(os.environ, variables | self.off | self.variables, clear=True),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            code = run([*arguments, *self._env(arguments)])
        return Ran(code, out.getvalue(), err.getvalue())

    def spawn(self, *arguments: str) -> Ran:
        """Run the installed program, piped and without stdin."""
        done = subprocess.run(
            [PROGRAM, *arguments],
            cwd=self.folder,
            env={key: value for key, value in os.environ.items() if key != "PROVISION_ENV"} | self.off | self.variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    def _env(self, arguments: tuple[str, ...]) -> tuple[str, ...]:
        return () if arguments[0] in ("graph", "local") else ("--env", self.environment)

    def good(self, *arguments: str) -> Ran:
        """Run a command line that must succeed."""
        ran = self.run(*arguments)
        assert ran.code == 0, f"{arguments}: exit {ran.code}\n{ran.out}\n{ran.err}"
        return ran

    def status(self) -> Any:
        return self.good("status", "--output", "json").document

    def applied(self) -> set[str]:
        return {each["id"] for store in self.status()["stores"] for each in store["revisions"] if each["applied_at"]}

    def history(self) -> list[dict[str, Any]]:
        events: list[dict[str, Any]] = self.good("history", "--output", "json").document
        return events

    def revisions(self) -> dict[str, list[str]]:
        """Id of every shipped revision, in order → what it requires of other stores."""
        found = self.good("graph", "--output", "json").document["revisions"]
        return {each["id"]: each["requires"] for each in found}

    def versioned(self) -> list[str]:
        """The shipped revisions that an `up` applies, in order; repeatables wait for an extension."""
        return [name for name in self.revisions() if name not in REPEATABLES | OPTIONAL]

    def urls(self) -> dict[str, str]:
        if self.variables:
            return {kind: self.variables[f"SITE_{kind.upper()}_URL"] for kind in PICTURES}
        found = self.good("local", "status", "--output", "json").document["engines"]
        return {each["store"]: each["url"] for each in found}

    def schema(self) -> dict[str, str]:
        """The schema of each store as plain text, rows counted."""
        urls = self.urls()
        with ThreadPoolExecutor(len(PICTURES)) as pool:
            made = {name: pool.submit(PICTURES[name], urls[name]) for name in PICTURES}
            return {name: picture.result() for name, picture in made.items()}

    def events(self) -> dict[str, list[pictures.Entry]]:
        """Every entry of every ledger, read without our own code."""
        return pictures.ledgers(self.urls())


@contextlib.contextmanager
def copied() -> Iterator[Path]:
    """A copy of the project's own folders, on a file system in memory where there is a roomy one."""
    roomy = Path("/dev/shm").is_dir() and shutil.disk_usage("/dev/shm").free > 2 << 30
    folder = Path(tempfile.mkdtemp(prefix="provision-site-", dir="/dev/shm" if roomy else None))
    for name in PARTS:
        source = REPOSITORY / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder / name)
    try:
        yield folder
    finally:
        for kind in with_engine():
            engine(kind, kind, folder / ".provision").reset()
        shutil.rmtree(folder)


@contextlib.contextmanager
def on_servers(postgres: str, clickhouse: str, cache: str, name: str, *, redis_number: int = 9) -> Iterator[Site]:
    """A copy in environment `servers`, in databases called `name` that are made for it and dropped."""
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    urls = {
        "SITE_POSTGRES_URL": _database(postgres, name),
        "SITE_CLICKHOUSE_URL": _database(clickhouse, name),
        "SITE_REDIS_URL": _database(cache, str(redis_number)),
    }
    with redis.Redis.from_url(urls["SITE_REDIS_URL"]) as client:
        client.flushdb()
    try:
        with copied() as folder:
            with (folder / "provision.toml").open("a", encoding="utf-8") as file:
                file.write(SERVERS)
            yield Site(folder, "servers", urls)
    finally:
        with clickhouse_connect.get_client(dsn=_database(clickhouse, "default")) as client:
            client.command(f"DROP DATABASE IF EXISTS {name} SYNC")
        with redis.Redis.from_url(urls["SITE_REDIS_URL"]) as client:
            client.flushdb()
        with psycopg.connect(postgres, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@contextlib.contextmanager
def embedded() -> Iterator[Site]:
    with copied() as folder:
        yield Site(folder, "local")


@contextlib.contextmanager
def debian(postgres: str, cache: str) -> Iterator[Site]:
    with databases.embedded_url("clickhouse") as clickhouse, on_servers(postgres, clickhouse, cache, "vfr") as site:
        yield site


def _database(url: str, name: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
