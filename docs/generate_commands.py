"""Writes docs/commands.md from the commands themselves: `.venv/bin/python docs/generate_commands.py`."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path

import click

from provision.cli.main import COMMANDS, cli

PAGE = Path(__file__).with_name("commands.md")
HEAD = """\
# Commands

Written by `docs/generate_commands.py` from the help of the commands; `provision COMMAND --help` says the same.

`provision --version` prints the version. Every command has `-h, --help`. Output is coloured at a terminal and plain
when piped. Exit codes: [exit-codes.md](exit-codes.md); JSON: [json.md](json.md).
"""


def page() -> str:
    """The whole page."""
    context = click.Context(cli, info_name="provision")
    rows = [f"| [`{name}`](#provision-{name}) | {text} |" for name, (_, text) in COMMANDS.items()]
    sections = [
        section for name in COMMANDS for section in _sections(cli.get_command(context, name), f"provision {name}")
    ]
    return "\n".join([HEAD, "| command | does |", "| --- | --- |", *rows, "", *sections])


def _sections(command: click.Command | None, path: str) -> Iterator[str]:
    assert command is not None, path
    options = [each for each in command.params if isinstance(each, click.Option)]
    arguments = [_argument(each) for each in command.params if isinstance(each, click.Argument)]
    rest = ["COMMAND"] if isinstance(command, click.Group) else [*arguments, *(["[OPTIONS]"] if options else [])]
    usage = " ".join([path, *rest])
    yield f"## {path}\n\n```\n{usage}\n```\n"
    yield inspect.cleandoc(command.help or "") + "\n"
    if options:
        rows = "\n".join(f"| {_names(each)} | {_meaning(each)} |" for each in options)
        yield f"| option | meaning |\n| --- | --- |\n{rows}\n"
    yield f"```\n{_examples(command)}\n```\n"
    if isinstance(command, click.Group):
        for name, each in command.commands.items():
            yield from _sections(each, f"{path} {name}")


def _argument(argument: click.Argument) -> str:
    name = argument.metavar or (argument.name or "").upper()
    return name if argument.required or name.startswith("[") else f"[{name}]"


def _names(option: click.Option) -> str:
    names = ", ".join(f"`{each}`" for each in sorted(option.opts, key=len, reverse=True))
    if option.is_flag:
        return names
    choices = option.type.choices if isinstance(option.type, click.Choice) else ()
    if choices:
        return f"{names} {', '.join(f'`{each}`' for each in choices)}"
    return f"{names} `{option.metavar or option.type.name.upper()}`"


def _meaning(option: click.Option) -> str:
    told = option.default if isinstance(option.default, str) and option.default else ""
    return f"{option.help}{f' Default: `{told}`.' if told else ''}"


def _examples(command: click.Command) -> str:
    lines = (command.epilog or "").replace("\b", "").strip().splitlines()
    return "\n".join(line.strip() for line in lines if line.strip() and line.strip() != "Examples:")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
