"""Headers of Alembic revisions, read without importing the file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from provision.errors import ConfigError
from provision.model import Revision, StoreOptions
from provision.stores.postgres import files as source
from provision.stores.postgres.migrate import header as headers


def read(root: Path, *texts: str) -> tuple[Revision, ...]:
    versions = root / "alembic" / "versions"
    versions.mkdir(parents=True)
    (root / "alembic" / "env.py").write_text("")
    for number, text in enumerate(texts, 1):
        (versions / f"{number:04}_step.py").write_text(f"{text}\n\n\ndef upgrade():\n    x = 1\n")
    return source.revisions(options(root))


def options(root: Path) -> StoreOptions:
    return StoreOptions("postgres", "postgres", "p", root / "alembic", root)


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


def read_both(text: str) -> list[dict[str, object] | str]:
    """The header, read the quick way where it is plain, and by Python's parser: "computed" where it is that."""
    found: list[dict[str, object] | str] = []
    for read in (headers.header, headers.parsed):
        try:
            found.append(read(text, "a.py"))
        except headers.Computed:
            found.append("computed")
    return found


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
        ('revision = "a"\nTABLE = """\nimportant := 1;\n"""\nCOLUMNS = {\n    "a": [1, 2],\n}\n', True),
        ('revision = "a"\nTABLE = """\nrevision\n"""\n', False),
        ('revision = "a"\nx = [\n    1,\n]\nrevision = "b"\n', False),
        ('revision = "a"\nx = [\n    (revision := "b"),\n]\n', False),
        ('revision = "a"\nx = [\n    vars (),\n]\n', False),
        ('revision = "a"\nx = [\n    1,\n]\nfrom a import *\n', False),
    ],
)
def test_header_of_plain_lines_is_read_as_python_reads_it(header: str, plain: bool) -> None:
    text = f"{header}def upgrade():\n    pass\n"

    assert (headers._plain(text[: text.index("def upgrade")]) is not None) is plain
    assert read_both(text)[0] == read_both(text)[1]


def test_revisions_merge_has_two_parents(tmp_path: Path) -> None:
    first, second, merge = read(
        tmp_path,
        'revision, down_revision = "a", None\nbranch_labels = ("left",)',
        'revision, down_revision = "b", None',
        'revision = "c"\ndown_revision = ("a", "b")',
    )

    assert (first.labels, second.parents, merge.parents) == (("left",), (), ("postgres/a", "postgres/b"))


BODIES = {
    "below a class": 'class Kind:\n    x = 1\n\n\nrevision = "a"\ndown_revision = "z"\nrequires = ["redis/1"]\n',
    "below a function": (
        'def upgrade():\n    revision = "no"\n\n\nrevision = "a"\ndown_revision: str = "z"\nrequires = "redis/1"\n'
    ),
    "set again below": (
        'revision = "b"\ndown_revision = "z"\n\n\ndef f():\n    pass\n\n\nrevision, requires = "a", "redis/1"\n'
    ),
}
COMPUTED = {
    "in a condition": 'revision = "a"\nif 1:\n    down_revision = "z"\n',
    "below, in a condition": 'revision = "a"\n\n\ndef f():\n    pass\n\n\nif 1:\n    down_revision = "z"\n',
    "in a loop": 'revision = "a"\nfor down_revision in ("y", "z"):\n    pass\n',
    "with added text": 'revision = "a"\ndown_revision = "z"\ndown_revision += ""\n',
    "through globals": 'revision = "a"\n\n\ndef f():\n    pass\n\n\nglobals()["down_revision"] = "z"\n',
    "by a call": 'revision = str("a")\ndown_revision = "".join(["z"])\n',
    "with an f-string": 'x = "a"\nrevision = f"{x}"\ndown_revision = "z"\n',
    "by an expression": 'revision = "a"\nx = (down_revision := "z")\n',
    "nested": '(revision, (down_revision, x)) = ("a", ("z", 1))\n',
    "deleted": 'revision = "a"\ndown_revision = "z"\ndepends_on = "q"\ndel depends_on\n',
    "of a number that repeats": 'revision = "a" * 1\ndown_revision = "z"\n',
}


@pytest.mark.parametrize("text", BODIES.values(), ids=BODIES)
def test_header_anywhere_in_the_module_is_read_without_importing_it(tmp_path: Path, text: str) -> None:
    found, _ = read(tmp_path, f"raised = 1\n{text}", 'revision = "z"')

    assert (found.number, found.parents, found.requires) == ("a", ("postgres/z",), ("redis/1",))
    assert read_both(text) == [headers.parsed(text, "a.py")] * 2


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, tuple[str, ...]]:
    """Number → parents of all of them, each with a number of its own: they are imported by one process."""
    texts = [text.replace('"a"', f'"{_number(name)}"') for name, text in COMPUTED.items()]
    found = read(tmp_path_factory.mktemp("computed"), *texts, 'revision = "z"\ndown_revision = None')
    return {each.number: each.parents for each in found}


@pytest.mark.parametrize("name", COMPUTED)
def test_header_that_only_importing_tells_is_read_by_alembic(
    imported: Mapping[str, tuple[str, ...]], name: str
) -> None:
    assert read_both(COMPUTED[name]) == ["computed"] * 2

    assert (imported[_number(name)], imported["z"]) == (("postgres/z",), ())


def _number(name: str) -> str:
    return re.sub(r"\W+", "_", name)


def test_imported_header_is_read_by_alembic(tmp_path: Path) -> None:
    (tmp_path / "vfr_base.py").write_text('down_revision = "z"\n')
    (tmp_path / "alembic.ini").write_text("[alembic]\nprepend_sys_path = %(here)s\n")

    found = read(tmp_path, 'from vfr_base import down_revision\nrevision = "a"', 'revision = "z"\ndown_revision = None')

    assert [(each.number, each.parents) for each in found] == [("z", ()), ("a", ("postgres/z",))]


def test_file_of_alembic_0_1_has_its_name_for_a_number(tmp_path: Path) -> None:
    versions = tmp_path / "alembic" / "versions"
    versions.mkdir(parents=True)
    (tmp_path / "alembic" / "env.py").write_text("")
    (versions / "1a2b.py").write_text("down_revision = None\n")

    assert [each.id for each in source.revisions(options(tmp_path))] == ["postgres/1a2b"]


def test_hidden_file_is_a_revision_as_alembic_has_it(tmp_path: Path) -> None:
    read(tmp_path, 'revision = "a"\ndown_revision = None')
    (tmp_path / "alembic/versions/.two.py").write_text('revision = "b"\ndown_revision = "a"\n')
    (tmp_path / "alembic/versions/.#two.py").write_text("<an editor's lock>")

    assert sorted(each.number for each in source.revisions(options(tmp_path))) == ["a", "b"]


@pytest.mark.parametrize("folder", ["alembic", "alembic/versions/2024", "alembic/migrations"])
def test_files_that_alembic_does_not_find_are_an_error_and_not_an_empty_store(tmp_path: Path, folder: str) -> None:
    (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "alembic/env.py").write_text("def upgrade():\n    pass\n")
    (tmp_path / folder / "helper.py").write_text("x = 1\n")
    assert source.revisions(options(tmp_path)) == ()

    for number in range(7):
        (tmp_path / folder / f"{number}_a.py").write_text('revision = "a"\n')

    with pytest.raises(ConfigError, match=r"like some: .*0_a.py.* and more") as raised:
        source.revisions(options(tmp_path))
    assert (raised.value.code, raised.value.where) == ("nothing-read", "alembic")
