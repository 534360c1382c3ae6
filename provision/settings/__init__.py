"""The only reader of provision.toml and of the environment's variables."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from provision import kinds
from provision.errors import ConfigError, raise_all
from provision.model import StoreOptions
from provision.settings.check import PLACE_KEYS, Check, line
from provision.text import durations
from provision.text.files import read_text
from provision.text.nearest import nearest

FILE = "provision.toml"
_VARIABLE = re.compile(r"\$\{(?:(?P<file>file:[^}]+)|(?P<name>[A-Za-z_]\w*)(?::-(?P<default>[^}]*))?)\}")
_GUESS = re.compile(r"://[^:@/?#]*:(?P<password>.*)@")
_SECRET_OPTION = re.compile(r"pass|secret|token", re.IGNORECASE)


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
        for secret in sorted(self.secrets, key=len, reverse=True):  # one may be the beginning of another
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
    text = read_text(file, str(file))
    tree = _parsed(text, file)
    _override(tree, variables)
    raise_all(list(Check(tree, file, text, variables).problems()))
    project = tree["project"]
    name, stores = str(project["name"]), tree.get("stores", {})
    options = tuple(_store(each, keys, name, file.parent) for each, keys in stores.items())
    raise_all([_no_folder(each, file) for each in options if "path" in stores[each.name] and not each.path.is_dir()])
    raise_all(_shared(options, stores, file))
    home = str(project.get("home", "none"))
    if home != "none" and home not in stores:
        raise ConfigError(
            "unknown-store",
            f"home names {home!r}, which is not a store of this project",
            where=f"{file}:{line(text.split(chr(10)), 'home', 'project')}",
            fix=nearest(home, [*stores, "none"]),
        )
    many = frozenset(each for each, keys in stores.items() if keys.get("heads") == "many")
    lease = seconds(str(project.get("lease", "30s")), f"{file}:{line(text.split(chr(10)), 'lease', 'project')}")
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
            where=str(project.file) if wanted else f"PROVISION_ENV={named}; {project.file}",
            fix=nearest(named, known),
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
        keys = _keys(raw.get(store.name, {}), store.name, variables)
        filled = {}
        for key, value in keys.items():
            try:
                filled[key] = _fill(value, variables, secrets, project.root)
            except ConfigError as error:
                errors.append(_placed(error, project, name, store.name, key))
        variables_of = store.extra.get("variables")
        if isinstance(variables_of, Mapping):
            filled["variables"] = _variables(variables_of, variables, secrets, project, errors, store.name)
        url = filled.pop("url", None)
        if url == "off":
            places[store.name] = Place(off=True)
            continue
        places[store.name] = Place(Secret(str(url)) if url else None, extra=filled)
        # Servers name what they were sent, which is not percent-encoded.
        secrets |= set(passwords(str(url or ""))) | {str(filled.get("token", ""))}
    raise_all(errors)
    # Short values would mask ordinary words; a secret of three letters protects nothing anyway.
    return Environment(name, raw.get("embedded") is True, places, tuple(sorted(s for s in secrets if len(s) > 3)))


def _keys(written: str | Mapping[str, Any], store: str, variables: Mapping[str, str]) -> dict[str, Any]:
    """What an environment says of a store, with PROVISION_<STORE>__<KEY> in place of the keys that they name."""
    keys = {"url": written} if isinstance(written, str) else dict(written)
    named = {key: f"PROVISION_{store.upper()}__{key.upper()}" for key in PLACE_KEYS}
    return keys | {key: variables[variable] for key, variable in named.items() if variable in variables}


def passwords(url: str) -> Iterator[str]:
    """Every part of a url that is or may be a password: as written, decoded, encoded. A broken url is guessed at."""
    try:
        parts = urlsplit(url)
        _ = parts.port  # reading it is what finds a broken one
        found = [parts.password or ""]
        options = (each.partition("=") for each in parts.query.split("&"))
        found += [value for name, _, value in options if _SECRET_OPTION.search(name)]
    except ValueError:
        guess = _GUESS.search(url)
        whole = guess["password"] if guess else ""
        found = [whole, *re.split(r"[/?#@\]\[]", whole)]
    for written in filter(None, found):
        yield from (written, unquote(written), quote(unquote(written), safe=""))


def seconds(text: str, where: str = "") -> float:
    """A duration such as `500ms`, `30s`, `10m`, `2h` or a bare number of seconds. Raises ConfigError (bad-duration)."""
    try:
        return durations.typed(text)
    except ValueError:
        what = f"{text!r} is not a duration"
        raise ConfigError("bad-duration", what, where=where, fix="write it like 500ms, 30s, 10m or 2h") from None


def _store(name: str, keys: Mapping[str, Any], project: str, root: Path) -> StoreOptions:
    kind = str(keys.get("kind", name))
    path = root / str(keys.get("path", _folder(kind) or name))
    extra = {key: value for key, value in keys.items() if key not in ("kind", "path", "heads")}
    return StoreOptions(name, kind, project, path, root, extra)


def _override(tree: dict[str, Any], variables: Mapping[str, str]) -> None:
    """Apply PROVISION_<STORE>__<KEY> to the stores' own keys; urls are filled in per environment."""
    stores = tree.get("stores", {})
    for name, table in [*(stores.items() if isinstance(stores, dict) else ()), ("project", tree.get("project"))]:
        prefix = f"PROVISION_{name.upper()}__"
        for variable, value in variables.items():
            key = variable.removeprefix(prefix).lower()
            if variable.startswith(prefix) and key not in PLACE_KEYS and isinstance(table, dict):
                table[key] = value


def _shared(options: Sequence[StoreOptions], stores: Mapping[str, Mapping[str, Any]], file: Path) -> list[ConfigError]:
    """Stores that have a folder in common by default: whoever means that writes `path` for each of them."""
    folders: dict[Path, list[StoreOptions]] = {}
    for each in options:
        folders.setdefault(each.path.resolve(), []).append(each)
    return [
        ConfigError(
            "shared-folder",
            f"{' and '.join(each.name for each in sharing)} share the folder {sharing[0].shown(sharing[0].path)}, and"
            f" {' and '.join(unsaid)} {'has' if len(unsaid) == 1 else 'have'} no path",
            where=f"{file}, [stores.{unsaid[-1]}]",
            fix=f'give {unsaid[-1]} a folder of its own, path = "{unsaid[-1]}", and make it:'
            f" {_making(sharing[0].kind, unsaid[-1])}; or write path for each of them, if they are meant to share it",
        )
        for sharing in folders.values()
        if len(sharing) > 1 and (unsaid := [each.name for each in sharing if "path" not in stores[each.name]])
    ]


def _folder(kind: str) -> str:
    """The folder that every store of a kind has by default; empty where it is called like the store."""
    found = kinds.find(kind)
    return found.folder if found is not None else ""


def _making(kind: str, folder: str) -> str:
    """The command that makes a folder of migrations."""
    return f"`{kinds.named(kind, folder).making.format(folder=folder)}`"


def _no_folder(options: StoreOptions, file: Path) -> ConfigError:
    return ConfigError(
        "missing-folder",
        f"the folder of {options.name} does not exist: {options.shown(options.path)}",
        where=f"{file}, [stores.{options.name}] path",
        fix=f"correct the path, or make the folder: {_making(options.kind, options.shown(options.path))}",
    )


def _parsed(text: str, file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        message, place = str(error), re.search(r" \(at line (\d+), column (\d+)\)$", str(error))
        where = f"{file}:{place[1]}:{place[2]}" if place else str(file)
        message = message[: place.start()] if place else message
        what = f"{FILE} is not TOML: {message[:1].lower()}{message[1:]}"
        raise ConfigError("toml-invalid", what, where=where, fix="correct the line") from None


def _fill(value: object, variables: Mapping[str, str], secrets: set[str], root: Path) -> object:
    if not isinstance(value, str):
        return value

    def replaced(match: re.Match[str]) -> str:
        if match["file"]:
            secret = _from_file(root / match["file"].removeprefix("file:"))
            secrets.add(secret)
            return secret
        found = variables.get(match["name"], match["default"])
        if not found and match["default"] is None:
            what = f"{match['name']} is {'not set' if found is None else 'set to nothing'}"
            raise ConfigError("unset-variable", what, fix=f"export {match['name']}")
        return found or ""

    return _VARIABLE.sub(replaced, value)


def _variables(
    given: Mapping[str, object],
    variables: Mapping[str, str],
    secrets: set[str],
    project: Project,
    errors: list[ConfigError],
    store: str,
) -> dict[str, object]:
    """The `${NAME}` values of migration files; one that is taken from elsewhere may be a secret and is masked."""
    filled: dict[str, object] = {}
    for name, value in given.items():
        try:
            filled[name] = _fill(value, variables, secrets, project.root)
        except ConfigError as error:
            where = f"{project.file.name}, [stores.{store}] variables.{name}"
            errors.append(ConfigError(error.code, error.what, where=where, fix=error.fix))
            continue
        if filled[name] != value:
            secrets.add(str(filled[name]))
    return filled


def _from_file(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except UnicodeDecodeError:
        raise ConfigError("unset-variable", f"{path} is not UTF-8", fix="save the file as UTF-8") from None
    except OSError as error:
        what = f"{path} cannot be read: {(error.strerror or str(error)).lower()}"
        raise ConfigError("unset-variable", what, fix="create the file") from None


def _placed(error: ConfigError, project: Project, environment: str, store: str, key: str) -> ConfigError:
    where = f"{project.file.name}, [environments.{environment}] {store}.{key}"
    fix = f'{error.fix}, or switch the store off there with {store} = "off"'
    return ConfigError(error.code, error.what, where=where, fix=fix)
