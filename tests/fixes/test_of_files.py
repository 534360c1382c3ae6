"""Files of a project: what is wrong with one is told, what the fix asks for is written, and the project is whole."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from tests.fixes.following import failed, fix_of
from tests.servers.command_line import Provision

GRAPH = ("graph",)
STREAM = 'up:\n  - create_stream: {name: "small:x", group: readers, maxlen: 10, owner: web}\ndown: auto\n'
REVISION = 'revision = "0004"\ndown_revision = "0003"\n\n\ndef upgrade():\n    pass\n\n\ndef downgrade():\n    pass\n'
TABLE = "CREATE TABLE more (x UInt64) ENGINE = Log;\n"
TOML = "provision.toml"
FOLDER = "\0"


class Case(NamedTuple):
    """A file with what is wrong in it, words of the fix, and the file (another, with `name`) as the fix asks for it."""

    code: str
    file: str
    wrong: str
    fix: str
    right: str | None
    name: str = ""


def toml(code: str, old: str, wrong: str, fix: str, right: str = "") -> Case:
    """Of provision.toml: `old` is replaced by what is wrong, and that by what is right."""
    return Case(code, TOML, f"{old}\0{wrong}", fix, right or old)


CASES = [
    Case("bad-yaml", "redis/0003_x.yaml", f"up: [\n{STREAM}", "", STREAM),
    Case("document-invalid", "redis/0003_x.yaml", STREAM.replace(", maxlen: 10", ""), "add `maxlen:`", STREAM),
    Case("bad-filename", "redis/first.yaml", STREAM, "rename", STREAM, "redis/0003_first.yaml"),
    Case("duplicate-id", "redis/0002_x.yaml", STREAM, "", STREAM, "redis/0003_x.yaml"),
    Case("missing-requirement", "redis/0003_x.yaml", f"requires: [clickhouse/1]\n{STREAM}", "did you mean", STREAM),
    Case("empty-migration", "clickhouse/003_x.sql", "", "", TABLE),
    Case("nothing-read", "clickhouse/003_x.SQL", TABLE, "let its name end in .sql", TABLE, "clickhouse/003_x.sql"),
    Case("not-a-file", "clickhouse/003_x.sql", FOLDER, "put a file in its place", TABLE),
    Case("orphan-down", "clickhouse/003_x.down.sql", "DROP TABLE more;\n", "", None),
    Case("number-too-high", "clickhouse/4294967296_x.sql", TABLE, "", TABLE, "clickhouse/003_x.sql"),
    Case("both-ways", "clickhouse/003_x.sql", f"-- +goose Up\n{TABLE}-- +goose Down\nSELECT 1;\n", "down.sql", TABLE),
    Case("not-utf8", "clickhouse/003_x.sql", "-- \udcff\n", "UTF-8", TABLE),
    Case("bad-header", "alembic/versions/0004_x.py", "def upgrade(:\n", "", REVISION),
    Case("missing-parent", "alembic/versions/0004_x.py", REVISION.replace("0003", "0009"), "correct what", REVISION),
    Case("two-heads", "alembic/versions/0004_x.py", REVISION.replace("0003", "0002"), "merge", REVISION),
    Case("cycle", "redis/0003_x.yaml", f"requires: [postgres/0004]\n{STREAM}", "", STREAM),
    toml("toml-invalid", 'name = "small"', "name = small", ""),
    toml("missing-key", 'name = "small"', "", "", '[project]\nname = "small"'),
    toml("bad-value", "[stores.redis]", "[stores.redis]\npath = 3", ""),
    toml("unknown-key", "strict = true", "stric = true", "did you mean"),
    toml("unknown-kind", "[stores.redis]", "[stores.redis]\nkind = \"rediss\"", "did you mean"),
    toml("bad-duration", 'home = "postgres"', 'home = "postgres"\nlease = "soon"', "30s"),
]  # fmt: skip


def put(root: Path, case: Case) -> None:
    place = root / case.file
    if case.file == TOML:
        old, wrong = case.wrong.split("\0")
        text = place.read_text()
        assert old in text
        place.write_text(text.replace(old, wrong))
        return
    if case.code == "cycle":
        (root / "alembic" / "versions" / "0004_x.py").write_text(f'requires = ["redis/0003"]\n{REVISION}')
    if case.wrong == FOLDER:
        place.mkdir()
        return
    place.write_bytes(case.wrong.encode(errors="surrogateescape"))


def mend(root: Path, case: Case, before: str) -> None:
    place = root / case.file
    if case.file == TOML:
        place.write_text(before)
        return
    place.rmdir() if place.is_dir() else place.unlink()
    if case.right is not None:
        (root / (case.name or case.file)).write_text(case.right)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.code)
def test_file_is_written_as_the_fix_asks_for_it(files: Path, provision: Provision, case: Case) -> None:
    before = (files / TOML).read_text()
    put(files, case)
    fix = fix_of(failed(case.code, provision(*GRAPH)))

    assert case.fix.lower() in fix.lower()
    mend(files, case, before)
    ran = provision(*GRAPH)
    assert ran.code == 0, ran.err


# Code, what is typed, a word of the fix, what is typed then.
WORDS = [
    ("bad-name", "init other --name a/b --stores redis", "letters, digits", "init other --name ab --stores redis"),
    ("store-exists", "store add redis", "choose another name", "store add cache --kind redis"),
    ("no-such-page", "docs recovry", "recovery", "docs recovery"),
    ("bad-message", "new redis !!!", "a to z", "new redis more"),
    ("no-documents", "schema clickhouse", "redis", "schema redis"),
]


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize(("code", "wrong", "fix", "right"), WORDS)
def test_command_is_typed_as_the_fix_asks_for_it(
    provision: Provision, code: str, wrong: str, fix: str, right: str
) -> None:
    assert fix in fix_of(failed(code, provision(*wrong.split())))

    ran = provision(*right.split())
    assert ran.code == 0, ran.err
