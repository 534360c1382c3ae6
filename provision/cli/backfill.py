"""`backfill`: fills what is already there, in batches, beside live traffic."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from contextlib import nullcontext, suppress
from typing import Any, TypeVar

import click

from provision.backfill.document import seconds
from provision.backfill.workers import Orders
from provision.cli import complete, options, site, stopping
from provision.cli.render import backfills as render
from provision.errors import EXIT_DONE, ConfigError, UnreachableError
from provision.flows import backfill as flow
from provision.flows import backfill_standing as standings
from provision.flows.backfill import Asked, Place
from provision.model.backfills import Backfill, BackfillRun, RunState
from provision.wiring import backfills

F = TypeVar("F", bound=Callable[..., Any])
EVERY = 1.0  # seconds between two looks of --watch
SETTINGS = ("rate", "target")


class Setting(click.ParamType[tuple[str, float]]):
    """`rate=500` (rows a second, 0: no limit) or `target=50ms`."""

    name = "setting"

    def convert(self, value: Any, _param: click.Parameter | None, _ctx: click.Context | None) -> tuple[str, float]:
        key, _, text = str(value).partition("=")
        with suppress(ValueError):  # said below, as for a key that nothing knows
            if key == "rate" and 0 <= float(text) < math.inf:
                return key, float(text)
            if key == "target":
                return key, seconds(text)
        what = f"{value!r} changes nothing"
        raise ConfigError("bad-setting", what, where="--set", fix="write rate=500 (0: no limit) or target=50ms")


def _finite(_context: click.Context, _parameter: click.Parameter, value: float | None) -> float | None:
    if value is not None and not math.isfinite(value):
        raise click.BadParameter(f"{value} is no number of rows a second.")
    return value


name_argument = click.argument("name", metavar="NAME", shell_complete=complete.backfills)
output = click.option(
    "--output", "-o", type=click.Choice([options.TEXT, options.JSON]), default=options.TEXT, help="How to print it."
)
settings_option = click.option(
    "--set", "changes", type=Setting(), multiple=True, metavar="KEY=VALUE", help="Change rate or target while it runs."
)


def _working(function: F) -> F:
    """The options of the commands that fill."""
    for option in reversed(
        (
            options.env,
            click.option(
                "--workers", type=click.IntRange(1, 64), default=1, metavar="N", help="Connections that fill at once."
            ),
            click.option(
                "--rate",
                type=click.FloatRange(0.1),
                callback=_finite,
                metavar="N",
                help="The most rows a second of this process; else the document's `rate`.",
            ),
            click.option(
                "--skip-failed",
                type=click.IntRange(0),
                default=0,
                metavar="N",
                help="Pass over at most N rows that cannot be filled.",
            ),
            click.option("--no-lease", is_flag=True, help="Take no lock: nobody else may run it."),
            options.wait,
            output,
        )
    ):
        function = option(function)
    return function


@click.group(
    epilog=options.example("provision backfill run aggregated_confidence --env local"),
    context_settings={"help_option_names": ["-h", "--help"]},
)
def backfill() -> None:
    """Fill what is already there, in batches, beside live traffic."""


@backfill.command("list", epilog=options.example("provision backfill list"))
@output
def list_(output: str) -> int:
    """List the backfills of the project. Reaches no database."""
    project = site.project()
    render.listed(backfills.read(project), output)
    return EXIT_DONE


@backfill.command(
    "run",
    epilog=options.example(
        "provision backfill run aggregated_confidence --env local",
        "provision backfill run aggregated_confidence -e production --workers 2 --rate 5000",
        "provision backfill run aggregated_confidence -e production --join",
    ),
)
@name_argument
@click.option("--join", is_flag=True, help="Help a run that another process leads.")
@_working
def run(name: str, join: bool, **given: Any) -> int:
    """Fill NAME, or go on where its last run stopped, until nothing is left.

    Its cursor is kept in the store that is filled, with each batch: a run that was killed goes on there. Ctrl-C
    finishes the batch in hand and keeps the run; `pause`, `resume` and `cancel` work from another terminal.
    """
    project = site.project()
    [chosen] = backfills.read(project, [name])
    environment = site.environment(project, given["env"])
    with _placed(project, environment, chosen, given) as place, stopping.stoppable() as stopped:
        _fill(place, chosen, given, render.RunRender(project.name, environment, given["output"]), stopped, join=join)
    return EXIT_DONE


@backfill.command(
    "resume",
    epilog=options.example(
        "provision backfill resume aggregated_confidence -e production",
        "provision backfill resume aggregated_confidence -e production --set rate=500",
    ),
)
@name_argument
@settings_option
@_working
def resume(name: str, changes: tuple[tuple[str, float], ...], **given: Any) -> int:
    """Let a run of NAME go on: in the process that waits, else in this one. With --set, change one that runs."""
    project = site.project()
    [chosen] = backfills.read(project, [name])
    environment = site.environment(project, given["env"])
    with _placed(project, environment, chosen, given) as place, stopping.stoppable() as stopped:
        shown = render.RunRender(project.name, environment, given["output"])
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
        _fill(place, chosen, given, shown, stopped)
    return EXIT_DONE


@backfill.command("pause", epilog=options.example("provision backfill pause aggregated_confidence -e production"))
@name_argument
@options.env
@output
def pause(name: str, env: str | None, output: str) -> int:
    """Ask the process that runs NAME to pause after the batch in hand; it waits for `resume`."""
    return _ask(name, env, output, "pause")


@backfill.command("cancel", epilog=options.example("provision backfill cancel aggregated_confidence -e production"))
@name_argument
@options.env
@output
def cancel(name: str, env: str | None, output: str) -> int:
    """Give the run of NAME up: what is filled stays, the next run begins from the start."""
    return _ask(name, env, output, "cancel")


@backfill.command(
    "status",
    epilog=options.example(
        "provision backfill status --env local", "provision backfill status aggregated_confidence -e production --watch"
    ),
)
@click.argument("names", nargs=-1, metavar="[NAME]...", shell_complete=complete.backfills)
@options.env
@click.option("--watch", is_flag=True, help="Show it every second until it is over.")
@output
def status(names: tuple[str, ...], env: str | None, watch: bool, output: str) -> int:
    """Show how far the backfills are, all of them unless NAME is given. Reads only."""
    project = site.project()
    chosen = backfills.read(project, names)
    environment = site.environment(project, env)
    with backfills.placed(project, environment, chosen, use_lease=project.home != "none") as place:
        shown = render.StatusRender(project.name, environment, output)
        while True:
            found = [standings.standing(place, each) for each in chosen]
            shown.show(found, {each.backfill.name: _skipped(place, each) for each in found}, again=watch)
            if not watch or not any(each.state in ("running", "pausing", "paused", "enqueued") for each in found):
                return EXIT_DONE
            time.sleep(EVERY)


@backfill.command("suggest", epilog=options.example("provision backfill suggest default_mode --env local"))
@name_argument
@options.env
def suggest(name: str, env: str | None) -> int:
    """Where NAME gives every row the same constant, write the revision that does it in milliseconds.

    ADD COLUMN … DEFAULT touches no row. Exits with 1 where that would not do the same, and says why.
    """
    from provision.cli import suggestion

    project = site.project()
    [chosen] = backfills.read(project, [name])
    environment = site.environment(project, env)
    with backfills.placed(project, environment, [chosen], use_lease=False) as place:
        return suggestion.write(project, place, chosen)


def _placed(project: Any, environment: Any, chosen: Backfill, given: dict[str, Any]) -> Any:
    return backfills.placed(project, environment, [chosen], wait=given["wait"], use_lease=not given["no_lease"])


def _fill(
    place: Place, chosen: Backfill, given: dict[str, Any], shown: render.RunRender, stopped: Any, *, join: bool = False
) -> None:
    orders = Orders(given["workers"], given["skip_failed"], given["rate"])
    asked = Asked(orders, shown.told, shown.noted, stopped)
    shown.head(chosen)
    try:
        found = flow.help_out(place, chosen, asked) if join else flow.run(place, chosen, asked)
    finally:
        shown.end()
    shown.ended(_outcome(place, chosen, found), found)


def _outcome(place: Place, chosen: Backfill, found: BackfillRun) -> standings.Standing:
    """How it stands after a run that ended well, as the run says where the server is gone by now."""
    try:
        with place.again() if place.again is not None else nullcontext(place) as fresh:
            return standings.standing(fresh, chosen)
    except UnreachableError:
        return standings.Standing(chosen, found, str(found.state), found.state is RunState.SUCCEEDED)


def _ask(name: str, env: str | None, output: str, wish: str) -> int:
    project = site.project()
    [chosen] = backfills.read(project, [name])
    environment = site.environment(project, env)
    with backfills.placed(project, environment, [chosen], use_lease=project.home != "none") as place:
        standings.ask(place, chosen, wish)
        render.RunRender(project.name, environment, output).standing(standings.standing(place, chosen))
    return EXIT_DONE


def _skipped(place: Place, each: standings.Standing) -> list[tuple[str, str]]:
    if each.run is None or not each.run.rows_skipped:
        return []
    return list(flow.batches_of(place.stores[each.backfill.store]).runs.skipped(each.run.run))
