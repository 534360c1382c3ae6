"""Reads `maintain.yaml`: the jobs of a project."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from provision.documents.check import check
from provision.documents.yaml import Path as Steps
from provision.documents.yaml import Place, parse
from provision.errors import ConfigError, ProvisionError, Several, raise_all
from provision.maintain import schedule
from provision.model.maintain import Job
from provision.text import files

FILE = "maintain.yaml"
Vocabularies = Callable[[str], Mapping[str, Mapping[str, Any]]]
"""By the name of a store: the kinds of job that its kind knows. Raises ConfigError (unknown-store)."""

_NAME = "^[a-z][a-z0-9_]{0,39}$"
_COMMON: Mapping[str, Mapping[str, Any]] = {
    "description": {"type": "string", "minLength": 1, "description": "what it is good for, for people"},
    "store": {"type": "string", "minLength": 1, "description": "the name of a store in provision.toml"},
    "every": {
        "type": "string",
        "pattern": f"^(?:{schedule.EVERY.pattern})$",
        "description": "a pace such as 15 minutes, hour, 6 hours, day, week or month",
    },
    "at": {
        "type": "string",
        "pattern": f"^(?:{schedule.AT.pattern})$",
        "description": 'a time of the day in UTC in quotes, such as "03:30"; of hourly jobs its minutes count',
    },
    "on": {"enum": list(schedule.DAYS), "description": "the day of a weekly job"},
}
OF_ALL: Mapping[str, Mapping[str, Any]] = {
    "partitions": {
        "enum": ["ensure", "merge", "retire"],
        "description": "ensure, merge or retire, for the store's partitions/*.yaml",
    },
    "backfill": {"type": "string", "minLength": 1, "description": "the name of a backfill of that store"},
}
"""The kinds of job that need no part of their store's own."""


def read(path: Path, vocabularies: Vocabularies) -> tuple[Job, ...]:
    """The jobs in a file, in its order.

    Raises ConfigError (no-maintain, bad-yaml, document-invalid, bad-job, unknown-store), or Several.
    """
    if not path.exists():
        fix = "write one: `provision docs maintenance` shows how"
        raise ConfigError("no-maintain", f"the project has no {FILE}", where=str(path.parent), fix=fix)
    value, places = _parsed(files.read_text(path, FILE))
    kinds = _kinds(value, places, vocabularies)
    check(value, places, _document({name: _body(each) for name, each in kinds.items()}, None), FILE)
    made, wrong = [], []
    for index, (name, body) in enumerate(value["jobs"].items()):
        try:
            made.append(_job(name, body, kinds[name], index, places))
        except ProvisionError as error:
            wrong.append(error)
    raise_all(wrong)
    return tuple(made)


def schema(kinds: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The JSON Schema (2020-12) of the file, for jobs of these kinds."""
    return _document({}, _body(kinds))


def _job(
    name: str, body: Mapping[str, Any], kinds: Mapping[str, Any], index: int, places: Mapping[Steps, Place]
) -> Job:
    line, column = places[("jobs", name)]
    shown = f"{FILE}:{line}:{column}"
    said = [key for key in body if key in kinds]
    if len(said) != 1:
        what = f"{name} is {' and '.join(said)} in one" if said else f"{name} does not say what it does"
        fix = f"write {'one' if said else 'one more key'} of {', '.join(kinds)}"
        raise ConfigError("bad-job", what, where=shown, fix=fix)
    try:
        due = schedule.read(body["every"], body.get("at"), body.get("on"), index)
    except ValueError as error:
        fix = "write a pace such as 15 minutes, hour, 6 hours, day, week or month"
        raise ConfigError("bad-job", f"{name}: {error}", where=shown, fix=fix) from None
    return Job(name, body["store"], said[0], body[said[0]], due, shown, body.get("description", ""))


def _document(jobs: Mapping[str, Any], other: Mapping[str, Any] | None) -> dict[str, Any]:
    names = {"pattern": _NAME, "description": "a name of small letters, digits and _, such as refresh_features"}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "jobs of maintenance",
        "type": "object",
        "additionalProperties": False,
        "required": ["jobs"],
        "properties": {
            "jobs": {
                "type": "object",
                "minProperties": 1,
                "description": "names of jobs, and what each does",
                "propertyNames": names,
                **({"properties": dict(jobs)} if other is None else {"additionalProperties": dict(other)}),
            }
        },
    }


def _body(kinds: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": ["store", "every"],
        "properties": {**_COMMON, **kinds},
    }


def _parsed(text: str) -> tuple[dict[str, Any], Mapping[Steps, Place]]:
    try:
        return parse(text, FILE, keys="jobs")
    except Several:
        raise
    except ConfigError as error:
        if error.code != "empty-migration":
            raise
        fix = "write its jobs, or delete the file"
        raise ConfigError("no-maintain", f"{FILE} describes no job", where=FILE, fix=fix) from None


def _kinds(
    value: Mapping[str, Any], places: Mapping[Steps, Place], vocabularies: Vocabularies
) -> dict[str, Mapping[str, Mapping[str, Any]]]:
    """Job → the kinds that its store knows; what the job says where it names no store, which the schema says."""
    jobs = value.get("jobs")
    found, wrong = dict[str, Mapping[str, Mapping[str, Any]]](), []
    for name, body in jobs.items() if isinstance(jobs, dict) else ():
        store = body.get("store") if isinstance(body, dict) else None
        if not isinstance(store, str) or not store:
            found[name] = {key: {} for key in (body if isinstance(body, dict) else {}) if key not in _COMMON}
            continue
        try:
            found[name] = {**vocabularies(store), **OF_ALL}
        except ProvisionError as error:
            line, column = places[("jobs", name, "store")]
            error.where = f"{FILE}:{line}:{column}"
            wrong.append(error)
    raise_all(wrong)
    return found
