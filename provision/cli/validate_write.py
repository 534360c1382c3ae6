"""`validate suggest` and `validate import`: suites that are written from what is there."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from provision.cli import group, options, site
from provision.cli.render.paper import Paper, print_lines
from provision.errors import EXIT_DONE
from provision.model.checks import Scope
from provision.wiring import suite_writing

app = group.app()
Store = Annotated[str, typer.Option("--store", metavar="NAME", help="The store of the tables.")]
To = Annotated[
    Path | None, typer.Option("--to", dir_okay=False, metavar="FILE", help="Write it there, and over nothing.")
]


@group.command(
    app,
    "validate suggest",
    "provision validate suggest trading_decisions --env local",
    "provision validate suggest readings --store clickhouse --to checks/r.yaml",
)
def suggest(
    table: Annotated[str, typer.Argument(metavar="TABLE", help="The table, or SCHEMA.TABLE.")],
    env: options.Env = None,
    store: Store = "postgres",
    to: To = None,
    timeout: options.StatementTimeout = 300.0,
) -> int:
    """Write a suite with comments from what TABLE holds: types, NULLs, ranges, values, keys, references. Reads only.

    What it writes passes on the rows that it read: it says what they are, not what they should be.
    """
    project = site.project()
    environment = site.environment(project, env)
    return _written(suite_writing.suggested(project, environment, store, table, Scope(seconds=timeout)), to)


@group.command(
    app,
    "validate import",
    "provision validate import dbt models/schema.yml --to checks/models.yaml",
    "provision validate import dbt models/schema.yml --store warehouse",
)
def from_tool(
    _tool: Annotated[Literal["dbt"], typer.Argument(metavar="dbt", help="The tool whose tests they are.")],
    file: Annotated[Path, typer.Argument(metavar="FILE", dir_okay=False, help="Its schema.yml.")],
    store: Store = "postgres",
    to: To = None,
) -> int:
    """Write a suite from the tests of a dbt schema.yml: its own four, and those of dbt_utils that have a counterpart.

    What could not be taken over is listed, in the suite as comments too. Reaches no database.
    """
    text, found = suite_writing.from_dbt(site.project(), file, store)
    made = sum(map(len, found.tables.values()))
    code = _written(text, to)
    paper = Paper(sys.stderr)
    paper.write(f"{made} tests taken over, {len(found.left)} not")
    for each in found.left:
        paper.write(f"  not taken over: {each}")
    return code


def _written(text: str, to: Path | None) -> int:
    if to is None:
        print_lines(text.splitlines())
    else:
        suite_writing.write(to, text)
    return EXIT_DONE
