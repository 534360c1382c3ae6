"""`plan`: what `up` would do; it writes nothing but what `--out` is told to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from provision.cli import group, options, plans, site
from provision.cli.render.plan import PlanRender
from provision.core.plan import MoveRequest, plan_up
from provision.core.standing import stand
from provision.errors import EXIT_DONE, ConfigError
from provision.flows.connect import Access
from provision.flows.file_trial import try_files
from provision.flows.losses import Losses, foreseen
from provision.flows.planning import planned
from provision.flows.rules import Rules
from provision.flows.survey import survey
from provision.model import Direction, Plan
from provision.model.statements import Description
from provision.ports import Store
from provision.wiring import files, sites

app = group.app()


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
