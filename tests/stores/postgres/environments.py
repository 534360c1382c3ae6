"""The env.py files that these tests run: those of `alembic init`, and some that people wrote."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config

_HEAD = """\
from sqlalchemy import engine_from_config, pool

from alembic import context

config = context.config
section = config.get_section(config.config_ini_section, {})
engine = engine_from_config(section, prefix="sqlalchemy.", poolclass=pool.NullPool)
"""
PLAIN = (
    _HEAD
    + """
with engine.connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
"""
)
BEGIN = PLAIN.replace("engine.connect()", "engine.begin()")
OWN = (
    _HEAD
    + """
with engine.connect() as given:
    with given.engine.connect() as connection:
        context.configure(connection=connection)
        with context.begin_transaction():
            context.run_migrations()
"""
)
_LOGGING = """\
import logging
from logging.config import fileConfig
config = context.config
fileConfig(config.config_file_name)
logging.getLogger("sqlalchemy.engine").info("noise of env.py")
"""
NOISY = PLAIN.replace("config = context.config\n", _LOGGING)


def initialised(root: Path, template: str) -> None:
    """What `alembic init` writes, untouched."""
    config = Config(str(root / "alembic.ini"))
    command.init(config, str(root / "alembic"), template=template)


def written(root: Path, env: str, ini: str = "[alembic]\nscript_location = %(here)s/alembic\n") -> None:
    """An env.py of one's own and a small ini."""
    (root / "alembic" / "versions").mkdir(parents=True)
    (root / "alembic" / "env.py").write_text(env)
    (root / "alembic.ini").write_text(ini)
