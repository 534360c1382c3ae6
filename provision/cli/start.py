"""`init`, `new`, `schema` and `import`: they write and print files; but for `import`, they reach no database."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

from provision import kinds
from provision.cli import complete, group, options, site
from provision.cli.render import start as render
from provision.errors import ConfigError
from provision.ports.kind import LiveReader, Schema
from provision.settings import check

_OTHERS = {
    "checks": "provision.wiring.suites",
    "backfills": "provision.wiring.backfills",
    "partitions": "provision.wiring.partitions",
    "maintain": "provision.wiring.maintain",
}
"""Documents that belong to no kind of store → the module whose `schema()` is theirs."""


app = group.app()
Store = Annotated[
    str, typer.Argument(metavar="STORE", autocompletion=complete.stores, help="A store of provision.toml.")
]


@group.command(app, "init", "provision init", "provision init shop --stores postgres,redis")
def init(
    folder: Annotated[
        Path, typer.Argument(file_okay=False, metavar="[FOLDER]", show_default=False, help="Where; else here.")
    ] = Path("."),
    name: Annotated[
        str | None, typer.Option("--name", metavar="NAME", help="The project's name; else the folder's.")
    ] = None,
    stores: Annotated[
        str, typer.Option("--stores", metavar="KINDS", help="The kinds of store to begin with.")
    ] = "postgres,clickhouse,redis",
) -> None:
    """Start a project in this folder, or in FOLDER.

    Writes provision.toml and one folder of migrations for each store; adopts an Alembic or clickhouse-migrations
    folder that is there already; overwrites nothing.
    """
    from provision.flows.layout import lay_out

    if stores.rstrip().endswith(","):
        what = f"the list of --stores ends in a comma, and {str(folder)!r} would be the folder"
        raise ConfigError("usage", what, where="provision init", fix=f"no space in the list: --stores {stores}{folder}")
    wanted = list(dict.fromkeys(part.strip() for part in stores.split(",") if part.strip()))
    if name is not None and check.NAME.fullmatch(name) is None:
        raise check.bad_name(name)
    done = lay_out(folder, name, [kinds.named(each, "--stores") for each in wanted])
    render.laid_out(folder, done)


@group.command(
    app,
    "new",
    'provision new postgres "orders table"',
    'provision new clickhouse "order events" --requires postgres/0007',
)
def new(
    store: Store,
    message: Annotated[str, typer.Argument(metavar="MESSAGE", help="What it does, in a few words.")],
    requires: Annotated[
        list[str] | None,
        typer.Option(
            "--requires",
            metavar="REVISION",
            autocompletion=complete.revisions,
            help="A revision of any store that must be applied before; may be given several times.",
        ),
    ] = None,
) -> None:
    """Write the next migration file of a STORE, to be filled in by you, and print its path."""
    from provision.wiring import files

    for path in files.new(site.project(), store, message, requires or ()):
        render.begun(path)


@group.command(
    app,
    "import",
    "provision import weaviate --env production",
    "provision import redis --to found -e production",
)
def import_(
    store: Store,
    to: Annotated[
        Path | None, typer.Option("--to", file_okay=False, metavar="FOLDER", help="Write there, not to its folder.")
    ] = None,
    env: options.Env = None,
) -> None:
    """Write migration files of what is on a STORE's server: collections, tiers, graphs, streams. Reads only.

    Look at them, then `baseline` marks them as applied. For kinds whose files are YAML; not for SQL.
    """
    from provision.documents.folder import write_found
    from provision.flows.adopt import adopt
    from provision.wiring import sites

    project = site.project()
    chosen = site.environment(project, env)
    with site.masked(chosen):
        adopted = adopt(project, chosen, kinds.build, sites.engine, _live, write_found, store, to)
    render.imported(store, chosen.name, adopted, elsewhere=to is not None)


@group.command(app, "schema", "provision schema redis", "provision schema backfills > backfills.schema.json")
def schema(
    kind: Annotated[
        str,
        typer.Argument(
            metavar="KIND", autocompletion=complete.documented, help="A kind of store, checks or backfills."
        ),
    ],
) -> None:
    """Print the JSON Schema of a KIND's YAML files, for an editor that completes and checks them.

    A KIND is a kind of store whose migrations are YAML files, or `checks`, or `backfills`.
    """
    part = import_module(_OTHERS[kind]) if kind in _OTHERS else _documented(kind, "schema")
    render.schema(json.dumps(part.schema(), ensure_ascii=False, indent=2))


def _live(kind: str) -> LiveReader:
    _documented(kind, "import")
    found = kinds.named(kind, "import").live()
    if found is None:
        fix = "write the first migration by hand, and mark it as applied with `provision baseline`"
        raise ConfigError("no-import", f"`import` reads no servers of kind {kind}", where="import", fix=fix)
    return found


def _documented(kind: str, command: str) -> Schema:
    known = kinds.find(kind)
    found = known.schema() if known is not None else None
    if found is None:
        having = ", ".join(each.name for each in kinds.every() if each.has("setup.schema"))
        having += f", {', '.join(_OTHERS)}" if command == "schema" else ""
        raise ConfigError(
            "no-documents" if known is not None else "unknown-kind",
            f"{kind} has no YAML files" if known is not None else f"no kind of store is called {kind!r}",
            where=command,
            fix=f"kinds with YAML files: {having}",
        )
    return found
