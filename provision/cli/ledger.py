"""`ledger verify`: reads what the ledgers hold, and says what no correct run could have written."""

from __future__ import annotations

from typing import Annotated

import typer

from provision.cli import group, options, site
from provision.cli.moments import Moment, moment
from provision.cli.render import verify as render
from provision.cli.shown import say_unread, store_names
from provision.errors import EXIT_DONE, EXIT_FINDINGS
from provision.flows.connect import Access
from provision.flows.verify import verified
from provision.model import Direction

app = group.app()
ledger = group.app(
    name="ledger",
    help="Verify what the ledgers say was done.",
    epilog=group.example("provision ledger verify --env production"),
)
app.add_typer(ledger)


@group.command(
    ledger, "verify", "provision ledger verify --env local", "provision ledger verify -e production --output json"
)
def verify(
    env: options.Env = None,
    only: options.Only = None,
    output: options.Output = options.TEXT,
    wait_for: options.WaitFor = 0.0,
    since: Annotated[
        Moment | None,
        typer.Option(
            "--since",
            parser=moment("--since"),
            metavar="TIME",
            help="Entries of before then, 24h ago or a moment, are shown and are no failure.",
        ),
    ] = None,
) -> int:
    """Look for entries that no correct run could have written. Reads only.

    Exits with 0 when there are none, 1 when there are, 4 when a store does not answer. What a person has settled since,
    what is older than `--since`, and what only a clock says, is shown and is no failure.
    """
    stores = tuple(only or ())
    with site.opened(env, Access.READ, only=stores, narrow=Direction.UP, tolerant=True, wait_for=wait_for) as opened:
        shown = store_names(opened.project, stores)
        found = verified(opened, shown, since and since.at)
        heading = opened.project.name, opened.environment.name
        exit_code = EXIT_FINDINGS if any(each.wrong for each in found) else EXIT_DONE
        render.report(heading, found, exit_code, output, opened.environment.mask)
        return say_unread(opened, shown, output) or exit_code
