"""Refuses an env.py that connects elsewhere, or keeps its versions elsewhere, than provision was told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from provision.errors import ConfigError
from provision.stores.postgres.migrate.version_table import DEFAULTS, NAMES
from provision.stores.postgres.migrate.wire import WHICH
from provision.stores.postgres.server import set_role


def database(expected: tuple[object, ...], found: tuple[object, ...]) -> None:
    """Both as `wire.WHICH` gives them. Raises ConfigError (wrong-database)."""
    if found == expected:
        return
    other = f"database {found[0]!r}" if found[0] != expected[0] else "another server"
    raise ConfigError(
        "wrong-database",
        f"env.py connects to {other}, not to the configured {expected[0]!r}",
        where="env.py",
        fix='let env.py take config.get_main_option("sqlalchemy.url")',
    )


def table(ours: Mapping[str, str], given: Mapping[str, Any]) -> None:
    """What provision reads as applied must be what Alembic writes. Raises ConfigError (wrong-version-table)."""
    for name in NAMES:
        told, theirs = ours.get(name), given.get(name)
        if (told or DEFAULTS[name]) != (theirs or DEFAULTS[name]):
            raise ConfigError(
                "wrong-version-table",
                f"env.py sets {name} to {theirs!r}, provision was told {told!r}",
                where="env.py",
                fix=f'write {name} = "{theirs or ""}" in provision.toml, or pass {name}={told!r} to context.configure',
            )


def handed_over(connection: Any, expected: tuple[object, ...], role: str) -> bool:
    """Look at the connection that env.py hands over, and take on the role; whether it is in a transaction.

    Raises ConfigError (wrong-database).
    """
    in_transaction = bool(connection.in_transaction())
    database(expected, tuple(map(str, connection.exec_driver_sql(f"select {WHICH}").fetchone())))
    if role:
        connection.exec_driver_sql(set_role(role))
    if not in_transaction:
        connection.commit()
    return in_transaction
