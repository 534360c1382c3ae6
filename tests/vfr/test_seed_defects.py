"""docs/seed-defects.md: all 64 defects are there, and every file and test that it names."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "seed-defects.md"
STORES = "postgres|clickhouse|redis|influx|weaviate|arango"
NAMED = re.compile(rf"`((?:{STORES})/[0-9]{{3,4}}_[a-z0-9_]+|alembic/repeatable/\w+\.sql)`")
FILE: Mapping[str, str] = {
    "postgres": "alembic/versions/{}.py",
    "clickhouse": "clickhouse/{}.sql",
    **{store: f"{store}/{{}}.yaml" for store in ("redis", "influx", "weaviate", "arango")},
}


@dataclass(frozen=True)
class Row:
    number: int
    mended: str
    tests: tuple[str, ...]


@cache
def rows() -> list[Row]:
    cells = [
        line.strip("|").split("|") for line in PAGE.read_text(encoding="utf-8").splitlines() if re.match(r"\| \d", line)
    ]
    return [Row(int(number), mended.strip(), tuple(re.findall("`(.+?)`", t))) for number, _, mended, t in cells]


@cache
def functions_of(file: str) -> frozenset[str]:
    tree = ast.parse((ROOT / "tests" / file).read_text(encoding="utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef))


def path_of(named: str) -> Path:
    store, _, name = named.partition("/")
    return ROOT / (FILE[store].format(name) if store in FILE else named)


def test_page_has_each_defect_once_in_order() -> None:
    assert [row.number for row in rows()] == list(range(1, 65))


@pytest.mark.parametrize("row", rows(), ids=lambda row: str(row.number))
def test_row_says_where_it_is_mended_or_why_not(row: Row) -> None:
    named = NAMED.findall(row.mended)
    assert re.findall("`(.+?)`", row.mended) == named
    assert [each for each in named if not path_of(each).exists()] == []
    assert bool(named) or row.mended.startswith("not applicable: ")


@pytest.mark.parametrize("row", rows(), ids=lambda row: str(row.number))
def test_row_names_tests_that_exist(row: Row) -> None:
    split = [each.split("::") for each in row.tests]
    assert [f"{file}::{name}" for file, name in split if name not in functions_of(file)] == []
    assert split
