"""The parts of docs/generate_schema.py that need no server; the whole is checked by `make stale`."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture
def generator(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    monkeypatch.syspath_prepend(DOCS)
    spec = importlib.util.spec_from_file_location("generate_schema", DOCS / "generate_schema.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    for name in [name for name in sys.modules if name.split(".")[0] == "schema_pages"]:
        del sys.modules[name]


def test_constraints_end_outside_of_their_own_brackets_and_quotes(generator: ModuleType) -> None:
    created = (
        "CREATE TABLE t (`a` String, CONSTRAINT one CHECK f(a, 1) = ')', CONSTRAINT two CHECK a != '') ENGINE = Log"
    )
    found = list(generator.clickhouse._constraints(created))
    assert found == [("one", "f(a, 1) = ')'"), ("two", "a != ''")]


@pytest.mark.parametrize(
    ("written", "drawn"),
    [
        ("character varying(20)", "varchar"),
        ("numeric(5,4)", "numeric"),
        ("timestamp with time zone", "timestamptz"),
        ("text[]", "text[]"),
        ("Array(LowCardinality(String))", "String[]"),
        ("Array(Tuple(String, Float64))", "Tuple[]"),
        ("SimpleAggregateFunction(sum, UInt64)", "UInt64"),
        ("Enum8('UNKNOWN' = 0, 'BUY' = 1)", "Enum8"),
        ("Nullable(Float64)", "Float64"),
    ],
)
def test_type_is_drawn_in_letters_that_mermaid_takes(generator: ModuleType, written: str, drawn: str) -> None:
    column = generator.erd.Column("c", written, False, "", "")
    assert generator.erd._type(column) == drawn


def test_table_without_a_domain_is_an_error(generator: ModuleType) -> None:
    stranger = generator.erd.Relation("stranger", "table", "", [])
    with pytest.raises(ValueError, match=r"the live tables differ in .*stranger"):
        generator.erd.diagrams([stranger], [])


def test_difference_is_the_first_line_that_differs(
    generator: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generator, "ROOT", tmp_path)
    page = tmp_path / "schema.md"
    assert generator.first_difference(page, "a\n") == "schema.md is missing"
    page.write_text("a\nb\n")
    assert generator.first_difference(page, "a\nb\n") is None
    told = "schema.md:2 is out of date\n  is         b\n  should be  c"
    assert generator.first_difference(page, "a\nc\n") == told
    assert generator.first_difference(page, "a\n") == told.replace("be  c", "be  (end of file)")
