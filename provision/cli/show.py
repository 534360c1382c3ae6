"""`status`, `history` and `graph`: they only read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

import typer

from provision.cli import complete, group, options, site
from provision.cli.render.paper import print_form, print_lines
from provision.cli.shown import say_unread, store_names
from provision.errors import EXIT_DONE, EXIT_FINDINGS
from provision.flows.connect import Access
from provision.model import Direction
from provision.wiring.moves import partitions_in_need

app = group.app()


@group.command(app, "status", "provision status --env local", "provision status -e production --check")
def status(
    env: options.Env = None,
    only: options.Only = None,
    output: options.Output = options.TEXT,
    wait_for: options.WaitFor = 0.0,
    everything: Annotated[bool, typer.Option("--all", help="List what is applied too.")] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Exit 1 when something is pending, or a partitioned table runs out.")
    ] = False,
) -> int:
    """Show what is applied and what is pending. A store that does not answer is shown as such (exit 4)."""
    from provision.cli.render.status import StatusRender
    from provision.flows import look

    stores = tuple(only or ())
    with site.opened(env, Access.READ, only=stores, narrow=Direction.UP, tolerant=True, wait_for=wait_for) as opened:
        seen = look.look(opened)
        shown = store_names(opened.project, stores)
        windows = partitions_in_need(opened, frozenset(stores))
        render = StatusRender(opened, seen, shown, windows)
        if output == options.JSON:
            render.json()
        else:
            render.text(everything=everything)
        if output == options.GITHUB:
            render.annotations()
        unread = say_unread(opened, shown, output)
        look.refuse_unknown(opened, seen)
        waiting = bool(windows) or any(seen.standings[name].pending for name in shown if name in seen.standings)
    return unread or (EXIT_FINDINGS if check and waiting else EXIT_DONE)


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
    output: options.TextOrJson = options.TEXT,
    wait_for: options.WaitFor = 0.0,
    limit: Annotated[int | None, typer.Option("--limit", min=1, metavar="N", help="Only the last N.")] = None,
) -> int:
    """Show what was done, when and by whom, newest last; of REVISION if one is named."""
    from provision.cli.render import history as render
    from provision.flows import history as past

    stores = tuple(only or ())
    with site.opened(env, Access.READ, only=stores, narrow=Direction.UP, tolerant=True, wait_for=wait_for) as opened:
        shown = store_names(opened.project, stores)
        entries = past.entries(opened, shown, revision, limit)
        say = render.as_json if output == options.JSON else render.text
        say(entries, opened.environment.mask)
        return say_unread(opened, shown, output)


@group.command(
    app,
    "graph",
    "provision graph",
    "provision graph --format mermaid > graph.mmd",
    "provision graph --schema --env local --format dot > schema.dot",
)
def graph(
    only: options.Only = None,
    env: options.Env = None,
    schema: Annotated[
        bool, typer.Option("--schema", help="Draw the tables of a database and their foreign keys.")
    ] = False,
    form: Annotated[Literal["text", "mermaid", "dot"], typer.Option("--format", help="How to draw it.")] = "text",
    output: options.TextOrJson = options.TEXT,
) -> int:
    """Draw the revisions and what they require, without any database; with --schema, what a database is made of."""
    if schema:
        return _schema(env, only or (), form, output)
    from provision.cli.render import graph as render
    from provision.wiring import files

    project = site.project()
    _, revisions = files.on_disk(project, only or ())
    shown = store_names(project, only or ())
    if output == options.JSON:
        print_form(render.as_json(project.name, revisions, shown))
    elif form == "mermaid":
        print_lines(render.mermaid(revisions, shown))
    elif form == "dot":
        print_lines(render.dot(project.name, revisions, shown))
    else:
        print_lines(render.text(project.name, revisions, shown))
    return EXIT_DONE


def _schema(env: str | None, only: Sequence[str], form: str, output: str) -> int:
    from provision.cli.render import schema_graph as render
    from provision.project import Project

    found = site.project()
    chosen = site.environment(found, env)
    drawn = Project.open(found.root, chosen.name).diagrams(only=tuple(only))
    if output == options.JSON:
        print_form(render.as_json(found.name, chosen.name, drawn))
    elif form == "mermaid":
        print_lines(render.mermaid(drawn))
    elif form == "dot":
        print_lines(render.dot(found.name, drawn))
    else:
        print_lines(render.text(found.name, drawn))
    return EXIT_DONE
