"""Alembic without provision, in a project's own environment: `python alone.py revisions upgrade:heads current`.

Run in the folder of provision.toml, of which it reads the keys that provision reads. The Python of the project's
environment executes this file; it imports nothing of provision or of these tests.
"""

from __future__ import annotations

import importlib
import os
import sys
import tomllib
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory


def config(store: dict[str, str]) -> Config:
    """What an application makes before it calls Alembic."""
    made = Config(store.get("ini") or ("alembic.ini" if Path("alembic.ini").is_file() else None))
    made.set_main_option("script_location", store["path"])
    made.set_main_option("sqlalchemy.url", os.environ["ADOPTED_URL"].replace("%", "%%"))
    return made


def started(store: dict[str, str], made: Config) -> AbstractContextManager[None]:
    """The application's own start-up; nothing where it needs none."""
    if "env_setup" not in store:
        return nullcontext()
    module, _, function = store["env_setup"].partition(":")
    sys.path.insert(0, os.getcwd())
    around = getattr(importlib.import_module(module), function)(made)
    return around if isinstance(around, AbstractContextManager) else nullcontext()


def revisions(made: Config) -> None:
    """Print the number of each, in an order in which they can run; env.py may choose where they are."""
    directory = ScriptDirectory.from_config(made)
    with EnvironmentContext(made, directory, fn=lambda *_: [], dont_mutate=True):
        directory.run_env()
    for script in reversed(list(directory.walk_revisions())):
        print("revision", script.revision)


def main(*commands: str) -> None:
    store = tomllib.loads(Path("provision.toml").read_text(encoding="utf-8"))["stores"]["postgres"]
    for each in commands:
        what, *arguments = each.split(":", 1)
        made = config(store)
        with started(store, made):
            if what == "revisions":
                revisions(made)
            else:
                getattr(command, what)(made, *arguments)


if __name__ == "__main__":
    main(*sys.argv[1:])
