"""The name of Alembic's version table, read in env.py without running it."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from provision.errors import ConfigError
from provision.model import StoreOptions
from provision.text.files import read_text

NAMES = ("version_table", "version_table_schema")
DEFAULTS = {"version_table": "alembic_version", "version_table_schema": None}


def version_table(options: StoreOptions) -> dict[str, str]:
    """`version_table` and `version_table_schema` as provision.toml or env.py sets them; what is None or "" is left out.

    Raises ConfigError (version-table-computed) when env.py computes one and provision.toml does not say it.
    """
    told = {name: str(options.extra[name]) for name in NAMES if name in options.extra}
    found = {name: value for name, value in told.items() if value}
    env = options.path / "env.py"
    text = read_text(env, options.shown(env)) if env.is_file() else ""
    if NAMES[0] not in text:
        return found
    try:
        module = ast.parse(text)
    except (SyntaxError, ValueError):
        return found  # running it says so, with the line
    constants = dict(_constants(module))
    for name, node in _choices(module):
        value = constants.get(node.id, node) if isinstance(node, ast.Name) else node
        if not isinstance(value, ast.Constant):
            if name not in told:
                raise _computed(options, name)
        elif value.value is not None and name not in told:
            found.setdefault(name, str(value.value))
    return found


def _choices(module: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    """The values given to the names in calls and in dictionaries: `configure(version_table=…)`, `**{…}`."""
    for node in ast.walk(module):
        if isinstance(node, ast.keyword) and node.arg in NAMES:
            yield node.arg, node.value
        elif isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant) and key.value in NAMES:
                    yield str(key.value), value


def _constants(module: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    """Module-level names that are set to a value once."""
    for node in module.body:
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            yield node.targets[0].id, node.value


def _computed(options: StoreOptions, name: str) -> ConfigError:
    return ConfigError(
        "version-table-computed",
        f"env.py computes {name}, which provision must know before it runs env.py",
        where=options.shown(options.path / "env.py"),
        fix=f'add {name} = "…" to [stores.{options.name}] in provision.toml; "" where it comes to None',
    )
