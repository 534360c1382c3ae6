"""The command line in this process, and projects of one store that are made for a test."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from provision.cli.main import run
from provision.stores.clickhouse.lint import reader as clickhouse
from tests.lint import pages
from tests.servers.command_line import Provision, Ran

ENV = """
from alembic import context

context.configure(url="postgresql://", literal_binds=True) if context.is_offline_mode() else None
with context.begin_transaction():
    context.run_migrations()
"""
TOML = """[project]
name = "p"
[stores.postgres]
path = "alembic"
[environments.local]
embedded = true
[environments.strict]
postgres.url = "postgresql://nowhere/p"
"""


@pytest.fixture(scope="module", autouse=True)
def one_parser(request: pytest.FixtureRequest) -> Iterator[None]:
    """Statements of ClickHouse are parsed together where a module lists its texts as `texts()`, and once each."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clickhouse, "explained", pages.explained_once)
        texts = getattr(request.module, "texts", None)
        if texts is not None:
            pages.learn(texts())
        yield


@pytest.fixture
def provision(capsys: pytest.CaptureFixture[str]) -> Provision:
    """Run one command line."""

    def ran(*arguments: object) -> Ran:
        capsys.readouterr()
        code = run([str(each) for each in arguments])
        out, err = capsys.readouterr()
        return Ran(code, out, err)

    return ran


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of one PostgreSQL store without revisions, as the working directory."""
    (tmp_path / "alembic" / "versions").mkdir(parents=True)
    (tmp_path / "alembic" / "env.py").write_text(ENV)
    (tmp_path / "alembic" / "script.py.mako").write_text("")
    (tmp_path / "provision.toml").write_text(TOML)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PROVISION_ENV", raising=False)
    return tmp_path


@pytest.fixture
def revision(project: Path) -> Callable[..., Path]:
    """Writes a revision: its number, the body of upgrade(), and what else its file says."""

    def write(
        number: str, up: str, down: str = 'op.execute("select 1")', head: str = "", after: str | None = None
    ) -> Path:
        parent = after if after is not None else f"{int(number) - 1:04}"
        before = None if parent == "0000" else parent
        path = project / "alembic" / "versions" / f"{number}_r.py"
        text = f'from alembic import op\n\nrevision = "{number}"\ndown_revision = {before!r}\n{head}\n\n'
        path.write_text(f"{text}def upgrade():\n    {up}\n\n\ndef downgrade():\n    {down}\n")
        return path

    return write


@pytest.fixture
def git(project: Path) -> Callable[..., None]:
    """Runs git in the project."""

    def ran(*arguments: str) -> None:
        who = ["-c", "user.name=n", "-c", "user.email=n@n", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", *who, *arguments], cwd=project, check=True, capture_output=True)

    return ran
