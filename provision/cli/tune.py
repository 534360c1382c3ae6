"""`tune`: settings of a server that suit its machine, and the way back."""

from __future__ import annotations

import re
from typing import Annotated, NamedTuple

import typer

from provision.cli import group, options, site
from provision.cli.render import tune as render
from provision.errors import EXIT_DONE, ConfigError
from provision.flows import tune as flow
from provision.model.tune import Disk
from provision.wiring import tune

app = group.app()
tune_ = group.app(
    name="tune",
    help="Show, apply or undo settings that suit a machine.",
    epilog=group.example("provision tune show --env local"),
)
app.add_typer(tune_)

_LEAST = 128 << 20
_BYTES = {"MB": 1 << 20, "GB": 1 << 30, "TB": 1 << 40}


def _memory(text: str | int) -> int:
    """Bytes of `8GB`. Raises ConfigError (bad-setting)."""
    match = re.fullmatch(r"([1-9][0-9]{0,6}) ?(MB|GB|TB)", str(text).strip())
    if isinstance(text, int) or match is None:
        what = f"{text!r} is no amount of memory"
        raise ConfigError("bad-setting", what, where="--memory", fix="write 512MB, 8GB or 1TB")
    count = int(match[1]) * _BYTES[match[2]]
    if count < _LEAST:
        what = f"{text} of memory are too little for a server"
        raise ConfigError("bad-setting", what, where="--memory", fix="write 128MB or more")
    return count


class Given(NamedTuple):
    """What --set gives."""

    name: str
    value: str


def _given(text: str) -> Given:
    """From `work_mem=16MB`. Raises ConfigError (bad-setting)."""
    name, found, value = text.partition("=")
    if not found or not name.strip() or not value.strip():
        raise ConfigError("bad-setting", f"{text!r} sets nothing", where="--set", fix="write work_mem=16MB")
    return Given(name.strip(), value.strip())


Names = Annotated[
    list[str] | None, typer.Argument(metavar="[SETTING]...", show_default=False, help="Only these settings.")
]
Memory = Annotated[
    int | None, typer.Option("--memory", parser=_memory, metavar="SIZE", help="Of the machine, such as 8GB.")
]
Cores = Annotated[int | None, typer.Option("--cores", min=1, max=4096, metavar="N", help="Of the machine.")]
DiskKind = Annotated[Disk | None, typer.Option("--disk", help="The kind of disk that the data is on.")]
Set = Annotated[
    list[Given] | None,
    typer.Option("--set", parser=_given, metavar="NAME=VALUE", help="Another value for a setting of the profile."),
]


@group.command(
    tune_,
    "show",
    "provision tune show --env local",
    "provision tune show -e production --memory 16GB --cores 8 --disk ssd",
)
def show(
    only: options.Only = None,
    memory: Memory = None,
    cores: Cores = None,
    disk: DiskKind = None,
    given: Set = None,
    env: options.Env = None,
    output: options.TextOrJson = options.TEXT,
) -> int:
    """Show each setting now and as it should be, what a change takes, and why. Reads only.

    Memory, cores and disk are asked of the server; where it does not tell them, give them.
    """
    project = site.project()
    environment = site.environment(project, env)
    asked = flow.TuneRequest(memory, cores, disk, {each.name: each.value for each in given or ()})
    with site.masked(environment), tune.placed(project, environment, only or ()) as found:
        standings = [flow.standing(name, each, asked) for name, each in found.items()]
    render.shown(project.name, environment, standings, output)
    return EXIT_DONE


@group.command(
    tune_,
    "apply",
    "provision tune apply --env local",
    "provision tune apply work_mem --set work_mem=16MB -e production",
)
def apply(
    names: Names = None,
    only: options.Only = None,
    memory: Memory = None,
    cores: Cores = None,
    disk: DiskKind = None,
    given: Set = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be done; do nothing.")] = False,
    env: options.Env = None,
    output: options.TextOrJson = options.TEXT,
) -> int:
    """Change what differs by ALTER SYSTEM, a setting at a time, each written down with what was there before.

    Refuses what would be more than the memory of the machine. Some settings wait for a restart of the server.
    """
    project = site.project()
    environment = site.environment(project, env)
    asked = flow.TuneRequest(memory, cores, disk, {each.name: each.value for each in given or ()})
    with site.masked(environment), tune.placed(project, environment, only or ()) as found:
        standings = [(flow.standing(name, each, asked), each) for name, each in found.items()]
        done = [flow.apply(standing, each, names or (), dry_run=dry_run) for standing, each in standings]
    render.changed(project.name, environment, done, output, reset=False, dry_run=dry_run)
    return EXIT_DONE


@group.command(tune_, "reset", "provision tune reset --env local", "provision tune reset work_mem -e production")
def reset(
    names: Names = None,
    only: options.Only = None,
    env: options.Env = None,
    output: options.TextOrJson = options.TEXT,
) -> int:
    """Put back what was there before `tune apply`, all of it or SETTING.

    What somebody else changed since stays, and is named.
    """
    project = site.project()
    environment = site.environment(project, env)
    with site.masked(environment), tune.placed(project, environment, only or ()) as found:
        done = [flow.reset(name, each, names or ()) for name, each in found.items()]
    render.changed(project.name, environment, done, output, reset=True)
    return EXIT_DONE
