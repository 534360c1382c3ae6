"""Chooses an environment and fills in its variables."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from provision.errors import ConfigError, raise_all
from provision.settings.check import PLACE_KEYS
from provision.settings.model import Environment, ProjectFile, StorePlace
from provision.settings.secrets import Secret, is_divided, passwords
from provision.settings.variables import fill, fill_files, placed
from provision.text.files import listed
from provision.text.nearest import nearest


def choose(
    project: ProjectFile, wanted: str | None, *, terminal: bool, variables: Mapping[str, str] = os.environ
) -> str:
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


def embedded_environment(project: ProjectFile) -> str:
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


def leaves_to_engine(
    project: ProjectFile, environment: str, store: str, variables: Mapping[str, str] = os.environ
) -> bool:
    """Whether an environment neither gives the store a url nor switches it off. Fills in no variable."""
    keys = project.environments[environment].get(store, {})
    return not (isinstance(keys, str) or "url" in keys or f"PROVISION_{store.upper()}__URL" in variables)


def resolve(project: ProjectFile, name: str, variables: Mapping[str, str] = os.environ) -> Environment:
    """The environment with its variables filled in. Raises ConfigError (unset-variable), for all of them at once."""
    raw = project.environments[name]
    errors: list[ConfigError] = []
    secrets: set[str] = set()
    places: dict[str, StorePlace] = {}
    for store in project.stores:
        keys = _keys(raw.get(store.name, {}), store.name, variables)
        if keys.get("url") == "off":
            places[store.name] = StorePlace(off=True)
            continue  # what else is written of it is not asked for
        filled = {}
        for key, value in keys.items():
            try:
                filled[key] = fill(value, variables, secrets, project.root)
            except ConfigError as error:
                errors.append(placed(error, project, name, store.name, key))
        variables_of = store.extra.get("variables")
        if isinstance(variables_of, Mapping):
            filled["variables"] = fill_files(variables_of, variables, secrets, project, errors, store.name)
        url = filled.pop("url", None)
        if url == "off":
            places[store.name] = StorePlace(off=True)
            continue
        places[store.name] = StorePlace(Secret(str(url)) if url else None, extra=filled)
        if is_divided(str(url or "")):
            errors.append(_divided(store.name, project, name))
        # Servers name what they were sent, which is not percent-encoded.
        secrets |= set(passwords(str(url or ""))) | {str(filled.get("token", ""))}
    hooks = _hooks(project, name, variables, secrets, errors)
    raise_all(errors)
    # Short values would mask ordinary words; a secret of three letters protects nothing anyway.
    told = tuple(sorted(s for s in secrets if len(s) > 3))
    return Environment(name, raw.get("embedded") is True, places, told, hooks, _options(project, name, variables))


def _hooks(
    project: ProjectFile, name: str, variables: Mapping[str, str], secrets: set[str], errors: list[ConfigError]
) -> dict[str, Secret]:
    """The hooks of the environment; the url of a webhook is a secret, since whoever has it may write there."""
    written = project.environments[name].get("hooks", {})
    found: dict[str, Secret] = {}
    for event, value in ({} if any(each.name == "hooks" for each in project.stores) else written).items():
        try:
            text = str(fill(value, variables, secrets, project.root))
        except ConfigError as error:
            where = f"{project.file.name}, [environments.{name}] hooks.{event}"
            errors.append(ConfigError(error.code, error.what, where=where, fix=error.fix))
            continue
        if text.startswith(("http://", "https://")):
            secrets |= {text, text.split("://", 1)[1].partition("/")[2], *passwords(text)}
        if text:
            found[event] = Secret(text)
    return found


def _options(project: ProjectFile, name: str, variables: Mapping[str, str]) -> frozenset[str]:
    """The options that are chosen. Raises ConfigError (no-such-option) for one that no store has."""
    written = project.environments[name].get("options", "")
    chosen = frozenset(listed(variables.get("PROVISION_OPTIONS", str(written))))
    for each in sorted(chosen - project.options.keys()):
        raise ConfigError(
            "no-such-option",
            f"no store has an option {each!r}",
            where="PROVISION_OPTIONS" if "PROVISION_OPTIONS" in variables else f"[environments.{name}] options",
            fix=nearest(each, list(project.options)) if project.options else "give a store one: options = {demo = …}",
        )
    return chosen


def _divided(store: str, project: ProjectFile, environment: str) -> ConfigError:
    """The error for a url whose password divides it: no part of the url is in it, each may be one of the password."""
    return ConfigError(
        "bad-url",
        f"the url of {store} cannot be read: its password holds an @, #, / or ? that divides the url",
        where=f"{project.file.name}, [environments.{environment}] {store}.url",
        fix="percent-encode them: @ as %40, # as %23, / as %2F, ? as %3F, : as %3A, % as %25",
    )


def _keys(written: str | Mapping[str, Any], store: str, variables: Mapping[str, str]) -> dict[str, Any]:
    """What an environment says of a store, with PROVISION_<STORE>__<KEY> in place of the keys that they name."""
    keys = {"url": written} if isinstance(written, str) else dict(written)
    named = {key: f"PROVISION_{store.upper()}__{key.upper()}" for key in PLACE_KEYS}
    return keys | {key: variables[variable] for key, variable in named.items() if variable in variables}
