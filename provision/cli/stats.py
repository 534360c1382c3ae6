"""`stats`: how much an environment holds and how fast it is, so that `verify` can say how long revisions will take."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from provision.cli import group, options, site
from provision.cli.render import stats as render
from provision.errors import EXIT_DONE
from provision.project import Project

app = group.app()


@group.command(app, "stats", "provision stats -e production --out stats.json", "provision stats -e production -o json")
def stats(
    env: options.Env = None,
    only: options.Only = None,
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Keep it, for `verify --stats`.")] = None,
    output: options.TextOrJson = options.TEXT,
) -> int:
    """Measure an environment: rows, sizes and writes of every table, and how long each revision took by its ledger.

    Reads catalogues and counters, no row; `verify --stats FILE` says with it how long new revisions will take there.
    """
    found = site.project()
    chosen = site.environment(found, env)
    render.told(Project.open(found.root, chosen.name).stats(out, only=tuple(only or ())), out, output)
    return EXIT_DONE
