"""Holds provision.toml against the keys and shapes it may have; says what is wrong, on which line, what was meant."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from provision import kinds
from provision.errors import ConfigError
from provision.text.nearest import nearest

NAME = re.compile(r"[A-Za-z0-9_-]+")
PROJECT_KEYS = ("name", "home", "lease")
STORE_KEYS = ("kind", "path", "heads", "strict", "forgoes", "options")
_LIMITS = ("lock_timeout", "statement_timeout", "retries", "longest_transaction")
PLACE_KEYS = ("url", "token", "org", "grpc", "ca_cert", "client_cert", "client_key", "verify", "cluster", *_LIMITS)
DRIFT = ("warn", "refuse")
LEVELS = ("off", "warning", "error")
HOOKS = ("on_start", "on_pause", "on_error", "on_done")
# Every other value is text. `strict` may come from a variable, which is text too.
_Shape = tuple[tuple[type, ...], str]  # the types that a value may have, and that in words
_SHAPES: Mapping[str, _Shape] = {
    "embedded": ((bool,), "true or false"),
    "strict": ((bool, str), "true or false"),
    "verify": ((bool, str), "true or false"),
    "retries": ((int, str), "a number"),
}
_CHOICES: _Shape = ((dict,), "a table of names and numbers of revisions")
_TEXT = ((str,), "text in quotes")
# What the type that a kind declares for a key allows.
_OF_KIND: Mapping[type, _Shape] = {
    bool: ((bool, str), "true or false"),
    int: ((int, str), "a number"),
    dict: ((dict,), "a table of names and values"),
}


def bad_name(name: str, where: str = "", *, of: str = "a project") -> ConfigError:
    """The error for a name that no ledger, mark or key could hold."""
    what = f"{name!r} is no name for {of}"
    return ConfigError("bad-name", what, where=where, fix="use letters, digits, _ and -")


class ProjectFileCheck:
    """One provision.toml: `tree` is what it and the `variables` that override it say; lines are found in `text`."""

    def __init__(self, tree: Mapping[str, Any], file: Path, text: str, variables: Mapping[str, str]) -> None:
        self._tree, self._file, self._lines, self._variables = tree, file, text.split("\n"), variables

    def problems(self) -> Iterator[ConfigError]:
        """Every key that the file should not have or misses, and every value of another shape."""
        yield from self._unknown(self._tree, ("project", "stores", "environments", "lint"), "")
        yield from self._levels(self._tree.get("lint", {}), "lint")
        project = self._tree.get("project", {})
        if isinstance(project, dict):
            yield from self._values(project, PROJECT_KEYS, "project")
            if not project.get("name"):
                where = self._where("project", "")
                yield ConfigError("missing-key", "the project has no name", where=where, fix='add [project] name = "…"')
            elif NAME.fullmatch(str(project["name"])) is None:
                yield bad_name(str(project["name"]), self._where("name", "project"))
        stores = self._tables("stores")
        for name, keys in stores:
            yield from self._store(name, keys)
        names = tuple(name for name, _ in stores)
        for name, places in self._tables("environments"):
            yield from self._environment(name, places, names)

    def _store(self, name: str, keys: object) -> Iterator[ConfigError]:
        section = f"stores.{name}"
        kind = keys.get("kind", name) if isinstance(keys, dict) else name
        found = kinds.find(kind) if isinstance(kind, str) else None
        if found is None:
            what, fix = f"{name} is of no known kind: {kind!r}", nearest(str(kind), kinds.names())
            yield ConfigError("unknown-kind", what, where=self._where("kind", section), fix=fix)
            return
        shapes = {key: _OF_KIND.get(value, _TEXT) for key, value in found.keys.items()} | {"options": _CHOICES}
        yield from self._values(keys, (*STORE_KEYS, *found.keys), section, shapes)

    def _environment(self, name: str, places: object, stores: Sequence[str]) -> Iterator[ConfigError]:
        section = f"environments.{name}"
        if not isinstance(places, dict):
            yield self._wrong(name, "environments", places, "a table")
            return
        yield from self._unknown(places, ("embedded", "hooks", "options", "lint", "drift", *stores), section, "store")
        for store, keys in places.items():
            if store in ("embedded", "options"):
                yield from self._shape(store, keys, section)
            elif store == "lint" and "lint" not in stores:
                yield from self._levels(keys, f"{section}.lint")
            elif store == "drift" and "drift" not in stores:
                if keys not in DRIFT:
                    yield self._wrong(store, section, keys, '"warn" or "refuse"')
            elif store == "hooks" and "hooks" not in stores:
                yield from self._values(keys, HOOKS, f"{section}.{store}")
            elif store in stores and not isinstance(keys, str):
                yield from self._values(keys, PLACE_KEYS, f"{section}.{store}")

    def _levels(self, table: object, section: str) -> Iterator[ConfigError]:
        """Rules of lint and their levels; whether a rule is called so is known where rules are loaded."""
        if not isinstance(table, dict):
            above, _, name = section.rpartition(".")
            yield self._wrong(name, above, table, "a table")
            return
        for rule, level in table.items():
            if level not in LEVELS:
                yield self._wrong(rule, section, level, '"off", "warning" or "error"')

    def _tables(self, name: str) -> list[tuple[str, object]]:
        """The sections below `name`; none where it is no table, which `problems` says elsewhere."""
        found = self._tree.get(name, {})
        return list(found.items()) if isinstance(found, dict) else []

    def _values(
        self, table: object, known: tuple[str, ...], section: str, shapes: Mapping[str, _Shape] = _SHAPES
    ) -> Iterator[ConfigError]:
        if not isinstance(table, dict):
            above, _, name = section.rpartition(".")
            yield self._wrong(name, above, table, "a table")
            return
        yield from self._unknown(table, known, section)
        for key, value in table.items():
            if key in known:
                yield from self._shape(key, value, section, shapes)

    def _shape(
        self, key: str, value: object, section: str, shapes: Mapping[str, _Shape] = _SHAPES
    ) -> Iterator[ConfigError]:
        types, words = shapes.get(key) or _SHAPES.get(key, _TEXT)
        if not isinstance(value, types):
            yield self._wrong(key, section, value, words)

    def _unknown(
        self, table: Mapping[str, Any], known: tuple[str, ...], section: str, what: str = "key"
    ) -> Iterator[ConfigError]:
        place = f" in [{section}]" if section else ""
        for key, value in table.items():
            if key not in known:
                text = f"no {what} is called {key!r}{place}"
                yield ConfigError(f"unknown-{what}", text, where=self._where(key, section), fix=nearest(key, known))
            elif not section and not isinstance(value, dict):
                yield self._wrong(key, section, value, "a table")

    def _wrong(self, key: str, section: str, value: object, wanted: str) -> ConfigError:
        name = f"{section}.{key}" if section else key
        shown = str(value).lower() if isinstance(value, bool) else repr(value)
        what = f"{name} is {shown[:40]}, not {wanted}"
        fix = f"write [{name}] and its keys below it" if wanted == "a table" else f"write {wanted}"
        return ConfigError("bad-value", what, where=self._where(key, section), fix=fix)

    def _where(self, key: str, section: str) -> str:
        variable = f"PROVISION_{section.rpartition('.')[2].upper()}__{key.upper()}"
        if variable in self._variables:
            return variable
        # tomllib keeps no positions; the first line that sets the key below the section is where people look.
        number = line(self._lines, key, section)
        return f"{self._file}:{number}" if number else str(self._file)


def line(lines: Sequence[str], key: str, section: str = "") -> int | None:
    """The number of the line that sets `key` below the header of `section`, or of a table around it; None without."""
    sets = re.compile(rf"""^[^#]*?(?<![\w-])["']?{re.escape(key)}["']?\s*[=.\]]""")
    while True:
        header = re.compile(rf"^\s*\[\s*{re.escape(section)}[\s.\]]")
        begin = next((i for i, text in enumerate(lines) if section and header.search(text)), 0 if not section else None)
        if begin is not None:
            found = next((i for i, text in enumerate(lines[begin:], begin + 1) if sets.search(text)), None)
            if found or not section:
                return found
        section = section.rpartition(".")[0]
