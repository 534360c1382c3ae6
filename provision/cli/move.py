"""`up` and `down`."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import click

from provision.cli import complete, options, plans, site
from provision.cli.render.moves import MoveRender, lost
from provision.core.execute import Board
from provision.core.plan import Wanted
from provision.errors import EXIT_FAILED, Interrupted
from provision.flows.connect import Access
from provision.flows.losses import Losses
from provision.flows.migrate import move
from provision.flows.rules import Rules, Watch
from provision.model import Direction
from provision.wiring.moves import error_of, hidden, needed_backfills

if TYPE_CHECKING:
    pass


def _moving(function: options.F) -> options.F:
    """The options that `up` and `down` share."""
    for option in (
        click.option("--steps", type=click.IntRange(1), metavar="N", help="Only the next N."),
        click.option("--dry-run", is_flag=True, help="Show what would be done; do nothing."),
        click.option("--allow-destructive", is_flag=True, help="Allow steps that lose data."),
        click.option("--no-lease", is_flag=True, help="Do not take the run lock."),
        options.wait,
    ):
        function = option(function)
    return options.reaching(function)


@click.command(
    epilog=options.example("provision up --env local", "provision up -e production --only postgres --dry-run")
)
@click.argument("targets", nargs=-1, metavar="[REVISION]...", shell_complete=complete.revisions)
@_moving
@click.option(
    "--plan", "plan_file", type=click.Path(path_type=Path), help="Run this saved plan, if nothing moved since."
)
@click.option("--out-of-order", is_flag=True, help="Allow a pending revision before an applied one.")
def up(targets: tuple[str, ...], plan_file: Path | None, out_of_order: bool, **given: object) -> int:
    """Apply what is pending, in all stores, in one order; up to REVISION if one is named."""
    wanted = Wanted(targets, frozenset(_texts(given["only"])), _count(given), out_of_order=out_of_order)
    return _move(Direction.UP, wanted, given, plan_file)


@click.command(epilog=options.example("provision down postgres/0007 --env local", "provision down --steps 2 -e local"))
@click.argument("targets", nargs=-1, metavar="[REVISION]...", shell_complete=complete.revisions)
@_moving
@click.option("--all", "everything", is_flag=True, help="Revert everything.")
@click.option("--cascade", is_flag=True, help="Also revert what stands on the reverted revisions in other stores.")
def down(targets: tuple[str, ...], everything: bool, cascade: bool, **given: object) -> int:
    """Revert revisions, newest first, down to REVISION, which stays applied."""
    wanted = Wanted(targets, frozenset(_texts(given["only"])), _count(given), everything, cascade)
    return _move(Direction.DOWN, wanted, given, None)


def _move(direction: Direction, wanted: Wanted, given: dict[str, object], plan_file: Path | None) -> int:
    render = MoveRender(direction, str(given["output"]), dry_run=bool(given["dry_run"]))
    access = Access.READ if given["dry_run"] else Access.WRITE
    env = str(given["env"]) if given["env"] else None
    with (
        _stoppable() as boards,
        render.under_way(),
        site.opened(env, access, only=_texts(given["only"]), wait_for=_seconds(given, "wait_for")) as opened,
    ):
        render.head(opened)
        rules = Rules(
            owner=site.owner(opened.project.root),
            wait=_seconds(given, "wait"),
            use_lease=not given["no_lease"],
            dry_run=bool(given["dry_run"]),
            allow_destructive=bool(given["allow_destructive"]),
            confirm=_confirm,
            saved=plans.load(plan_file, opened.graph, opened.environment.name) if plan_file else None,
            backfills=needed_backfills(opened) if direction is Direction.UP else {},
        )
        watch = Watch(
            lambda happening: render.happened(hidden(happening, opened.environment.mask)),
            lambda plan, standings: render.planned(opened, plan, standings),
            boards.append,
            lambda losses: render.losing(_masked(losses, opened.environment.mask)),
        )
        report = move(opened, direction, wanted, rules, watch)
        error = error_of(report)
        if error is not None:
            site.hide(error, opened.environment)
        render.report(report, error)
    return error.exit_code if error is not None else 0


def _masked(losses: Losses, mask: Callable[[str], str]) -> Losses:
    return {name: [mask(each) for each in why] for name, why in losses.items()}


def _confirm(losses: Losses) -> bool:
    """At a terminal, ask for a typed word; elsewhere the answer is no."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return False
    for line in lost(losses, shutil.get_terminal_size().columns):
        click.echo(line)
    said = "1 step loses data" if len(losses) == 1 else f"{len(losses)} steps lose data"
    word = click.prompt(f"{said}. Type LOSE to go on", default="", show_default=False)
    return bool(word == "LOSE")


@contextmanager
def _stoppable() -> Iterator[list[Board]]:
    """Ctrl-C or SIGTERM once: stop after the current statement; twice: now."""
    boards: list[Board] = []
    seen: list[int] = []

    def stop(number: int, _frame: FrameType | None) -> None:
        name = signal.Signals(number).name
        seen.append(number)
        if len(seen) > 1:
            os.write(2, b"stopped now; a statement may still run on its server: run the same command again\n")
            os._exit(EXIT_FAILED)
        if not boards:
            raise Interrupted(name)
        os.write(2, b"stopping after the current statement; once more stops now\n")
        for board in boards:
            board.stop(Interrupted(name))

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield boards
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _texts(value: object) -> tuple[str, ...]:
    return tuple(str(each) for each in value) if isinstance(value, tuple) else ()


def _seconds(given: dict[str, object], name: str) -> float:
    value = given[name]
    return value if isinstance(value, float) else 0.0


def _count(given: dict[str, object]) -> int | None:
    value = given["steps"]
    return value if isinstance(value, int) else None
