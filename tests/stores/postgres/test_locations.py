"""Where revisions lie, as the ini, pyproject.toml and env.py say it: what `alembic history` finds is what is read."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from provision.errors import ConfigError
from provision.model import StoreOptions
from provision.stores.postgres import files

ENV = "from alembic import context\n{0}\nif context.is_offline_mode():\n    {1}\n    context.run_migrations()\n"
CONFIGURE = 'context.configure(url="postgresql://")'
BY_ENV = "context.script.version_locations = ['one', 'two']"
INIS = {
    "separated as the system does": "path_separator = os\nversion_locations = %(here)s/one:%(here)s/two",
    "by spaces": "path_separator = space\nversion_locations = %(here)s/one %(here)s/two",
    "by lines": "path_separator = newline\nversion_locations =\n    %(here)s/one\n    %(here)s/two",
    "by colons": "path_separator = :\nversion_locations = %(here)s/one:%(here)s/two",
    "by semicolons": "path_separator = ;\nversion_locations = %(here)s/one;%(here)s/two",
    "with the older key, as the system does": (
        "version_path_separator = os\nversion_locations = %(here)s/one:%(here)s/two"
    ),
    "with the older key, by spaces": "version_path_separator = space\nversion_locations = %(here)s/one %(here)s/two",
    "with the older key, by lines": "version_path_separator = newline\nversion_locations =\n one\n two",
    "without a key": "version_locations = %(here)s/one, %(here)s/two",
    "relative": "path_separator = os\nversion_locations = one:two",
    "in a package": "prepend_sys_path = %(here)s\npath_separator = ;\nversion_locations = shop:one;shop:two",
    "below one folder": "recursive_version_locations = true\nversion_locations = %(here)s/shop",
    "of the script folder, and below": "recursive_version_locations = true",
}


def project(root: Path, ini: str, first: str, second: str, env: str = "") -> StoreOptions:
    """A project with a revision in each of two folders."""
    for number, parent, folder in (("a", None, first), ("b", "a", second)):
        (root / folder).mkdir(parents=True, exist_ok=True)
        (root / folder / f"{number}_step.py").write_text(f"revision = {number!r}\ndown_revision = {parent!r}\n")
    (root / "alembic").mkdir(exist_ok=True)
    (root / "alembic/env.py").write_text(env)
    (root / "alembic.ini").write_text(f"[alembic]\nscript_location = %(here)s/alembic\n{ini}\n")
    return StoreOptions("postgres", "postgres", "p", root / "alembic", root)


def by_alembic(root: Path, *words: str) -> list[str]:
    """The numbers that the alembic command finds, the oldest first."""
    command = [str(Path(sys.executable).with_name("alembic")), *words]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    return [line.split(" -> ")[1].split(" ")[0].rstrip(",") for line in reversed(done.stdout.splitlines())]


def read(options: StoreOptions) -> list[str]:
    return [each.number for each in files.revisions(options)]


@pytest.mark.parametrize("ini", INIS.values(), ids=INIS)
def test_locations_of_the_ini_are_those_of_alembic(tmp_path: Path, ini: str) -> None:
    first, second = ("one", "two")
    if "shop" in ini:
        (tmp_path / "shop").mkdir()
        (tmp_path / "shop/__init__.py").touch()
        first, second = ("shop/one", "shop/two")
    elif "version_locations =" not in ini.replace("recursive_version_locations", ""):
        first, second = ("alembic/versions", "alembic/versions/2024")
    options = project(tmp_path, ini, first, second)

    assert by_alembic(tmp_path, "history") == ["a", "b"]
    assert read(options) == ["a", "b"]


def test_locations_of_pyproject_are_those_of_alembic(tmp_path: Path) -> None:
    options = project(tmp_path, "", "one", "two")
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nname = "shop"\n[tool.alembic]\nversion_locations = ["%(here)s/one", "%(here)s/two"]\n'
    )

    assert by_alembic(tmp_path, "history") == ["a", "b"]
    assert read(options) == ["a", "b"]


@pytest.mark.parametrize(
    "line",
    [
        BY_ENV,
        "setattr(context.script, 'version_locations', ['one', 'two'])",
        "context.script.version_locations += ['one', 'two']",
        f"{BY_ENV}; raise ValueError('asks a database')",
    ],
)
def test_locations_that_env_py_sets_are_those_of_a_run(tmp_path: Path, line: str) -> None:
    options = project(tmp_path, "", "one", "two", ENV.format(line, CONFIGURE))

    assert read(options) == ["a", "b"]


def test_env_py_that_sets_locations_and_cannot_run_offline_is_an_error(tmp_path: Path) -> None:
    options = project(tmp_path, "", "one", "two", ENV.format('raise SystemExit("no database")', BY_ENV))

    with pytest.raises(ConfigError, match="cannot be run offline: SystemExit: no database") as raised:
        files.revisions(options)

    assert (raised.value.code, raised.value.where) == ("env-failed", "alembic/env.py:2")


def test_location_that_is_not_there_is_an_error_and_not_an_empty_store(tmp_path: Path) -> None:
    options = project(tmp_path, "path_separator = os\nversion_locations = %(here)s/oen", "one", "two")

    with pytest.raises(ConfigError, match="version_locations names what is not there: oen") as raised:
        files.revisions(options)

    assert (raised.value.code, raised.value.where) == ("nothing-read", "alembic.ini")


def test_file_that_ends_the_process_is_an_error(tmp_path: Path) -> None:
    options = project(tmp_path, "path_separator = os\nversion_locations = one", "one", "one")
    (tmp_path / "one/c_step.py").write_text("import os\nos._exit(7)\n")

    with pytest.raises(Exception, match="ended with exit code 7"):
        files.revisions(options)
