"""`local start|stop|status|reset`: the embedded engines of the one environment that has them."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from provision import settings
from provision.cli import complete, group, options, site
from provision.cli.render import local as render
from provision.errors import ConfigError, RefusedError
from provision.flows.connect import together
from provision.wiring import local_engines

WORD = "yes"
Stores = Annotated[
    list[str] | None,
    typer.Argument(metavar="[STORE]...", autocompletion=complete.stores, show_default=False, help="Only these stores."),
]

app = group.app()
local = group.app(name="local", epilog=group.example("provision local start", "provision local stop clickhouse"))
app.add_typer(local)


@local.callback()
def engines() -> None:
    """Start, stop, show or reset the embedded engines.

    They are those of the one environment with `embedded = true`. Their files lie in .provision/ beside
    provision.toml; they go on running when a command has ended.
    """


@group.command(local, "start", "provision local start", "provision local start redis")
def start(stores: Stores = None, output: options.TextOrJson = options.TEXT) -> None:
    """Start the engines, making those that are absent.

    Only those of the STOREs named, if any are.
    """
    named = tuple(stores or ())
    project, environment = _project()
    chosen = local_engines.used(project, environment, named)
    local_engines.all_have_one(project, environment, named, [each.store for each, _ in chosen])
    started = together(chosen, lambda each: each[1].start())
    render.engines(project.root, started, output)


@group.command(local, "stop", "provision local stop", "provision local stop clickhouse")
def stop(stores: Stores = None, output: options.TextOrJson = options.TEXT) -> None:
    """Stop the engines and keep their data.

    Only those of the STOREs named, if any are.
    """
    project, _ = _project()
    engines = local_engines.made(project, stores or ())
    stopped = together(engines.items(), lambda each: (each[0], each[1].stop()))
    render.ended(project.root, dict(stopped), [each.status() for each in engines.values()], output, "stopped")


@group.command(local, "status", "provision local status", "provision local status --output json")
def status(stores: Stores = None, output: options.TextOrJson = options.TEXT) -> None:
    """Show the engines and their urls, passwords included.

    Only those of the STOREs named, if any are. Reads only.
    """
    named = tuple(stores or ())
    project, environment = _project()
    configured = {each.store: each for each, _ in local_engines.used(project, environment, named)}
    made = {name: engine.status() for name, engine in local_engines.made(project, named).items()}
    shown = configured | {name: each for name, each in made.items() if name in named or each.state != "absent"}
    order = [each.name for each in project.stores]
    render.engines(project.root, sorted(shown.values(), key=lambda each: order.index(each.store)), output)


@group.command(local, "reset", "provision local reset", "provision local reset redis --yes")
def reset(stores: Stores = None, yes: options.Yes = False, output: options.TextOrJson = options.TEXT) -> None:
    """Stop the engines and remove their data.

    Only those of the STOREs named, if any are. Asks first; where nobody can answer, --yes is needed.
    """
    project, _ = _project()
    engines = local_engines.made(project, stores or ())
    there = [name for name in engines if os.path.lexists(project.local / name)]
    if there and not yes:
        _ask(there)
    removed = together(engines.items(), lambda each: (each[0], each[1].reset()))
    render.ended(project.root, dict(removed), [each.status() for each in engines.values()], output, "removed")


def _project() -> tuple[settings.ProjectFile, str]:
    project = site.project()
    return project, settings.embedded_environment(project)


def _ask(there: list[str]) -> None:
    """Go on only when the word is typed. Raises ConfigError where nobody can type, RefusedError for another word."""
    what = f"this removes all data of {', '.join(there)}"
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise ConfigError("confirmation-needed", what, where="local reset", fix="add --yes to do it without a question")
    if typer.prompt(f"{what}. Type {WORD} to confirm", default="", show_default=False) != WORD:
        raise RefusedError("not-confirmed", "nothing was removed", where="local reset", fix=f"type {WORD} when asked")
