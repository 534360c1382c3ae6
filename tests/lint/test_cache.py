"""What was found before is taken again only while nothing that it was found in has changed."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from provision.wiring import lint_cache
from tests.servers.command_line import Provision

INDEX = 'op.execute("CREATE INDEX i ON orders (a)")'
TABLE = 'op.execute("CREATE TABLE orders (a int)")'
Rules = Callable[..., list[str]]


@pytest.fixture
def rules(provision: Provision) -> Rules:
    def found(*arguments: str) -> list[str]:
        return [each["rule"] for each in json.loads(provision("lint", "-o", "json", *arguments).out)["findings"]]

    return found


@pytest.fixture(autouse=True)
def own_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pytest's own, which says what it is at, changes between fixture and test."""
    passed = {*lint_cache._ABOUT_THE_SHELL, "PYTEST_CURRENT_TEST"}
    monkeypatch.setattr(lint_cache, "_ABOUT_THE_SHELL", passed)


@pytest.fixture
def mark(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file that is made whenever the first revision is imported."""
    return tmp_path_factory.mktemp("mark") / "imported"


@pytest.fixture
def project_of_two(project: Path, revision: Callable[..., Path], rules: Rules, mark: Path) -> Path:
    """A table, and an index on it that blocks writes; it has been linted once."""
    (project / "helper.py").write_text(f"STATEMENT = {TABLE[12:-2]!r}\n")
    (project / "more.sql").write_text("SELECT 1")
    (project / "alembic" / "env.py").write_text(
        "import os, sys\nsys.path.insert(0, os.getcwd())\nsys.modules.pop('helper', None)\n"
        + (project / "alembic" / "env.py").read_text()
    )
    head = f"from pathlib import Path\nPath({str(mark)!r}).touch()"
    body = "from helper import STATEMENT; op.execute(STATEMENT); op.execute(Path('more.sql').read_text())"
    revision("0001", body, head=head)
    revision("0002", INDEX)
    assert rules() == ["index-not-concurrent"]
    return project


def seen(mark: Path) -> bool:
    """Whether the revisions were imported since it was asked last."""
    there = mark.exists()
    mark.unlink(missing_ok=True)
    return there


@pytest.mark.usefixtures("project_of_two")
def test_same_files_are_not_read_again_and_findings_are_the_same(mark: Path, provision: Provision) -> None:
    first = provision("lint", "-o", "json").out
    seen(mark)
    assert provision("lint", "-o", "json").out == first
    assert not seen(mark)
    assert provision("lint", "-o", "json", "--no-cache").out == first
    assert seen(mark)


def test_folder_of_the_cache_is_no_file_of_the_repository(project_of_two: Path, git: Callable[..., None]) -> None:
    git("init", "-q")
    git("add", "-A")
    listed = (project_of_two / ".git" / "index").read_bytes()
    assert b"provision.toml" in listed
    assert b".lint" not in listed


@pytest.mark.parametrize(
    ("file", "before", "after", "expected"),
    [
        ("alembic/versions/0002_r.py", "INDEX i", "INDEX CONCURRENTLY i", ["concurrently-in-transaction"]),
        ("alembic/versions/0002_r.py", "\n\ndef up", "\nrequires = ['x/1']\n\ndef up", ["missing-requirement"]),
        ("alembic/versions/0001_r.py", "op.execute(STATEMENT); ", "", ["index-not-concurrent"]),
        ("helper.py", "CREATE TABLE orders (a int)", "ALTER SYSTEM RESET ALL", ["alter-system"]),
        ("more.sql", "SELECT 1", "ALTER SYSTEM RESET ALL", ["alter-system"]),
        ("alembic/env.py", "context.run_migrations()", "pass", ["not-rendered", "not-rendered"]),
        ("provision.toml", "[project]", '[lint]\nindex-not-concurrent = "off"\n[project]', []),
    ],
)
def test_change_of_anything_that_it_depends_on_is_seen(
    project_of_two: Path, file: str, before: str, after: str, expected: list[str], rules: Rules
) -> None:
    path = project_of_two / file
    assert before in path.read_text()
    path.write_text(path.read_text().replace(before, after))
    assert set(expected) <= set(rules())
    assert rules() == rules("--no-cache")


@pytest.mark.usefixtures("project")
def test_file_below_dev_is_followed_and_a_device_is_not(
    revision: Callable[..., Path], rules: Rules, mark: Path
) -> None:
    with tempfile.NamedTemporaryFile("w+", dir="/dev/shm") as shared:
        shared.write("SELECT 1")
        shared.flush()
        head = (
            f"from pathlib import Path\nPath({str(mark)!r}).touch()\nwith open('/dev/urandom', 'rb') as it: it.read(1)"
        )
        revision("0001", f"op.execute(Path({shared.name!r}).read_text())", head=head)
        assert rules() == []
        assert seen(mark)
        assert rules() == []
        assert not seen(mark)
        Path(shared.name).write_text("ALTER SYSTEM RESET ALL")
        assert "alter-system" in rules()


def test_level_of_the_environment_is_part_of_it(project_of_two: Path, provision: Provision) -> None:
    toml = project_of_two / "provision.toml"
    toml.write_text(toml.read_text() + '[environments.strict.lint]\nindex-not-concurrent = "warning"\n')
    assert [provision("lint", *arguments).code for arguments in ((), ("--env", "strict"), (), ("--env", "strict"))] == [
        1,
        0,
        1,
        0,
    ]


@pytest.mark.parametrize("change", ["tool", "variable", "half"])
def test_other_tool_variable_or_broken_file_reads_again(
    project_of_two: Path, mark: Path, rules: Rules, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    seen(mark)
    if change == "tool":
        monkeypatch.setattr(lint_cache, "_version", lambda _: "other")
    elif change == "variable":
        monkeypatch.setenv("OF_ENV_PY", "1")
    else:
        (kept,) = (project_of_two / ".provision" / ".lint").glob("*.json")
        kept.write_text(kept.read_text()[:50])
    assert rules() == ["index-not-concurrent"]
    assert seen(mark)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_folder_that_cannot_be_written_is_no_error(project: Path, revision: Callable[..., Path], rules: Rules) -> None:
    revision("0001", TABLE)
    project.chmod(0o500)
    assert rules() == []
