"""What is relied on of Alembic, private names included; works with 1.16 to 1.20."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import alembic
import pytest
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import HeadMaintainer, MigrationContext, MigrationStep
from alembic.script import ScriptDirectory

from provision.errors import ConfigError
from provision.model import Direction, StoreOptions
from provision.stores.postgres.migrate import alembic as engine

ENV = """
from logging.config import fileConfig
from alembic import context
if context.config.config_file_name:
    fileConfig(context.config.config_file_name)
context.configure(url=context.config.get_main_option("sqlalchemy.url"), literal_binds=True)
with context.begin_transaction():
    context.run_migrations()
"""
REVISION = """
from alembic import op
revision = "{number}"
down_revision = {parent!r}
def upgrade():
    op.execute("create table t{number} (x int)")
def downgrade():
    op.execute("drop table t{number}")
"""


@pytest.fixture
def options(tmp_path: Path) -> StoreOptions:
    folder = tmp_path / "prüf %stand"
    (folder / "versions").mkdir(parents=True)
    (folder / "env.py").write_text(ENV)
    for number, parent in (("1", None), ("2", "1")):
        (folder / "versions" / f"{number}_t.py").write_text(REVISION.format(number=number, parent=parent))
    return StoreOptions("postgres", "postgres", "vfr", folder, tmp_path)


def test_alembic_version_is_one_that_was_tried() -> None:
    major, minor = (int(part) for part in alembic.__version__.split(".")[:2])

    assert (major, minor) in [(1, number) for number in range(16, 21)]


@pytest.mark.parametrize(
    ("owner", "name", "parameters"),
    [
        (ScriptDirectory, "run_env", ["self"]),
        (MigrationStep, "upgrade_from_script", ["revision_map", "script"]),
        (MigrationStep, "downgrade_from_script", ["revision_map", "script"]),
        (MigrationContext, "autocommit_block", ["self"]),
        (EnvironmentContext, "configure", None),
        (HeadMaintainer, "update_to_step", None),
    ],
)
def test_alembic_names_relied_on_are_there(owner: type, name: str, parameters: list[str] | None) -> None:
    found: Callable[..., Any] = getattr(owner, name)

    assert parameters is None or list(inspect.signature(found).parameters) == parameters


def test_config_replaces_only_the_script_folder_and_the_url(options: StoreOptions) -> None:
    (options.root / "alembic.ini").write_text(
        "[alembic]\nscript_location = elsewhere\nsqlalchemy.url = postgresql+asyncpg://old/db\nfile_template = kept\n"
    )

    made = engine.config(options, "postgresql://u:p%40ss@host/db")

    assert made.get_main_option("script_location") == str(options.path)
    assert made.get_main_option("sqlalchemy.url") == "postgresql+asyncpg://u:p%40ss@host/db"
    assert made.get_main_option("file_template") == "kept"


def test_config_without_an_ini_takes_psycopg(options: StoreOptions) -> None:
    assert engine.config(options, "postgres://h/d").get_main_option("sqlalchemy.url") == "postgresql+psycopg://h/d"


@pytest.mark.parametrize(
    ("numbers", "direction", "start", "expected"),
    [
        (["1", "2"], Direction.UP, (), ["create table t1", "create table t2"]),
        (["2"], Direction.UP, ("1",), ["create table t2"]),
        (["2", "1"], Direction.DOWN, ("2",), ["drop table t2", "drop table t1"]),
    ],
)
def test_render_either_direction_from_anywhere_gives_its_sql(
    options: StoreOptions, numbers: list[str], direction: Direction, start: tuple[str, ...], expected: list[str]
) -> None:
    directory, buffer = engine.scripts(options), StringIO()

    engine.render(
        options,
        directory,
        lambda _heads, _context: [engine.step(directory, number, direction) for number in numbers],
        buffer,
        start,
    )

    assert [line.split(" (")[0].rstrip(";") for line in buffer.getvalue().split("\n") if " table t" in line] == expected


def test_run_env_file_config_does_not_silence_other_loggers(options: StoreOptions) -> None:
    (options.root / "alembic.ini").write_text(
        "[alembic]\n[loggers]\nkeys = root\n[handlers]\nkeys =\n[formatters]\nkeys =\n"
        "[logger_root]\nlevel = ERROR\nhandlers =\n"
    )
    ours, root = logging.getLogger("provision.test"), logging.getLogger()
    before = list(root.handlers), root.level

    directory = engine.scripts(options)
    engine.render(options, directory, lambda _heads, _context: [], StringIO(), ())

    assert (list(root.handlers), root.level, ours.disabled) == (*before, False)


def test_scripts_broken_revision_file_is_refused(options: StoreOptions) -> None:
    (options.path / "versions" / "3_t.py").write_text("raise ValueError('no')\n")

    with pytest.raises(ConfigError) as caught:
        engine.scripts(options)

    error = caught.value
    assert (error.code, error.what, error.where, error.fix) == (
        "alembic-refused",
        "a revision file cannot be imported: ValueError: no",
        "prüf %stand/versions/3_t.py:1",
        "correct the line",
    )
