from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import pytest

from .engine import Database, Engine

_numbers = count(1)


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    # One path per process is all that chDB admits; every suite of this process must use this one.
    engine = Engine(tmp_path_factory.getbasetemp() / "chdb")
    yield engine
    engine.close()


@pytest.fixture
def database(engine: Engine) -> Iterator[Database]:
    name = f"vfr_{next(_numbers)}"
    engine.command(f"CREATE DATABASE {name} ENGINE = Atomic", database="system")
    yield Database(engine, name)
    engine.command(f"DROP DATABASE IF EXISTS {name} SYNC SETTINGS check_table_dependencies = 0", database="system")


@pytest.fixture
def migrated(database: Database) -> Database:
    database.up()
    return database
