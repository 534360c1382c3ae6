"""What is timed: which of our commands beside which of theirs, and the bounds that were set."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from bench import projects
from bench.contenders import Command, alembic, helped, migrations, provision
from bench.rounds import Pair, Timed
from bench.servers import Clickhouse, Postgres

SMALL, LARGE = 100, 1000
Ours = Callable[..., Command]


class Cases:
    """Builds the pairs; databases that many rounds read are kept until `stack` closes."""

    def __init__(self, folder: Path, stack: ExitStack, rounds: int, large: int = LARGE) -> None:
        self._folder, self._stack, self._rounds, self._large = folder, stack, rounds, large

    def help(self) -> list[Pair]:
        ours = helped("provision", self._folder).seconds
        return [
            Pair("--help", ours, helped("alembic", self._folder).seconds, "alembic --help", self._many, 0.5),
            Pair(
                "--help ",
                ours,
                helped("clickhouse-migrations", self._folder).seconds,
                "clickhouse-migrations --help",
                self._many,
            ),
        ]

    def postgres(self, server: Postgres) -> list[Pair]:
        made = []
        for count in (SMALL, self._large):
            project = projects.postgres(self._folder / f"postgres{count}", count)
            alembic(project, "postgresql:///none", "heads").seconds()  # so that compiled revisions are there for both
            mine, theirs = self._kept(server, lambda url: provision(project, url, "up"), alembic_up(project))
            large = count == self._large
            made += [
                Pair(
                    f"postgres up, {count}",
                    _on_fresh(server, lambda url, p=project: provision(p, url, "up")),
                    _on_fresh(server, alembic_up(project)),
                    "alembic upgrade head",
                    self._rounds,
                    1.3 if large else None,
                ),
                Pair(
                    f"postgres up, {count}, nothing to do",
                    provision(project, mine, "up").seconds,
                    alembic(project, theirs, "upgrade", "head").seconds,
                    "alembic upgrade head",
                    self._many,
                    0.5 if large else None,
                ),
                Pair(
                    f"postgres status, {count}",
                    provision(project, mine, "status").seconds,
                    alembic(project, theirs, "current").seconds,
                    "alembic current",
                    self._many,
                    0.5 if large else None,
                ),
            ]
        return made

    def clickhouse(self, server: Clickhouse) -> list[Pair]:
        made = []
        for count in (SMALL, self._large):
            project = projects.clickhouse(self._folder / f"clickhouse{count}", count)
            up = ours_without_lease(project)
            mine, theirs = self._kept(server, up, lambda url, p=project: migrations(p, url, "migrate"))
            made += [
                Pair(
                    f"clickhouse up, {count}",
                    _on_fresh(server, up),
                    _on_fresh(server, lambda url, p=project: migrations(p, url, "migrate")),
                    "clickhouse-migrations migrate",
                    self._rounds,
                    1.6 if count == self._large else None,
                ),
                Pair(
                    f"clickhouse up, {count}, nothing to do",
                    up(mine).seconds,
                    migrations(project, theirs, "migrate").seconds,
                    "clickhouse-migrations migrate",
                    self._many,
                ),
                Pair(
                    f"clickhouse status, {count}",
                    provision(project, mine, "status").seconds,
                    migrations(project, theirs, "status").seconds,
                    "clickhouse-migrations status",
                    self._many,
                ),
            ]
        return made

    @property
    def _many(self) -> int:
        """Rounds of what is quick."""
        return self._rounds * 3

    def _kept(
        self, server: Postgres | Clickhouse, ours: Callable[[str], Command], theirs: Callable[[str], Command]
    ) -> tuple[str, str]:
        """The urls of two databases in which everything is applied, one by each tool."""
        urls = self._stack.enter_context(server.fresh()), self._stack.enter_context(server.fresh())
        ours(urls[0]).seconds()
        theirs(urls[1]).seconds()
        return urls


def alembic_up(project: Path) -> Callable[[str], Command]:
    return lambda url: alembic(project, url, "upgrade", "head")


def ours_without_lease(project: Path) -> Callable[[str], Command]:
    return lambda url: provision(project, url, "up", "--no-lease")


def _on_fresh(server: Postgres | Clickhouse, command: Callable[[str], Command]) -> Timed:
    def timed() -> float:
        with server.fresh() as url:
            return command(url).seconds()

    return timed
