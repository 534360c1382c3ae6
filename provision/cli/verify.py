"""`verify` and `drift`: what the revisions make, rehearsed on engines that are thrown away; what a database has."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from provision import settings
from provision.cli import group, options, site
from provision.cli.render import html_page, report_files
from provision.cli.render import rehearsal as render
from provision.cli.signals import handled
from provision.errors import EXIT_DONE, EXIT_FINDINGS
from provision.project import Project
from provision.run import Stop

app = group.app()


@group.command(app, "verify", "provision verify", "provision verify --write", "provision verify --output github")
def verify(
    env: options.Env = None,
    output: options.Output = options.TEXT,
    write: Annotated[
        bool, typer.Option("--write", help="Keep what the revisions make as the snapshots in schema/.")
    ] = False,
    changed_since: Annotated[
        str | None, typer.Option("--changed-since", metavar="REF", help="Rehearse what is new since REF alone.")
    ] = None,
    above: Annotated[
        list[str] | None, typer.Option("--from", metavar="REVISION", help="Leave it, and what it needs, applied.")
    ] = None,
    junit: options.Junit = None,
    sarif: options.Sarif = None,
    stats: Annotated[
        list[Path] | None,
        typer.Option("--stats", metavar="FILE", help="Say how long it will take where `stats` wrote FILE."),
    ] = None,
) -> int:
    """Rehearse every revision up, down and up on engines that are thrown away, lint it, and compare what is there.

    Without --env it is the embedded environment; its own engines are not touched. Exits with 1 for a finding.
    """
    found = site.project()
    name = env or settings.embedded_environment(found)
    told = render.RehearsalRender(found.name, output)
    stop = Stop()
    with told.under_way(), handled(lambda _number, _frame: stop.request()):
        done = Project.open(found.root, name).verify(
            write=write,
            changed_since=changed_since,
            above=tuple(above or ()),
            stats=stats or (),
            on_event=told.happened,
            stop=stop,
        )
    exit_code = EXIT_FINDINGS if done.failed else EXIT_DONE
    told.report(done, exit_code, write=write)
    report_files.written("provision verify", done.findings, junit, sarif, render.rehearsed(done))
    return exit_code


@group.command(app, "drift", "provision drift -e production", "provision drift -e production --only clickhouse")
def drift(
    env: options.Env = None,
    only: options.Only = None,
    output: options.Output = options.TEXT,
    accept: Annotated[
        bool, typer.Option("--accept", help="Write what differs as the next revisions, and the snapshots.")
    ] = False,
    message: Annotated[
        str, typer.Option("--message", "-m", help="What the accepted revisions are called.")
    ] = "changed by hand",
    junit: options.Junit = None,
    sarif: options.Sarif = None,
    report: Annotated[
        Path | None, typer.Option("--report", metavar="FILE.html", help="Also write a page with each difference.")
    ] = None,
) -> int:
    """Name what a database has otherwise than the snapshots in schema/ say: what was changed by hand.

    Each difference comes with the statement that would bring it back. `provision verify --write` makes the snapshots.
    Reads only; --accept writes files. Exits with 1 for a difference that was not accepted.
    """
    found = site.project()
    chosen = site.environment(found, env)
    if report is not None:
        html_page.refuse_other(report, "drift")
    done = Project.open(found.root, chosen.name).drift(only=tuple(only or ()), accept=message if accept else None)
    left = bool(done.by_hand) if accept else bool(done.findings)
    exit_code = EXIT_FINDINGS if left else EXIT_DONE
    render.drifted(done, exit_code, output)
    report_files.written("provision drift", done.findings, junit, sarif, render.compared(done))
    if report is not None:
        from provision.cli.render.drift_page import page

        html_page.written(report, page(found.name, chosen.name, done))
    return exit_code
