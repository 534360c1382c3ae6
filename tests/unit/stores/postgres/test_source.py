"""Headers of Alembic revisions, read without importing the file."""

from __future__ import annotations

from pathlib import Path

import pytest

from provision.model import Revision, StoreOptions
from provision.stores.postgres import files as source


def read(root: Path, *texts: str) -> tuple[Revision, ...]:
    versions = root / "alembic" / "versions"
    versions.mkdir(parents=True)
    (root / "alembic" / "env.py").write_text("")
    for number, text in enumerate(texts, 1):
        (versions / f"{number:04}_step.py").write_text(f"{text}\n\n\ndef upgrade():\n    x = 1\n")
    return source.revisions(StoreOptions("postgres", "postgres", "p", root / "alembic", root))


@pytest.mark.parametrize(
    "header",
    [
        'revision = "a"\ndown_revision = None',
        'revision: str = "a"\ndown_revision: str | None = None',
        'revision, down_revision = "a", None',
    ],
)
def test_revisions_header_forms_are_read_alike(tmp_path: Path, header: str) -> None:
    (found,) = read(tmp_path, f'"""First step"""\n{header}')

    assert (found.id, found.parents, found.description) == ("postgres/a", (), "First step")


WRITTEN_BY_ALEMBIC = '''"""Add the "score" of a signal.

Revision ID: 9f
Revises: 8e
"""
from typing import Sequence, Union

from alembic import op
import sqlalchemy as sa


# revision identifiers, used by Alembic (see above).
revision: str = '9f'
down_revision: Union[str, Sequence[str], None] = '8e'
branch_labels: Union[str, Sequence[str], None] = None
depends_on: Union[str, Sequence[str], None] = None
destructive = True
doc = "no docstring"


'''


@pytest.mark.parametrize(
    ("header", "plain"),
    [
        (WRITTEN_BY_ALEMBIC, False),  # for the quotes in its docstring
        (WRITTEN_BY_ALEMBIC.replace('"score"', "score"), True),
        ('revision = "a"\ndown_revision = None\n', True),
        ('"""One line."""\nrevision = "a"\n', True),
        ('"""A docstring.\n\nrevision = "z"\n"""\nrevision = "a"\n', False),
        ('"""A docstring.\n\nrevision = \'z\'\n"""\nrevision = "a"\n', True),
        ('revision = "a\\x62"\n', False),
        ('revision = "a" "b"\n', False),
        ('revision = "a"  # the first\n', False),
        ('from alembic import (\n    op,\n)\nrevision = "a"\n', False),
        ('if True:\n    revision = "a"\n', False),
        ('x = """\nrevision = "z"\n"""\nrevision = "a"\n', False),
        ('revision = "None"\ndown_revision = "True"\nrequires = ""\n', True),
    ],
)
def test_header_of_plain_lines_is_read_as_python_reads_it(header: str, plain: bool) -> None:
    text = f"{header}def upgrade():\n    pass\n"

    assert (source._PLAIN.fullmatch(source.head(text)) is not None) is plain
    assert source._header(text, "a.py") == source._parsed(text, "a.py")


def test_revisions_merge_has_two_parents(tmp_path: Path) -> None:
    first, second, merge = read(
        tmp_path,
        'revision, down_revision = "a", None\nbranch_labels = ("left",)',
        'revision, down_revision = "b", None',
        'revision = "c"\ndown_revision = ("a", "b")',
    )

    assert (first.labels, second.parents, merge.parents) == (("left",), (), ("postgres/a", "postgres/b"))
