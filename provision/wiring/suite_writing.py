"""Suites that are written by `provision`: from what a table holds, or from the tests of another tool."""

from __future__ import annotations

from pathlib import Path

from provision import settings
from provision.documents import folder
from provision.documents.yaml import parse
from provision.errors import CapabilityMissing, ConfigError
from provision.flows.connect import known_stores
from provision.model.checks import Scope, Table
from provision.text import files
from provision.validate import dbt, suggest
from provision.wiring import sites


def suggested(
    project: settings.ProjectFile, environment: settings.Environment, store: str, table: str, scope: Scope
) -> str:
    """A suite for a table. Raises ConfigError (unknown-table), CapabilityMissing, UnreachableError, FailedError."""
    known_stores(project, frozenset({store}))
    with sites.lent(project, environment, wanted=frozenset({store})) as needed:
        if store in needed.lost:
            raise needed.lost[store]
        if store not in needed.stores:
            what = f"{store} is off in this environment"
            raise ConfigError("store-off", what, where="--store", fix="choose another environment")
        checks = needed.stores[store].checks
        if checks is None or checks.queries is None:
            what = "a suite is suggested for tables of PostgreSQL and ClickHouse, whose columns can be asked for"
            raise CapabilityMissing(store, "suggest", what, "write the suite by hand: `provision docs validation`")
        for error in checks.refused(Table(store, table, place="TABLE")):
            raise error
        return _header(project) + suggest.suite(store, table, checks.queries, scope)


def from_dbt(project: settings.ProjectFile, path: Path, store: str) -> tuple[str, dbt.Imported]:
    """A suite of the tests in a `schema.yml`, and what became of each. Raises ConfigError."""
    known_stores(project, frozenset({store}))
    value, _ = parse(files.read_text(path, str(path)), str(path), keys="models and sources")
    found = dbt.imported(value)
    if not found.tables:
        fix = "name a file with `models:` or `sources:` that have `tests:` or `data_tests:`"
        what = f"no test of it has a counterpart: {', '.join(found.left)}" if found.left else "the file holds no tests"
        raise ConfigError("nothing-to-check", what, where=str(path), fix=fix)
    return _header(project) + dbt.suite(found, store), found


def _header(project: settings.ProjectFile) -> str:
    return folder.schema_line(project.root, project.root / "checks", "checks")


def write(path: Path, text: str) -> None:
    """Raises ConfigError (suite-exists, suite-lost)."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        if isinstance(error, FileExistsError) and path.exists():  # else a file is where its folder would be
            what = f"{path.name} is there"
            raise ConfigError("suite-exists", what, where=str(path), fix="name another file") from None
        what = f"the suite could not be written: {(error.strerror or str(error)).lower()}"
        raise ConfigError("suite-lost", what, where=str(path), fix="choose another place") from None
