"""Writes docs/commands.md from the commands themselves: `.venv/bin/python docs/generate_commands.py`."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any

from typer.core import TyperArgument, TyperGroup, TyperOption

from provision.cli.commands import GROUPS
from provision.cli.main import cli

PAGE = Path(__file__).with_name("commands.md")
HEAD = """\
# Commands

Written by `docs/generate_commands.py` from the help of the commands; `provision COMMAND --help` says the same.

`provision --version` prints the version. Every command has `-h, --help`. `provision --install-completion` completes
commands, options and names in bash, zsh and fish ([how](getting-started.md#completion-in-the-shell)). Output is
coloured at a terminal and plain when piped. Exit codes: [exit-codes.md](exit-codes.md); JSON: [json.md](json.md).
"""


def page() -> str:
    """The whole page."""
    names = [name for commands in GROUPS.values() for name in commands]
    with cli.make_context("provision", [], resilient_parsing=True) as context:
        sections = [
            section for name in names for section in _sections(cli.get_command(context, name), f"provision {name}")
        ]
    return "\n".join([HEAD, *_tables(), *sections])


def _tables() -> Iterator[str]:
    """The list of commands, by group."""
    yield "| | command | does |\n| --- | --- | --- |"
    for title, commands in GROUPS.items():
        for place, (name, entry) in enumerate(commands.items()):
            yield f"| {'' if place else title} | [`{name}`](#provision-{name.replace(' ', '-')}) | {entry.line} |"
    yield ""


def _sections(command: Any, path: str) -> Iterator[str]:
    options = [each for each in command.params if isinstance(each, TyperOption)]
    arguments = [each for each in command.params if isinstance(each, TyperArgument)]
    named = [_argument(each) for each in arguments]
    rest = ["COMMAND"] if isinstance(command, TyperGroup) else [*named, *(["[OPTIONS]"] if options else [])]
    usage = " ".join([path, *rest])
    yield f"## {path}\n\n```\n{usage}\n```\n"
    yield inspect.cleandoc(command.help or "") + "\n"
    if arguments:
        rows = "\n".join(f"| `{_argument(each)}` | {_meaning(each)} |" for each in arguments)
        yield f"| argument | meaning |\n| --- | --- |\n{rows}\n"
    if options:
        rows = "\n".join(f"| {_names(each)} | {_meaning(each)} |" for each in options)
        yield f"| option | meaning |\n| --- | --- |\n{rows}\n"
    yield f"```\n{_examples(command)}\n```\n"
    if isinstance(command, TyperGroup):
        for name, each in command.commands.items():
            yield from _sections(each, f"{path} {name}")


def _argument(argument: TyperArgument) -> str:
    name = argument.metavar or (argument.name or "").upper()
    return name if argument.required or name.startswith("[") else f"[{name}]"


def _names(option: TyperOption) -> str:
    names = ", ".join(f"`{each}`" for each in sorted(option.opts, key=len, reverse=True))
    if option.is_flag:
        return names
    if choices := getattr(option.type, "choices", ()):
        return f"{names} {', '.join(f'`{each}`' for each in choices)}"
    return f"{names} `{option.metavar or option.type.name.upper()}`"


def _meaning(parameter: TyperOption | TyperArgument) -> str:
    default = parameter.default.value if isinstance(parameter.default, Enum) else parameter.default
    told = parameter.show_default and default not in (None, False, "")
    return f"{parameter.help}{f' Default: `{default}`.' if told else ''}"


def _examples(command: Any) -> str:
    lines = (command.epilog or "").replace("\b", "").strip().splitlines()
    return "\n".join(line.strip() for line in lines if line.strip() and line.strip() != "Examples:")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
