"""`status`, `plan`, `history` and `graph`: they read, and write nothing but what `plan --out` is told to."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

import typer

from provision.cli import complete, group, options, plans, site
from provision.cli.render import graph as graph_render
from provision.cli.render import history as history_render
from provision.cli.render import problems
from provision.cli.render.plan import PlanRender
from provision.cli.render.status import StatusRender
from provision.core.plan import MoveRequest, plan_up
from provision.core.standing import stand
from provision.errors import EXIT_DONE, EXIT_FINDINGS, ConfigError, joined
from provision.flows import history as past
from provision.flows import look
from provision.flows.connect import Access, Site
from provision.flows.file_trial import try_files
from provision.flows.losses import Losses, foreseen
from provision.flows.planning import planned
from provision.flows.rules import Rules
from provision.flows.survey import survey
from provision.model import Description, Direction, Plan
from provision.ports import Store
from provision.settings import ProjectFile
from provision.wiring import files, sites

app = group.app()


@group.command(app, "status", "provision status --env local", "provision status -e production --check")
def status(
    env: options.Env = None,
    only: options.Only = None,
    output: options.Output = options.TEXT,
    wait_for: options.WaitFor = 0.0,
    everything: Annotated[bool, typer.Option("--all", help="List what is applied too.")] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Exit 1 when something is pending or blocked by a backfill.")
    ] = False,
) -> int:
    """Show what is applied and what is pending. A store that does not answer is shown as such (exit 4)."""
    stores = tuple(only or ())
    with site.opened(env, Access.READ, only=stores, narrow=Direction.UP, tolerant=True, wait_for=wait_for) as opened:
        seen = look.look(opened)
        shown = _store_names(opened.project, stores)
        render = StatusRender(opened, seen, shown)
        if output == options.JSON:
            render.json()
        else:
            render.text(everything=everything)
        if output == options.GITHUB:
            render.annotations()
        unread = _say_unread(opened, shown, output)
        waiting = any(seen.standings[name].pending for name in shown if name in seen.standings)
    return unread or (EXIT_FINDINGS if check and waiting else EXIT_DONE)


@group.command(
    app,
    "plan",
    "provision plan --env local --sql",
    "provision plan -e production --out plan.json",
    "provision plan --offline",
)
def plan(
    targets: options.Revisions = None,
    env: options.Env = None,
    only: options.Only = None,
    output: options.Output = options.TEXT,
    wait_for: options.WaitFor = 0.0,
    steps: options.Steps = None,
    sql: Annotated[bool, typer.Option("--sql", help="Print every statement.")] = False,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Save the plan for `up --plan FILE`.")
    ] = None,
    offline: Annotated[
        bool, typer.Option("--offline", help="Reach no database: everything on disk, as if nothing was applied.")
    ] = False,
    out_of_order: options.OutOfOrder = False,
) -> int:
    """Show what `up` would do, up to REVISION if one is named; save it with --out."""
    wanted = MoveRequest(tuple(targets or ()), frozenset(only or ()), steps, out_of_order=out_of_order)
    if offline:
        if out is not None:
            raise ConfigError(
                "usage",
                "--out saves what was planned for an environment",
                where="provision plan",
                fix="leave --offline out",
            )
        _plan_offline(wanted, output, sql=sql)
        return EXIT_DONE
    with site.opened(env, Access.READ, only=tuple(only or ()), narrow=Direction.UP, wait_for=wait_for) as opened:
        made = planned(opened, Direction.UP, wanted, Rules(sites.owner(opened.project.root)), survey(opened))
        stores = {name: each.store for name, each in opened.reached.items()}
        render = PlanRender(opened.project.name, opened.environment.name, opened.environment.mask, _options(wanted))
        try_files(stores, made.steps)
        losses = foreseen(opened, made.steps)
        _print_plan(render, made, stores, output, sql=sql, losses=losses)
        if out is not None:
            plans.save(made, opened.environment.name, out)
            render.saved(out, losing=bool(losses))
    return EXIT_DONE


@group.command(app, "history", "provision history --env local", "provision history postgres/0007 -e local")
def history(
    revision: Annotated[
        str | None,
        typer.Argument(
            metavar="[REVISION]",
            autocompletion=complete.revisions,
            help="Only this revision, as STORE/ID: postgres/0007.",
        ),
    ] = None,
    env: options.Env = None,
    only: options.Only = None,
    output: options.Output = options.TEXT,
    wait_for: options.WaitFor = 0.0,
    limit: Annotated[int | None, typer.Option("--limit", min=1, metavar="N", help="Only the last N.")] = None,
) -> int:
    """Show what was done, when and by whom, newest last; of REVISION if one is named."""
    stores = tuple(only or ())
    with site.opened(env, Access.READ, only=stores, narrow=Direction.UP, tolerant=True, wait_for=wait_for) as opened:
        shown = _store_names(opened.project, stores)
        entries = past.entries(opened, shown, revision, limit)
        render = history_render.as_json if output == options.JSON else history_render.text
        render(entries, opened.environment.mask)
        return _say_unread(opened, shown, output)


@group.command(app, "graph", "provision graph", "provision graph --format mermaid > graph.mmd")
def graph(
    only: options.Only = None,
    form: Annotated[Literal["text", "mermaid", "dot"], typer.Option("--format", help="How to draw it.")] = "text",
    output: options.Output = options.TEXT,
) -> int:
    """Draw the revisions and what they require. Reaches no database."""
    project = site.project()
    _, revisions = files.on_disk(project, only or ())
    shown = _store_names(project, only or ())
    if output == options.JSON:
        typer.echo(graph_render.as_json(project.name, revisions, shown))
    elif form == "mermaid":
        typer.echo("\n".join(graph_render.mermaid(revisions, shown)))
    elif form == "dot":
        typer.echo("\n".join(graph_render.dot(project.name, revisions, shown)))
    else:
        typer.echo("\n".join(graph_render.text(project.name, revisions, shown)))
    return EXIT_DONE


def _store_names(project: ProjectFile, only: Sequence[str]) -> tuple[str, ...]:
    return tuple(each.name for each in project.stores if not only or each.name in only)


def _plan_offline(wanted: MoveRequest, output: str, *, sql: bool) -> None:
    project = site.project()
    stores, revisions = files.on_disk(project, tuple(wanted.only))
    standings = {name: stand(name, revisions.of(name), (), None) for name in stores}
    made = plan_up(revisions, standings, wanted)
    try_files(stores, made.steps)
    _print_plan(PlanRender(project.name, None), made, stores, output, sql=sql)


def _options(wanted: MoveRequest) -> str:
    """What was asked for, as `up` takes it."""
    only = [f"--only {name}" for name in sorted(wanted.only)]
    steps = [f"--steps {wanted.steps}"] if wanted.steps is not None else []
    return " ".join([*wanted.targets, *only, *steps, *(["--out-of-order"] if wanted.out_of_order else [])])


def _print_plan(
    render: PlanRender,
    made: Plan,
    stores: Mapping[str, Store],
    output: str,
    *,
    sql: bool,
    losses: Losses | None = None,
) -> None:
    """`losses` says what the steps would lose of what is there now; without, what each can lose by itself."""
    described = _described(made, stores, statements=sql or output == options.JSON)
    if losses is not None:
        described = [replace(each, destructive=tuple(losses.get(each.step.id, ()))) for each in described]
    if output == options.JSON:
        render.json(made, described)
    else:
        render.text(made, described, sql=sql)


def _described(made: Plan, stores: Mapping[str, Store], *, statements: bool) -> list[Description]:
    """What each step does, in the order of the plan; without `statements` only what it can lose."""
    if statements:
        return files.described(made, stores)
    losses = [(step, tuple(stores[step.revision.store].losses(step))) for step in made.steps]
    return [Description(step, None, "", why) for step, why in losses]


def _say_unread(opened: Site, shown: Sequence[str], output: str) -> int:
    """Print why stores could not be read; the exit code that follows from it, 0 when all could."""
    errors = [error for name in shown if (error := opened.reached[name].error) is not None]
    if (found := joined(errors)) is None:
        return EXIT_DONE
    for each in problems.parts(found):
        if output == options.GITHUB:
            print(problems.annotation(each))
        else:
            print(opened.environment.mask(problems.text(each)), file=sys.stderr)
    return found.exit_code
