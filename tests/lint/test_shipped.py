"""The shipped files break no rule, and none is passed by."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from provision import settings
from provision.flows.lint import LintScope, linted
from provision.wiring import lint

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("store", ["postgres", "clickhouse", "redis", "influx", "weaviate", "arango"])
def test_shipped_files_of_a_store_have_no_finding(store: str) -> None:
    found, wrong = lint.of_project(settings.load(ROOT), [store])
    report = linted(found, LintScope())
    assert wrong == []
    assert report.findings == ()
    assert report.not_rendered == ()
    assert report.files == len([*_files(ROOT / ("alembic" if store == "postgres" else store))])


def _files(folder: Path) -> list[str]:
    inside = [folder / "versions", folder / "repeatable"] if folder.name == "alembic" else [folder]
    names = [name for each in inside for name in os.listdir(each)]
    return [name for name in names if name.endswith((".py", ".sql", ".yaml")) and not name.endswith(".down.sql")]
