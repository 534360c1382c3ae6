"""`docs`: the pages of the documentation, from the package itself."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from provision.cli import complete, group
from provision.cli.render import docs as render

app = group.app()


@group.command(app, "docs", "provision docs", "provision docs backfills", "provision docs errors")
def docs(
    page: Annotated[
        str | None,
        typer.Argument(metavar="[PAGE]", autocompletion=complete.pages, help="A page; all are listed without one."),
    ] = None,
) -> None:
    """List the pages of the documentation, or show PAGE.

    At a terminal a page is set for its width and shown by $PAGER, else by less; piped, it is the Markdown of its file.
    """
    from provision.text import pages

    if page is None:
        render.listed(pages.listed())
    else:
        render.shown(pages.text(page), terminal=sys.stdout.isatty())
