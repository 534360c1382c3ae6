"""`store add`: makes what one more database of the project needs, and reaches none."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from provision.cli import complete, group
from provision.cli.render import start as render

app = group.app()
store = group.app(name="store", epilog=group.example("provision store add orders --kind postgres"))
app.add_typer(store)


@store.callback()
def stores() -> None:
    """Add a store to the project."""


@group.command(
    store,
    "add",
    "provision store add orders --kind postgres",
    "provision store add influx",
    "provision store add events --kind clickhouse --path db/events",
)
def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What the store is called, in ids and urls.")],
    kind: Annotated[
        str | None,
        typer.Option(
            "--kind", metavar="KIND", autocompletion=complete.kinds, help="What sort of database; else NAME says it."
        ),
    ] = None,
    path: Annotated[
        str | None, typer.Option("--path", metavar="FOLDER", help="Its folder of migrations, within the project.")
    ] = None,
) -> None:
    """Add a store NAME: its folder of migrations, with the templates of its kind, and its lines in provision.toml.

    A folder of migrations that is there already is taken as it is. For a store that provision.toml has, makes its
    folder where that is missing. Reaches no database.
    """
    from provision.wiring.new_store import add as added

    render.store_added(Path.cwd(), added(Path.cwd(), name, kind, path))
