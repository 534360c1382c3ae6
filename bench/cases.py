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
IDLE = "nothing to do"
NO_BOUNDS = (None, None, None)
Server = Postgres | Clickhouse
OnUrl = Callable[[str], Command]


class Cases:
    """Builds the pairs; databases that many rounds read are kept until `stack` closes."""

    def __init__(self, folder: Path, stack: ExitStack, rounds: int, large: int = LARGE) -> None:
        self._folder, self._stack, self._rounds, self._large = folder, stack, rounds, large

    def help(self) -> list[Pair]:
        """`--help` beside that of both tools."""
        ours = helped("provision", self._folder)
        return [
            self._read(f"--help{mark}", ours, helped(tool, self._folder), f"{tool} --help", bound)
            for tool, bound, mark in (("alembic", 0.3, ""), ("clickhouse-migrations", None, " "))
        ]

    def postgres(self, server: Postgres) -> list[Pair]:
        """`up`, `up` with nothing to do and `status` beside `alembic`, for both sizes."""
        made = []
        for count in (SMALL, self._large):
            project = projects.postgres(self._folder / f"postgres{count}", count)
            alembic(project, "postgresql:///none", "heads").seconds()  # so that compiled revisions are there for both
            ours, theirs = postgres_up(project), alembic_up(project)
            mine, others = self._kept(server, ours, theirs)
            bounds = (1.3, 0.5, 0.5) if count == self._large else NO_BOUNDS
            made += [
                self._up(f"postgres up, {count}", server, ours, theirs, "alembic upgrade head", bounds[0]),
                self._read(
                    f"postgres up, {count}, {IDLE}", ours(mine), theirs(others), "alembic upgrade head", bounds[1]
                ),
                self._read(
                    f"postgres status, {count}",
                    provision(project, mine, "status"),
                    alembic(project, others, "current"),
                    "alembic current",
                    bounds[2],
                ),
            ]
        return made

    def clickhouse(self, server: Clickhouse) -> list[Pair]:
        """`up`, `up` with nothing to do and `status` beside `clickhouse-migrations`, for both sizes."""
        made = []
        peer = "clickhouse-migrations"
        for count in (SMALL, self._large):
            project = projects.clickhouse(self._folder / f"clickhouse{count}", count)
            ours, theirs = clickhouse_up(project), migrate(project)
            mine, others = self._kept(server, ours, theirs)
            bound = 1.6 if count == self._large else None
            made += [
                self._up(f"clickhouse up, {count}", server, ours, theirs, f"{peer} migrate", bound),
                self._read(f"clickhouse up, {count}, {IDLE}", ours(mine), theirs(others), f"{peer} migrate", None),
                self._read(
                    f"clickhouse status, {count}",
                    provision(project, mine, "status"),
                    migrations(project, others, "status"),
                    f"{peer} status",
                    None,
                ),
            ]
        return made

    def _up(self, name: str, server: Server, ours: OnUrl, theirs: OnUrl, against: str, bound: float | None) -> Pair:
        """Each run on an empty database of its own."""
        return Pair(name, _on_fresh(server, ours), _on_fresh(server, theirs), against, self._rounds, bound)

    def _read(self, name: str, ours: Command, theirs: Command, against: str, bound: float | None) -> Pair:
        return Pair(name, ours.seconds, theirs.seconds, against, self._many, bound)

    @property
    def _many(self) -> int:
        """Rounds of what is quick."""
        return self._rounds * 3

    def _kept(self, server: Server, ours: OnUrl, theirs: OnUrl) -> tuple[str, str]:
        """The urls of two databases in which everything is applied, one by each tool."""
        urls = self._stack.enter_context(server.fresh()), self._stack.enter_context(server.fresh())
        ours(urls[0]).seconds()
        theirs(urls[1]).seconds()
        return urls


def postgres_up(project: Path) -> OnUrl:
    return lambda url: provision(project, url, "up")


def alembic_up(project: Path) -> OnUrl:
    return lambda url: alembic(project, url, "upgrade", "head")


def clickhouse_up(project: Path) -> OnUrl:
    return lambda url: provision(project, url, "up", "--no-lock")


def migrate(project: Path) -> OnUrl:
    return lambda url: migrations(project, url, "migrate")


def _on_fresh(server: Server, command: OnUrl) -> Timed:
    def timed() -> float:
        with server.fresh() as url:
            return command(url).seconds()

    return timed
