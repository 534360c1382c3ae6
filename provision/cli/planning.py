"""`plan`: what `up` would do; it writes nothing but what `--out` is told to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from provision import settings
from provision.cli import group, options, site
from provision.cli.render import plan_file as render_file
from provision.cli.render.html_page import written
from provision.cli.render.plan import PlanRender
from provision.core.plan import MoveRequest, plan_up
from provision.core.standing import stand
from provision.errors import EXIT_DONE, ConfigError
from provision.flows.connect import Access, Reach, Site
from provision.flows.drafts import filled
from provision.flows.file_trial import try_files
from provision.flows.gate_names import refuse_unknown
from provision.flows.losses import Losses, foreseen
from provision.flows.planning import planned
from provision.flows.rules import Rules
from provision.flows.survey import survey
from provision.model import Direction, Plan
from provision.model.statements import Description
from provision.ports import Store
from provision.wiring import files, saved_plans, sites

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
        _plan_offline(env, wanted, output, sql=sql)
        return EXIT_DONE
    with site.opened(env, Access.READ, only=tuple(only or ()), narrow=Direction.UP, wait_for=wait_for) as opened:
        made = planned(opened, Direction.UP, wanted, Rules(sites.owner(opened.project.root)), survey(opened))
        stores = {name: each.store for name, each in opened.reached.items()}
        at = opened.environment
        render = PlanRender(opened.project.name, at.name, at.mask, _options(wanted), _places(opened))
        try_files(stores, filled(made.steps))
        losses = foreseen(opened, filled(made.steps))
        _print_plan(render, made, stores, output, sql=sql, losses=losses)
        if out is not None:
            _save(opened, made, losses, out)
            render.saved(out, losing=bool(losses))
    return EXIT_DONE


@group.command(app, "plan show", "provision plan show plan.json", "provision plan show plan.json --report plan.html")
def plan_show(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `plan --out` wrote.")],
    output: options.Output = options.TEXT,
    report: Annotated[
        Path | None, typer.Option("--report", metavar="FILE", help="Also write it as an HTML page, for a reviewer.")
    ] = None,
) -> int:
    """Show a saved plan: statements, what they lose and lock, and what must not move before it runs.

    Reaches no database.
    """
    saved = saved_plans.read(file)
    render_file.shown(saved, file, output)
    if report is not None:
        from provision.cli.render.plan_page import page

        written(report, page(saved, str(file)))
    return EXIT_DONE


def _save(opened: Site, made: Plan, losses: Losses, out: Path) -> None:
    from provision.wiring.plan_files import saved

    described = _described(made, {name: each.store for name, each in opened.reached.items()}, statements=True)
    told = [replace(each, destructive=tuple(losses.get(each.step.id, ()))) for each in described]
    saved_plans.save(saved(opened, made, told), out)


def _plan_offline(env: str | None, wanted: MoveRequest, output: str, *, sql: bool) -> None:
    project = site.project()
    if env is not None:
        settings.choose(project, env, terminal=False)
    stores, revisions = files.on_disk(project, tuple(wanted.only))
    standings = {name: stand(name, revisions.of(name), (), None) for name in stores}
    made = plan_up(revisions, standings, wanted)
    refuse_unknown(project.root, made.held)
    try_files(stores, filled(made.steps))
    _print_plan(PlanRender(project.name, None), made, stores, output, sql=sql)


def _places(opened: Site) -> list[tuple[str, str, str]]:
    """Each store that was looked at: its name, its engine or what became of reaching it, and where it is."""
    shown = [(name, each) for name, each in opened.reached.items() if each.reach is not Reach.LEFT_OUT]
    ready = (Reach.READY, Reach.ABSENT)
    return [
        (name, each.label if each.reach in ready else each.reach.replace("_", " "), each.place) for name, each in shown
    ]


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
        return
    render.text(made, described, sql=sql)
    if output == options.GITHUB:
        render.annotations(made, described)


def _described(made: Plan, stores: Mapping[str, Store], *, statements: bool) -> list[Description]:
    """What each step does, in the order of the plan; without `statements` only what it can lose."""
    if statements:
        known = {each.step.id: each for each in files.described(replace(made, steps=tuple(filled(made.steps))), stores)}
    else:
        losses = [(step, tuple(stores[step.revision.store].losses(step))) for step in filled(made.steps)]
        known = {step.id: Description(step, None, "", why) for step, why in losses}
    return [
        known.get(step.id) or Description(step, None, f"not filled in yet: {step.revision.draft}")
        for step in made.steps
    ]
