"""`up` and `down`."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from provision.cli import group, options, site
from provision.cli.render.moves import MoveRender, lost
from provision.cli.render.paper import print_lines
from provision.cli.render.problems import name_environment
from provision.cli.signals import handled
from provision.core.plan import MoveRequest, Standings
from provision.errors import EXIT_FAILED, Interrupted, ProvisionError
from provision.flows.connect import Access, Site
from provision.flows.losses import Losses
from provision.flows.migrate import move
from provision.flows.rules import Listeners, Rules
from provision.model import Direction, Plan, Report
from provision.wiring import sites
from provision.wiring.moves import changed_by_hand, error_of, has_windows, hidden, hidden_losses, needed_backfills

if TYPE_CHECKING:
    from provision.core.execute import Coordinator

app = group.app()
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would be done; do nothing.")]
AllowDestructive = Annotated[bool, typer.Option("--allow-destructive", help="Allow steps that lose data.")]
PlanFile = Annotated[
    Path | None, typer.Option("--plan", metavar="FILE", help="Run this saved plan, if nothing has changed since.")
]


class _Options(NamedTuple):
    """What `up` and `down` are told in the same words."""

    env: str | None
    only: tuple[str, ...]
    output: str
    wait_for: float
    wait: float
    no_lock: bool
    allow_destructive: bool
    dry_run: bool
    junit: Path | None


@group.command(app, "up", "provision up --env local", "provision up -e production --only postgres --dry-run")
def up(
    targets: options.Revisions = None,
    env: options.Env = None,
    only: options.Only = None,
    output: options.Output = options.TEXT,
    wait_for: options.WaitFor = 0.0,
    wait: options.Wait = options.WAIT,
    no_lock: options.NoLock = False,
    allow_destructive: AllowDestructive = False,
    dry_run: DryRun = False,
    steps: options.Steps = None,
    plan_file: PlanFile = None,
    out_of_order: options.OutOfOrder = False,
    junit: options.Junit = None,
) -> int:
    """Apply what is pending, in all stores, in one order; up to REVISION if one is named."""
    wanted = MoveRequest(tuple(targets or ()), frozenset(only or ()), steps, out_of_order=out_of_order)
    given = _Options(env, tuple(only or ()), output, wait_for, wait, no_lock, allow_destructive, dry_run, junit)
    return _move(Direction.UP, wanted, given, plan_file)


@group.command(app, "down", "provision down postgres/0007 --env local", "provision down --steps 2 -e local")
def down(
    targets: options.Revisions = None,
    env: options.Env = None,
    only: options.Only = None,
    output: options.Output = options.TEXT,
    wait_for: options.WaitFor = 0.0,
    wait: options.Wait = options.WAIT,
    no_lock: options.NoLock = False,
    allow_destructive: AllowDestructive = False,
    dry_run: DryRun = False,
    steps: options.Steps = None,
    everything: Annotated[bool, typer.Option("--all", help="Revert everything.")] = False,
    cascade: Annotated[
        bool, typer.Option("--cascade", help="Also revert what stands on the reverted revisions in other stores.")
    ] = False,
    junit: options.Junit = None,
) -> int:
    """Revert revisions, newest first, down to REVISION, which stays applied."""
    wanted = MoveRequest(tuple(targets or ()), frozenset(only or ()), steps, everything, cascade)
    given = _Options(env, tuple(only or ()), output, wait_for, wait, no_lock, allow_destructive, dry_run, junit)
    return _move(Direction.DOWN, wanted, given, None)


def _move(direction: Direction, wanted: MoveRequest, given: _Options, plan_file: Path | None) -> int:
    render = MoveRender(direction, given.output, dry_run=given.dry_run)
    access = Access.READ if given.dry_run else Access.WRITE
    outlined = direction is Direction.UP and plan_file is None
    with (
        _stoppable() as boards,
        _reported(given.junit, direction) as reported,
        render.under_way(),
        site.opened(
            given.env, access, only=given.only, narrow=direction, wait_for=given.wait_for, outlined=outlined
        ) as opened,
    ):
        render.head(opened)
        rules = _ruled(opened, direction, given, plan_file)
        watch = Listeners(
            lambda happening: render.happened(hidden(happening, opened.environment)),
            _planned(render, opened, direction),
            boards.append,
            lambda losses: render.losing(hidden_losses(losses, opened.environment.mask)),
        )
        report = move(opened, direction, wanted, rules, watch)
        error = error_of(report)
        if error is None and direction is Direction.UP and has_windows(opened):
            from provision.wiring.partitions import ensured

            report, error = ensured(opened, wanted.only, report, watch.happened, dry_run=given.dry_run)
        if error is not None:
            sites.hide(error, opened.environment)
            name_environment(error, given.env or "")
        render.report(report, error)
        reported(report, error)
    return error.exit_code if error is not None else 0


def _ruled(opened: Site, direction: Direction, given: _Options, plan_file: Path | None) -> Rules:
    """The rules of the run; with those that let a saved plan run as it is, or not at all. Raises ConfigError."""
    rules = Rules(
        owner=sites.owner(opened.project.root),
        wait=given.wait,
        use_lease=not given.no_lock,
        dry_run=given.dry_run,
        allow_destructive=given.allow_destructive,
        confirm=_confirm,
        backfills=needed_backfills(opened) if direction is Direction.UP else {},
    )
    if plan_file is None:
        return rules
    from provision.wiring.plan_files import as_saved

    return as_saved(opened, rules, plan_file)


@contextmanager
def _reported(file: Path | None, direction: Direction) -> Iterator[Callable[[Report, ProvisionError | None], None]]:
    """Writes a JUnit report of the run, and of what kept one from beginning; does nothing without a file."""
    if file is None:
        yield lambda _report, _error: None
        return
    from provision.cli.render import report_files

    def write(cases: Sequence[report_files.JunitCase]) -> None:
        report_files.write(file, report_files.junit(f"provision {direction}", cases))

    try:
        yield lambda report, error: write(report_files.of_run(report, error))
    except ProvisionError as error:
        write(report_files.of_error(error))
        raise


def _planned(render: MoveRender, opened: Site, direction: Direction) -> Callable[[Plan, Standings], None]:
    """Shows what is about to run, and what somebody changed by hand of what that touches."""

    def planned(plan: Plan, standings: Standings) -> None:
        render.planned(opened, plan, standings)
        for note in changed_by_hand(opened, direction, plan):
            render.happened(hidden(note, opened.environment))

    return planned


def _confirm(losses: Losses) -> bool:
    """At a terminal, ask for a typed word; elsewhere the answer is no."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return False
    print_lines(lost(losses, shutil.get_terminal_size().columns))
    said = "1 step loses data" if len(losses) == 1 else f"{len(losses)} steps lose data"
    word = typer.prompt(f"{said}. Type yes to confirm", default="", show_default=False)
    return bool(word == "yes")


@contextmanager
def _stoppable() -> Iterator[list[Coordinator]]:
    """Ctrl-C or SIGTERM once: stop after the current statement; twice: now."""
    boards: list[Coordinator] = []
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

    with handled(stop):
        yield boards
