"""The only reader of provision.toml and of the environment's variables."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from provision.errors import ConfigError, raise_all
from provision.model import StoreOptions

FILE = "provision.toml"
NAME = re.compile(r"[A-Za-z0-9_-]+")
KINDS = ("postgres", "clickhouse", "redis", "influx", "weaviate", "arango")
PROJECT_KEYS = ("name", "home", "lease")
STORE_KEYS = ("kind", "path", "heads", "strict")
KIND_KEYS: Mapping[str, tuple[str, ...]] = {
    "postgres": ("version_table", "version_table_schema", "ini", "role"),
    "clickhouse": ("variables", "version_table"),
}
PLACE_KEYS = ("url", "token", "org", "grpc", "ca_cert", "client_cert", "client_key", "verify", "cluster")
_FOLDERS = {"postgres": "alembic"}
_VARIABLE = re.compile(r"\$\{(?:(?P<file>file:[^}]+)|(?P<name>[A-Za-z_]\w*)(?::-(?P<default>[^}]*))?)\}")
_PASSWORD = re.compile(r"://[^/@\s]*?:(?P<password>[^@/\s]+)@")


@dataclass(frozen=True, slots=True)
class Secret:
    """A value that must never be printed; `reveal` is the one way to read it."""

    _value: str

    def reveal(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return "Secret(•••)"

    __str__ = __repr__


@dataclass(frozen=True, slots=True)
class Place:
    """Where one store is in one environment: a url, or switched off, or neither (embedded or not configured)."""

    url: Secret | None = None
    off: bool = False
    extra: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Environment:
    """One environment with every variable resolved."""

    name: str
    embedded: bool
    places: Mapping[str, Place]
    secrets: tuple[str, ...] = ()

    def mask(self, text: str) -> str:
        """The text with every known secret value replaced."""
        for secret in self.secrets:
            text = text.replace(secret, "•••")
        return text


@dataclass(frozen=True, slots=True)
class Project:
    """provision.toml, checked. `lease_seconds` is how long the run lock lives without a heartbeat."""

    file: Path
    name: str
    home: str
    stores: tuple[StoreOptions, ...]
    environments: Mapping[str, Mapping[str, Any]]
    many_heads: frozenset[str] = frozenset()
    lease_seconds: float = 30.0

    @property
    def root(self) -> Path:
        return self.file.parent

    @property
    def local(self) -> Path:
        """Where the embedded engines keep their data."""
        return self.root / ".provision"


def find(start: Path) -> Path:
    """The nearest provision.toml upward. Raises ConfigError (no-project)."""
    for folder in (start, *start.parents):
        if (folder / FILE).is_file():
            return folder / FILE
    raise ConfigError(
        "no-project",
        f"no {FILE} here or in any folder above",
        where=str(start),
        fix="run `provision init` in the folder of the project, or change into it",
    )


def load(start: Path, variables: Mapping[str, str] = os.environ) -> Project:
    """Read and check provision.toml. Raises ConfigError (no-project, toml-invalid, unknown-key, …), all at once."""
    file = find(start)
    try:
        text = file.read_text(encoding="utf-8")
        tree = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError("toml-invalid", f"{FILE} cannot be read: {error}", where=str(file)) from None
    _override(tree, variables)
    raise_all(list(_wrong(tree, file, text)))
    project = tree["project"]
    name, stores = str(project["name"]), tree.get("stores", {})
    options = tuple(_store(each, keys, name, file.parent) for each, keys in stores.items())
    home = str(project.get("home", "none"))
    if home != "none" and home not in stores:
        raise ConfigError(
            "unknown-store",
            f"home names {home!r}, which is not a store of this project",
            where=_line(file, text, "home"),
            fix=f"one of {', '.join(stores) or 'the stores you configure'}, or none",
        )
    many = frozenset(each for each, keys in stores.items() if keys.get("heads") == "many")
    lease = seconds(str(project.get("lease", "30s")))
    return Project(file, name, home, options, tree.get("environments", {}), many, lease)


def choose(project: Project, wanted: str | None, *, terminal: bool, variables: Mapping[str, str] = os.environ) -> str:
    """The environment's name. Raises ConfigError (environment-not-named, unknown-environment)."""
    named = wanted or variables.get("PROVISION_ENV")
    known = list(project.environments)
    if named is None and not terminal:
        raise ConfigError(
            "environment-not-named",
            "output is not a terminal, and no environment is named",
            where=f"{project.file.name} has {', '.join(known) or 'none'}",
            fix="add --env NAME, or set PROVISION_ENV",
        )
    if named is None:
        named = embedded_environment(project) if len(known) != 1 else known[0]
    if named not in project.environments:
        raise ConfigError(
            "unknown-environment",
            f"no environment is called {named!r}",
            where=str(project.file),
            fix=_nearest(named, known),
        )
    return named


def embedded_environment(project: Project) -> str:
    """The one environment with `embedded = true`. Raises ConfigError (no-embedded-environment)."""
    names = [name for name, keys in project.environments.items() if keys.get("embedded") is True]
    if len(names) != 1:
        raise ConfigError(
            "no-embedded-environment",
            f"{len(names)} environments say `embedded = true`",
            where=str(project.file),
            fix="name the environment with --env, or give one of them `embedded = true`",
        )
    return names[0]


def leaves_to_engine(project: Project, environment: str, store: str, variables: Mapping[str, str] = os.environ) -> bool:
    """Whether an environment neither gives the store a url nor switches it off. Fills in no variable."""
    keys = project.environments[environment].get(store, {})
    return not (isinstance(keys, str) or "url" in keys or f"PROVISION_{store.upper()}__URL" in variables)


def resolve(project: Project, name: str, variables: Mapping[str, str] = os.environ) -> Environment:
    """The environment with its variables filled in. Raises ConfigError (unset-variable), for all of them at once."""
    raw = project.environments[name]
    errors: list[ConfigError] = []
    secrets: set[str] = set()
    places: dict[str, Place] = {}
    for store in project.stores:
        keys = raw.get(store.name, {})
        keys = {"url": keys} if isinstance(keys, str) and keys != "off" else keys
        override = variables.get(f"PROVISION_{store.name.upper()}__URL")
        if override is not None:
            keys = {"url": override} if keys == "off" else {**keys, "url": override}
        if keys == "off":
            places[store.name] = Place(off=True)
            continue
        filled = {}
        for key, value in keys.items():
            try:
                filled[key] = _fill(value, variables, secrets, project.root)
            except ConfigError as error:
                errors.append(_placed(error, project, name, store.name, key))
        url = filled.pop("url", None)
        if url == "off":
            places[store.name] = Place(off=True)
            continue
        places[store.name] = Place(Secret(str(url)) if url else None, extra=filled)
        secrets |= {match["password"] for match in _PASSWORD.finditer(str(url or ""))} | {
            str(filled[key]) for key in ("token",) if filled.get(key)
        }
    raise_all(errors)
    # Short values would mask ordinary words; a secret of three letters protects nothing anyway.
    return Environment(name, raw.get("embedded") is True, places, tuple(sorted(s for s in secrets if len(s) > 3)))


def seconds(text: str) -> float:
    """A duration such as `500ms`, `30s`, `10m`, `2h` or a bare number of seconds. Raises ConfigError (bad-duration)."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)?", text.strip())
    if match is None:
        raise ConfigError("bad-duration", f"{text!r} is not a duration", fix="write it like 500ms, 30s, 10m or 2h")
    return float(match[1]) * {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}[match[2] or "s"]


def _store(name: str, keys: Mapping[str, Any], project: str, root: Path) -> StoreOptions:
    kind = str(keys.get("kind", name))
    path = root / str(keys.get("path", _FOLDERS.get(kind, name)))
    extra = {key: value for key, value in keys.items() if key not in ("kind", "path", "heads")}
    return StoreOptions(name, kind, project, path, root, extra)


def _override(tree: dict[str, Any], variables: Mapping[str, str]) -> None:
    """Apply PROVISION_<STORE>__<KEY> to the stores' own keys; urls are filled in per environment."""
    for name in [*tree.get("stores", {}), "project"]:
        prefix = f"PROVISION_{name.upper()}__"
        table = tree["stores"][name] if name != "project" else tree.get("project", {})
        for variable, value in variables.items():
            key = variable.removeprefix(prefix).lower()
            if variable.startswith(prefix) and key not in PLACE_KEYS and isinstance(table, dict):
                table[key] = value


def _wrong(tree: Mapping[str, Any], file: Path, text: str) -> Iterator[ConfigError]:
    """Every key that the file should not have, or misses."""
    yield from _unknown(tree, ("project", "stores", "environments"), file, text)
    project = tree.get("project")
    if not isinstance(project, dict) or not project.get("name"):
        yield ConfigError("missing-key", "the project has no name", where=str(file), fix='add [project] name = "…"')
        return
    yield from _unknown(project, PROJECT_KEYS, file, text)
    for name, keys in tree.get("stores", {}).items():
        kind = keys.get("kind", name)
        if kind not in KINDS:
            fix = _nearest(str(kind), KINDS)
            yield ConfigError("unknown-kind", f"{name} is of no known kind: {kind!r}", where=str(file), fix=fix)
            continue
        yield from _unknown(keys, (*STORE_KEYS, *KIND_KEYS.get(kind, ())), file, text)
    for environment in tree.get("environments", {}).values():
        yield from _unknown(environment, ("embedded", *tree.get("stores", {})), file, text, what="store")
        for name, keys in environment.items():
            if isinstance(keys, dict) and name in tree.get("stores", {}):
                yield from _unknown(keys, PLACE_KEYS, file, text)


def _unknown(
    table: Mapping[str, Any], known: tuple[str, ...], file: Path, text: str, what: str = "key"
) -> Iterator[ConfigError]:
    for key in table:
        if key not in known:
            yield ConfigError(
                f"unknown-{what}",
                f"no {what} is called {key!r}",
                where=_line(file, text, key),
                fix=_nearest(key, known),
            )


def _nearest(name: str, known: tuple[str, ...] | list[str]) -> str:
    close = get_close_matches(name, known, 1)
    return f"did you mean {close[0]!r}?" if close else f"known: {', '.join(known) or 'none'}"


def _line(file: Path, text: str, key: str) -> str:
    # tomllib keeps no positions; the first line that sets the key is where people look.
    pattern = re.compile(rf"^\s*(?:\[[^\]]*\b)?{re.escape(key)}\b")
    number = next((i for i, line in enumerate(text.splitlines(), 1) if pattern.search(line)), None)
    return f"{file}:{number}" if number else str(file)


def _fill(value: object, variables: Mapping[str, str], secrets: set[str], root: Path) -> object:
    if not isinstance(value, str):
        return value

    def replaced(match: re.Match[str]) -> str:
        if match["file"]:
            secret = _from_file(root / match["file"].removeprefix("file:"))
            secrets.add(secret)
            return secret
        found = variables.get(match["name"], match["default"])
        if found is None:
            raise ConfigError("unset-variable", f"{match['name']} is not set", fix=f"export {match['name']}")
        return found

    return _VARIABLE.sub(replaced, value)


def _from_file(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ConfigError("unset-variable", f"{path} cannot be read: {error.strerror}", fix="create the file") from None


def _placed(error: ConfigError, project: Project, environment: str, store: str, key: str) -> ConfigError:
    where = f"{project.file.name}, [environments.{environment}] {store}.{key}"
    fix = f'{error.fix}, or switch the store off there with {store} = "off"'
    return ConfigError(error.code, error.what, where=where, fix=fix)
