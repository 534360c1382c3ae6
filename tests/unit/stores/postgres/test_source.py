"""Headers of Alembic revisions, read without importing the file."""

from __future__ import annotations

from pathlib import Path

import pytest

from provision.model import Revision, StoreOptions
from provision.stores.postgres import source


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


def test_revisions_merge_has_two_parents(tmp_path: Path) -> None:
    first, second, merge = read(
        tmp_path,
        'revision, down_revision = "a", None\nbranch_labels = ("left",)',
        'revision, down_revision = "b", None',
        'revision = "c"\ndown_revision = ("a", "b")',
    )

    assert (first.labels, second.parents, merge.parents) == (("left",), (), ("postgres/a", "postgres/b"))
