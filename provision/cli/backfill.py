"""`backfill`: fills what is already there, in batches, beside live traffic."""

from __future__ import annotations

import math
import time
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, NamedTuple

import typer

from provision.backfill.document import seconds
from provision.backfill.workers import WorkerOptions
from provision.cli import complete, group, options, site, stopping
from provision.cli.render import backfills as render
from provision.errors import EXIT_DONE, ConfigError
from provision.flows import backfill as flow
from provision.flows import backfill_standing as standings
from provision.flows.backfill import BackfillContext, BackfillRequest
from provision.model.backfills import Backfill, RunState
from provision.wiring import backfills
from provision.wiring.hooks import Hooks

EVERY = 1.0  # seconds between two looks of --watch
SETTINGS = ("rate", "target")


class Setting(NamedTuple):
    """What --set changes: `rate`, in rows a second (0: no limit), or `target`, in seconds a batch."""

    key: str
    value: float


def _setting(text: str) -> Setting:
    """From `rate=500` or `target=50ms`. Raises ConfigError (bad-setting)."""
    key, _, value = text.partition("=")
    with suppress(ValueError):  # said below, as for a key that nothing knows
        if key == "rate" and 0 <= float(value) < math.inf:
            return Setting(key, float(value))
        if key == "target":
            return Setting(key, seconds(value))
    what = f"{text!r} changes nothing"
    raise ConfigError("bad-setting", what, where="--set", fix="write rate=500 (0: no limit) or target=50ms")


def _finite(value: float | None) -> float | None:
    if value is not None and not math.isfinite(value):
        raise typer.BadParameter(f"{value} is no number of rows a second.")
    return value


app = group.app()
backfill = group.app(
    name="backfill",
    help="Fill what is already there, in batches, beside live traffic.",
    epilog=group.example("provision backfill run aggregated_confidence --env local"),
)
app.add_typer(backfill)

Name = Annotated[str, typer.Argument(metavar="NAME", autocompletion=complete.backfills, help="A backfill.")]
Workers = Annotated[int, typer.Option("--workers", min=1, max=64, metavar="N", help="Connections that fill at once.")]
Rate = Annotated[
    float | None,
    typer.Option(
        "--rate",
        min=0.1,
        callback=_finite,
        metavar="N",
        help="The most rows a second; else the file's `rate`.",
    ),
]
SkipFailed = Annotated[
    int, typer.Option("--skip-failed", min=0, metavar="N", help="Pass over at most N rows that cannot be filled.")
]
NoLock = Annotated[bool, typer.Option("--no-lock", help="Take no lock: nobody else may run it.")]


@dataclass(frozen=True, slots=True)
class _Options:
    """What the commands that fill are told in the same words."""

    env: str | None
    workers: int
    rate: float | None
    skip_failed: int
    no_lock: bool
    wait: float
    output: str


@group.command(backfill, "list", "provision backfill list")
def list_(output: options.TextOrJson = options.TEXT) -> int:
    """List the backfills of the project. Reaches no database."""
    project = site.project()
    render.listed(backfills.read(project), output)
    return EXIT_DONE


@group.command(
    backfill,
    "run",
    "provision backfill run aggregated_confidence --env local",
    "provision backfill run aggregated_confidence --workers 2 --rate 5000",
    "provision backfill run aggregated_confidence -e production --join",
)
def run(
    name: Name,
    join: Annotated[bool, typer.Option("--join", help="Help a run that another process leads.")] = False,
    env: options.Env = None,
    workers: Workers = 1,
    rate: Rate = None,
    skip_failed: SkipFailed = 0,
    no_lock: NoLock = False,
    wait: options.Wait = options.WAIT,
    output: options.TextOrJson = options.TEXT,
) -> int:
    """Fill NAME, or go on where its last run stopped, until nothing is left.

    Its cursor is kept in the store that is filled, with each batch: a run that was killed goes on there. Ctrl-C
    finishes the batch in hand and keeps the run; `pause`, `resume` and `cancel` work from another terminal.
    """
    project = site.project()
    [chosen] = backfills.read(project, [name])
    given = _Options(env, workers, rate, skip_failed, no_lock, wait, output)
    environment = site.environment(project, env)
    with _context(project, environment, chosen, given) as place, stopping.stoppable() as stopped:
        shown = render.BackfillRunRender(project.name, environment, given.output)
        _fill(place, chosen, given, shown, stopped, Hooks(project, environment, shown.noted), join=join)
    return EXIT_DONE


@group.command(
    backfill,
    "resume",
    "provision backfill resume aggregated_confidence -e production",
    "provision backfill resume aggregated_confidence --set rate=500",
)
def resume(
    name: Name,
    changes: Annotated[
        list[Setting] | None,
        typer.Option("--set", parser=_setting, metavar="KEY=VALUE", help="Change rate or target while it runs."),
    ] = None,
    env: options.Env = None,
    workers: Workers = 1,
    rate: Rate = None,
    skip_failed: SkipFailed = 0,
    no_lock: NoLock = False,
    wait: options.Wait = options.WAIT,
    output: options.TextOrJson = options.TEXT,
) -> int:
    """Let a run of NAME go on: in the process that waits, else in this one. With --set, change one that runs."""
    project = site.project()
    [chosen] = backfills.read(project, [name])
    given = _Options(env, workers, rate, skip_failed, no_lock, wait, output)
    environment = site.environment(project, env)
    with _context(project, environment, chosen, given) as place, stopping.stoppable() as stopped:
        shown = render.BackfillRunRender(project.name, environment, given.output)
        before = standings.standing(place, chosen)
        if changes:
            standings.tune(place, chosen, dict(changes))
        if before.leader is not None:
            if not changes or before.state in (RunState.PAUSED, RunState.PAUSING):
                standings.ask(place, chosen, "resume")
            shown.standing(standings.standing(place, chosen))
            return EXIT_DONE
        if before.run is None or before.run.state.over:
            standings.ask(place, chosen, "resume")  # says why not
        _fill(place, chosen, given, shown, stopped, Hooks(project, environment, shown.noted))
    return EXIT_DONE


@group.command(backfill, "pause", "provision backfill pause aggregated_confidence -e production")
def pause(name: Name, env: options.Env = None, output: options.TextOrJson = options.TEXT) -> int:
    """Ask the process that runs NAME to pause after the batch in hand; it waits for `resume`."""
    return _ask(name, env, output, "pause")


@group.command(backfill, "cancel", "provision backfill cancel aggregated_confidence -e production")
def cancel(name: Name, env: options.Env = None, output: options.TextOrJson = options.TEXT) -> int:
    """Give the run of NAME up: what is filled stays, the next run begins from the start."""
    return _ask(name, env, output, "cancel")


@group.command(
    backfill,
    "status",
    "provision backfill status --env local",
    "provision backfill status aggregated_confidence -e production --watch",
)
def status(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NAME]...", autocompletion=complete.backfills, show_default=False, help="Only these backfills."
        ),
    ] = None,
    env: options.Env = None,
    watch: Annotated[bool, typer.Option("--watch", help="Show it every second until it is over.")] = False,
    output: options.TextOrJson = options.TEXT,
) -> int:
    """Show how far the backfills are, all of them unless NAME is given. Reads only."""
    project = site.project()
    chosen = backfills.read(project, names or ())
    environment = site.environment(project, env)
    with backfills.placed(project, environment, chosen, use_lease=project.home != "none") as place:
        shown = render.BackfillStatusRender(project.name, environment, output)
        while True:
            found = [standings.standing(place, each) for each in chosen]
            shown.show(found, {each.backfill.name: backfills.skipped(place, each) for each in found}, again=watch)
            if not watch or not any(each.state in ("running", "pausing", "paused", "enqueued") for each in found):
                return EXIT_DONE
            time.sleep(EVERY)


@group.command(backfill, "suggest", "provision backfill suggest default_mode --env local")
def suggest(name: Name, env: options.Env = None) -> int:
    """Where NAME gives every row the same constant, write the revision that does it in milliseconds.

    ADD COLUMN … DEFAULT touches no row. Exits with 1 where that would not do the same, and says why.
    """
    from provision.cli import suggestion

    project = site.project()
    [chosen] = backfills.read(project, [name])
    environment = site.environment(project, env)
    with backfills.placed(project, environment, [chosen], use_lease=False) as place:
        return suggestion.write(project, place, chosen)


def _context(project: Any, environment: Any, chosen: Backfill, given: _Options) -> Any:
    return backfills.placed(project, environment, [chosen], wait=given.wait, use_lease=not given.no_lock)


def _fill(
    place: BackfillContext,
    chosen: Backfill,
    given: _Options,
    shown: render.BackfillRunRender,
    stopped: Any,
    hooks: Hooks,
    *,
    join: bool = False,
) -> None:
    orders = WorkerOptions(given.workers, given.skip_failed, given.rate)
    asked = BackfillRequest(
        orders,
        shown.told,
        shown.noted,
        stopped,
        shown.tally,
        partial(hooks.backfill, chosen.name),
    )
    shown.head(chosen)
    try:
        found = flow.help_out(place, chosen, asked) if join else flow.run(place, chosen, asked)
    finally:
        shown.end()
    shown.ended(backfills.outcome(place, chosen, found), found)


def _ask(name: str, env: str | None, output: str, wish: str) -> int:
    project = site.project()
    [chosen] = backfills.read(project, [name])
    environment = site.environment(project, env)
    with backfills.placed(project, environment, [chosen], use_lease=project.home != "none") as place:
        standings.ask(place, chosen, wish)
        render.BackfillRunRender(project.name, environment, output).standing(standings.standing(place, chosen))
    return EXIT_DONE
