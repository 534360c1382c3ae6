"""The shipped schema on real engines without its own constraints, so that bad rows can be planted."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock
from urllib.parse import urlsplit, urlunsplit

import clickhouse_connect
import psycopg

from provision.cli.main import run
from tests.vfr.clickhouse.rows import GOOD
from tests.vfr.factories import postgres as factory

REPOSITORY = Path(__file__).resolve().parents[2]
PROJECT = """
[project]
name = "vfr"
home = "postgres"
[stores.postgres]
path = "alembic"
[stores.clickhouse]
[environments.test]
postgres.url = "${CHECKS_POSTGRES}"
clickhouse.url = "${CHECKS_CLICKHOUSE}"
"""
_CONSTRAINTS = """
select conrelid::regclass::text, conname from pg_constraint
where contype in ('c', 'f') and connamespace = 'public'::regnamespace and conparentid = 0 and coninhcount = 0
"""


class Ran(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def found(self) -> dict[str, dict[str, Any]]:
        """What was found, by the name of the check."""
        assert "results" in self.json, self.out
        return {each["check"]: each for each in self.json["results"] if each["status"] not in ("pass", "empty")}


@dataclass(frozen=True)
class Platform:
    """A project at `folder` and its two databases."""

    folder: Path
    postgres: str
    clickhouse: str

    def run(self, *arguments: object, **variables: str) -> Ran:
        """Run a command line in this process."""
        out, err = io.StringIO(), io.StringIO()
        urls = {"CHECKS_POSTGRES": self.postgres, "CHECKS_CLICKHOUSE": self.clickhouse, "PROVISION_ENV": "test"}
        with (
            contextlib.chdir(self.folder),
            mock.patch.dict(os.environ, urls | variables),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            code = run([str(each) for each in arguments])
        return Ran(code, out.getvalue(), err.getvalue())

    def validate(self, *arguments: object) -> Ran:
        """Run a suite and read its JSON."""
        return self.run("validate", *arguments, "--output", "json")

    def suite(self, name: str, text: str) -> None:
        (self.folder / "checks" / f"{name}.yaml").write_text(text, encoding="utf-8")

    def sql(self, statement: str, *parameters: object) -> list[tuple[Any, ...]]:
        """Run one statement in PostgreSQL."""
        with psycopg.connect(self.postgres, autocommit=True) as connection:
            cursor = connection.execute(statement.encode(), parameters or None)
            return cursor.fetchall() if cursor.description else []

    @contextlib.contextmanager
    def rows(self) -> Iterator[psycopg.Connection[Any]]:
        with psycopg.connect(self.postgres, autocommit=True) as connection:
            yield connection

    def ch(self, statement: str) -> list[tuple[Any, ...]]:
        """Run one statement in ClickHouse."""
        with clickhouse_connect.get_client(dsn=self.clickhouse, autogenerate_session_id=False) as client:
            if statement.lstrip().lower().startswith("select"):
                return [tuple(row) for row in client.query(statement).result_rows]
            client.command(statement)
            return []

    def plant(self, table: str, **values: object) -> None:
        """A good row of a ClickHouse table in which `values` stand for single columns."""
        # JSONEachRow reads the strings "nan" and "inf" as numbers.
        row = json.dumps({**GOOD[table], **values})
        self.ch(f"INSERT INTO {table} SETTINGS input_format_null_as_default = 0 FORMAT JSONEachRow {row}")

    def clean(self) -> None:
        """Nothing but good rows, the same decisions in both stores; what was kept of earlier runs is gone."""
        tables = [row[0] for row in self.sql("select tablename from pg_tables where schemaname = 'public'")]
        kept = [f'"{name}"' for name in tables if name != "alembic_version"]
        self.sql(f"truncate {', '.join(kept)} cascade")
        self.sql("drop table if exists provision.validation")
        for table in GOOD:
            self.ch(f"TRUNCATE TABLE {table}")
            self.plant(table, **NOW.get(table, {}))
        decision = GOOD["trading_decisions_probabilistic"]
        with self.rows() as connection:
            factory.insert_base(connection)
            factory.insert(connection, "users", id=decision["user_id"], tenant_id="acme", email="x@acme.example")
            factory.insert(
                connection,
                "trading_decisions",
                **{name: decision[name] for name in ("id", "tenant_id", "user_id", "symbol", "decision")},
                aggregated_confidence=decision["aggregated_confidence"],
                uncertainty_score=0.2,
                decided_at=f"{decision['timestamp']}Z",
                probability_metadata={"source": "clickhouse"},
            )
            factory.insert(connection, "user_probability_preferences")
            factory.insert_ml_base(connection)
            for table in ("ml_feature_store", "ml_predictions"):
                factory.insert(connection, table)


# The usual row lies in the future, where no time to live removes it.
NOW = {"probability_metrics_realtime": {"timestamp": f"{datetime.now(UTC) - timedelta(hours=1):%Y-%m-%d %H:%M:%S}.000"}}


def make(folder: Path, postgres: str, clickhouse: str, name: str) -> Platform:
    """A platform in databases called `name`, every revision applied, then free of constraints."""
    for part in ("alembic", "clickhouse", "checks"):
        shutil.copytree(REPOSITORY / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(REPOSITORY / "alembic.ini", folder)
    (folder / "provision.toml").write_text(PROJECT, encoding="utf-8")
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    platform = Platform(folder, _in(postgres, name), _in(clickhouse, name))
    applied = platform.run("up", "--allow-destructive")
    assert applied.code == 0, applied.err
    for table, constraint in platform.sql(_CONSTRAINTS):
        platform.sql(f'alter table {table} drop constraint "{constraint}" cascade')
    for table in GOOD:
        text = platform.ch(
            f"SELECT create_table_query FROM system.tables WHERE database = '{name}' AND name = '{table}'"
        )
        for constraint in _named(text[0][0]):
            platform.ch(f"ALTER TABLE {table} DROP CONSTRAINT {constraint}")
    return platform


def _named(create: str) -> list[str]:
    words = create.replace("`", "").split()
    return [words[place + 1] for place, word in enumerate(words) if word == "CONSTRAINT"]


def _in(url: str, database: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{database}"))


Found = Mapping[str, Any]
