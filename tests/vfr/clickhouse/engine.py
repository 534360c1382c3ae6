"""A real ClickHouse in this process (chDB), with what the tests ask of it."""

from __future__ import annotations

import json
from pathlib import Path

import chdb

from provision.errors import FailedError
from provision.stores.clickhouse.migrate.parse.touched import split

FOLDER = Path(__file__).parents[3] / "clickhouse"
UPS = sorted(path for path in FOLDER.glob("*.sql") if not path.name.endswith(".down.sql"))


def down_of(path: Path) -> Path:
    return path.with_name(path.name.removesuffix(".sql") + ".down.sql")


class Engine:
    """Serial use only: the current database is a property of the one connection."""

    def __init__(self, path: Path) -> None:
        self._connection = chdb.connect(str(path))

    def close(self) -> None:
        self._connection.close()

    def command(self, sql: str, *, database: str) -> None:
        self._query(f"USE `{database}`", "Null")
        self._query(sql, "Null")

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        text = self._query(sql, "JSONCompact")
        return [tuple(row) for row in json.loads(text)["data"]] if text else []

    def _query(self, sql: str, form: str) -> str:
        try:
            return bytes(self._connection.query(sql, form).bytes() or b"").decode()
        except RuntimeError as error:
            raise FailedError("statement-failed", str(error)) from error


class Database:
    """One database of the engine."""

    def __init__(self, engine: Engine, name: str) -> None:
        self.engine = engine
        self.name = name

    def run(self, *scripts: str) -> None:
        for script in scripts:
            for statement in split(script):
                self.engine.command(statement, database=self.name)

    def run_file(self, path: Path) -> None:
        self.run(path.read_text(encoding="utf8"))

    def up(self) -> None:
        for path in UPS:
            self.run_file(path)

    def down(self) -> None:
        for path in reversed(UPS):
            self.run_file(down_of(path))

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        self.engine.command("SELECT 1", database=self.name)
        return self.engine.rows(sql)

    def one(self, sql: str) -> object:
        return self.rows(sql)[0][0]

    def schema(self) -> dict[str, str]:
        """Every object with its definition; inner tables without their generated names."""
        rows = self.engine.rows(
            f"SELECT if(startsWith(name, '.inner'), '.inner', name), create_table_query FROM system.tables"
            f" WHERE database = '{self.name}' ORDER BY 1"
        )
        return {str(name): str(definition) for name, definition in rows}
