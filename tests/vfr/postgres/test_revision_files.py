"""The shipped revision files keep the rules that make them safe to run and easy to read."""

import ast
import re
from pathlib import Path

import pytest

from . import migrations

FILES = sorted(migrations.VERSIONS.glob("*.py"))


def test_revisions_form_one_line_numbered_without_gaps() -> None:
    assert migrations.revision_ids() == [f"{n:04d}" for n in range(1, len(FILES) + 1)]
    assert [file.name[:4] for file in FILES] == migrations.revision_ids()


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_revision_is_short_and_described_in_one_line(file: Path) -> None:
    text = file.read_text()
    assert re.fullmatch(r"[A-Z][^\n]{5,70}[^.\n]", ast.get_docstring(ast.parse(text)) or "")
    assert len(text.splitlines()) <= 150


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_revision_header_and_constants_are_literals(file: Path) -> None:
    for node in ast.parse(file.read_text()).body:
        if isinstance(node, ast.Assign):
            ast.literal_eval(node.value)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_revision_autocommit_statement_stands_alone(file: Path) -> None:
    for function in ast.parse(file.read_text()).body:
        if not isinstance(function, ast.FunctionDef):
            continue
        text = ast.unparse(function)
        assert ("autocommit_block" in text) == ("CONCURRENTLY" in text)
        if "autocommit_block" in text:
            assert text.count("op.execute") == 1
            assert len(function.body) == 1
