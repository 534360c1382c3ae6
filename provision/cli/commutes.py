"""`commutes`: whether two branches may be merged in either order."""

from __future__ import annotations

from typing import Annotated

import typer

from provision.cli import group, options, site
from provision.cli.render import commutes as render
from provision.errors import EXIT_DONE, EXIT_FINDINGS
from provision.wiring import branches

app = group.app()


@group.command(app, "commutes", "provision commutes main..feature", "provision commutes origin/main.. --output github")
def commutes(
    named: Annotated[
        str, typer.Argument(metavar="LEFT..RIGHT", help="Two branches; without the second, the commit in hand.")
    ],
    output: options.Output = options.TEXT,
) -> int:
    """Tell whether what two branches add leaves the same, whichever is merged first, in all stores.

    What cannot be read counts as a conflict. Reads files alone, as they are committed. Exits with 1 for a conflict.
    """
    project = site.project()
    found = branches.commuting(project.root, named)
    exit_code = EXIT_DONE if found.commute else EXIT_FINDINGS
    render.report(project.name, found, exit_code, output)
    return exit_code
