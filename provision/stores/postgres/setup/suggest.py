"""Writes the Alembic revision that gives columns a constant without touching a row."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from provision.model import StoreOptions
from provision.stores.postgres.setup import draft
from provision.stores.postgres.validate.sql import name, table_name


def write(
    options: StoreOptions, table: str, constants: Sequence[tuple[str, str, str]], requires: Sequence[str]
) -> Sequence[Path]:
    """Write it and return its path; a column that is there, and empty, is made anew. Raises as `draft.write`."""
    others = [each for each in requires if not each.startswith(f"{options.name}/")]
    message = f"{table.replace('.', ' ')} {' '.join(column for column, _, _ in constants)} by default"
    paths = draft.write(options, message, others)
    for path in paths:
        text = path.read_text(encoding="utf-8")
        text = text.replace(draft.UP, _up(table_name(table), constants)).replace(
            draft.DOWN, _down(table_name(table), constants)
        )
        path.write_text(text, encoding="utf-8", newline="\n")
    return paths


def _up(table: str, constants: Sequence[tuple[str, str, str]]) -> str:
    adds = [f"ADD COLUMN {name(column)} {kind} DEFAULT {constant}" for column, kind, constant in constants]
    lines = ["# Rows that are there read the constant from the catalogue: none of them is written."]
    lines += [_execute(f"ALTER TABLE {table} DROP COLUMN IF EXISTS {name(column)}") for column, _, _ in constants]
    lines += [_execute(f"ALTER TABLE {table} {each}") for each in adds]
    lines += ["# New rows are for the application to fill, as before."]
    lines += [_execute(f"ALTER TABLE {table} ALTER COLUMN {name(column)} DROP DEFAULT") for column, _, _ in constants]
    return "\n    ".join(lines)


def _down(table: str, constants: Sequence[tuple[str, str, str]]) -> str:
    lines = []
    for column, kind, _ in constants:
        lines.append(_execute(f"ALTER TABLE {table} DROP COLUMN {name(column)}"))
        lines.append(_execute(f"ALTER TABLE {table} ADD COLUMN {name(column)} {kind}"))
    return "\n    ".join(lines)


def _execute(statement: str) -> str:
    return f"op.execute({statement!r})"
