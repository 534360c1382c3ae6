"""Fills in what stands as `${NAME}` or `${file:PATH}`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from provision.errors import ConfigError
from provision.settings.model import ProjectFile

_VARIABLE = re.compile(r"\$\{(?:(?P<file>file:[^}]+)|(?P<name>[A-Za-z_]\w*)(?::-(?P<default>[^}]*))?)\}")


def fill(value: object, variables: Mapping[str, str], secrets: set[str], root: Path) -> object:
    """A value with its variables replaced; what comes from a file is added to `secrets`.

    Raises ConfigError (unset-variable) without a place: see `placed`.
    """
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


def fill_files(
    given: Mapping[str, object],
    variables: Mapping[str, str],
    secrets: set[str],
    project: ProjectFile,
    errors: list[ConfigError],
    store: str,
) -> dict[str, object]:
    """The `${NAME}` values of migration files; one that is taken from elsewhere may be a secret and is masked."""
    filled: dict[str, object] = {}
    for name, value in given.items():
        try:
            filled[name] = fill(value, variables, secrets, project.root)
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


def placed(error: ConfigError, project: ProjectFile, environment: str, store: str, key: str) -> ConfigError:
    """The error of `fill`, with the key that it is about."""
    where = f"{project.file.name}, [environments.{environment}] {store}.{key}"
    fix = f'{error.fix}, or switch the store off there: "off" as the url of {store}'
    return ConfigError(error.code, error.what, where=where, fix=fix)
