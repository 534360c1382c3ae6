"""Scratch databases and functions: made for one trial, always dropped, left-overs of killed probes first."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from provision.stores.clickhouse.migrate.parse.tokens import quote
from provision.stores.clickhouse.migrate.probe.picture import PictureReader

PREFIX = "provision_probe_"
_OURS = re.compile(rf"{PREFIX}(\d+)(?:_\d+)?\Z")


@dataclass(slots=True)
class Scratch:
    """Real name → scratch name; the first one asked for is the home of unqualified names."""

    token: int
    names: dict[str, str] = field(default_factory=dict)

    @property
    def home(self) -> str:
        return next(iter(self.names.values()))

    def name(self, real: str) -> str:
        """The scratch name that stands for `real`, the same at every call."""
        number = f"_{len(self.names)}" if self.names else ""
        return self.names.setdefault(real, f"{PREFIX}{self.token}{number}")

    def real(self, text: str) -> str:
        """`text` with the real names put back."""
        # Longest first: provision_probe_7 is the beginning of provision_probe_7_1.
        for real, scratch in sorted(self.names.items(), key=lambda pair: -len(pair[1])):
            text = text.replace(scratch, quote(real))
        return text


@contextmanager
def scratch_for(connection: PictureReader, token: int, objects: str) -> Iterator[Scratch]:
    """A scratch of this token; whatever carries its names is dropped before and after, errors or not."""
    sweep_databases(connection, token)
    sweep_functions(connection, token)
    try:
        yield Scratch(token)
    finally:
        sweep_databases(connection, token)
        # system.functions takes 50 ms to read (26.9), and only a trial of a function makes one.
        if objects == "function":
            sweep_functions(connection, token)


def sweep_databases(connection: PictureReader, token: int) -> None:
    """Drop every scratch database of this token and of older ones."""
    for name in _left(connection, "databases", token):
        # A scratch dictionary may be named in a default of another scratch database.
        sql = f"DROP DATABASE IF EXISTS {quote(name)} SYNC SETTINGS check_table_dependencies = 0"
        connection.command(sql, database="system")


def sweep_functions(connection: PictureReader, token: int) -> None:
    """Drop every scratch function of this token and of older ones."""
    for name in _left(connection, "functions", token):
        connection.command(f"DROP FUNCTION IF EXISTS {quote(name)}", database="system")


def _left(connection: PictureReader, table: str, token: int) -> list[str]:
    rows = connection.rows(f"SELECT name FROM system.{table} WHERE startsWith(name, '{PREFIX}')")
    matches = [match for (name,) in rows if (match := _OURS.match(str(name)))]
    return [match.group() for match in matches if int(match.group(1)) <= token]
