"""A project of several PostgreSQL stores, and `provision` as a process of its own there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.concurrency.project import Ended, Run
from tests.stores.postgres import environments
from tests.stores.postgres.projects import rows

REVISION = """\
{top}
from alembic import op
revision = "{number}"
down_revision = {parent!r}
requires = {requires!r}
def upgrade():
{up}
def downgrade():
{down}
"""
TABLES = "select tablename from pg_tables where schemaname = 'public' and tablename <> 'alembic_version' order by 1"
LEDGER = "select revision, kind from provision.ledger order by token, n"


class Several:
    """Stores `a`, `b`, …, each with a folder of its own name and the default env.py of these tests."""

    def __init__(self, folder: Path, urls: list[str]) -> None:
        self.folder, self.runs = folder, list[Run]()
        self.urls = dict(zip("abcde", urls, strict=False))
        lines = ["[project]", 'name = "several"', 'home = "a"']
        for name in self.urls:
            lines += [f"[stores.{name}]", 'kind = "postgres"', f'path = "{name}"']
        lines += ["[environments.local]", *(f'{name}.url = "{url}"' for name, url in self.urls.items())]
        (folder / "provision.toml").write_text("\n".join(lines) + "\n")
        for name in self.urls:
            (folder / name / "versions").mkdir(parents=True)
            self.env(name, environments.PLAIN)

    def env(self, name: str, text: str) -> None:
        (self.folder / name / "env.py").write_text(text)

    def revision(
        self, store: str, number: int, up: str = "", down: str = "", requires: tuple[str, ...] = (), top: str = ""
    ) -> None:
        """One revision; by default it makes and drops a table named after store and number."""
        table = f"{store}{number:04d}"
        text = REVISION.format(
            top=top,
            number=f"{number:04d}",
            parent=f"{number - 1:04d}" if number > 1 else None,
            requires=list(requires),
            up=_indented(up or f'op.execute("create table {table} (x int)")'),
            down=_indented(down or f'op.execute("drop table {table}")'),
        )
        (self.folder / store / "versions" / f"{number:04d}_step.py").write_text(text)

    def start(self, *arguments: str, lease: str = "30s") -> Run:
        run = Run(self.folder, arguments, lease)
        self.runs.append(run)
        return run

    def run(self, *arguments: str, lease: str = "30s") -> Ended:
        return self.start(*arguments, lease=lease).end()

    def up(self, *arguments: str) -> Ended:
        """`provision up`, which must end with 0."""
        ended = self.run("up", *arguments)
        assert ended.code == 0, ended.out + ended.err
        return ended

    def tables(self, store: str) -> list[str]:
        return [row[0] for row in rows(self.urls[store], TABLES)]

    def ledger(self, store: str) -> list[tuple[Any, ...]]:
        return rows(self.urls[store], LEDGER)

    def clear(self) -> None:
        for run in self.runs:
            run.clear()


def _indented(body: str) -> str:
    return "\n".join(f"    {line}" for line in body.splitlines())
