"""What our commands are made with: typer's, with plain help, and imported when they are asked for.

Typer carries a click of its own from 0.26 on and uses the installed one before: only what typer exports is named here,
and only public methods are overridden, so that both work.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

import typer
from typer.core import TyperCommand, TyperGroup

from provision.cli.commands import COMMANDS, GROUPS, OF_A_SUITE
from provision.errors import EXIT_CONFIG

F = TypeVar("F", bound=Callable[..., Any])
OLD_NAMES = {"--no-lease": "--no-lock"}
"""What options were called before → what they are called."""
_WHOLE = 1000  # characters of a first sentence that are shown: all of them


class Command(TyperCommand):
    """A command; its help lists the commands of two words that begin with it. Knows options by their old names too."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        options = args[: args.index("--")] if "--" in args else args
        return super().parse_args(ctx, [*(OLD_NAMES.get(each, each) for each in options), *args[len(options) :]])

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        # Typer 0.28 writes {NAME} for what older versions write as NAME.
        return [piece.strip("{}") for piece in super().collect_usage_pieces(ctx)]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        super().format_options(ctx, formatter)
        begun = f"{self.name} "
        rows = [(name.removeprefix(begun), each.line) for name, each in COMMANDS.items() if name.startswith(begun)]
        if rows:
            with formatter.section("Commands"):
                formatter.write_dl(rows)


class Group(TyperGroup):
    """Commands in the order of their definition; alone, it prints its help as a wrong command line."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if not args and not ctx.resilient_parsing:
            print(ctx.get_help(), file=sys.stderr)
            raise typer.Exit(EXIT_CONFIG)
        return super().parse_args(ctx, args)

    def format_commands(self, _ctx: Any, formatter: Any) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, each.get_short_help_str(_WHOLE)) for name, each in self.commands.items()])


class Commands(Group):
    """All commands of `provision`, each loaded only when it is asked for."""

    def list_commands(self, _ctx: Any) -> list[str]:
        return list(COMMANDS)

    def get_command(self, _ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"provision.cli.{COMMANDS[cmd_name].module}")
        alone = app()
        # A command is made from its function's signature: of all that the module has, the one that was asked for.
        alone.registered_commands = [each for each in module.app.registered_commands if each.name == cmd_name]
        alone.registered_groups = module.app.registered_groups
        return typer.main.get_group(alone).commands[cmd_name]

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        both = " ".join(args[:2])
        if len(args) > 1 and both in COMMANDS:
            return both, self.get_command(ctx, both), args[2:]
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:  # typer would make an exit code of it, and who reads that knows no reason
            raise typer.Abort from None

    def format_commands(self, _ctx: Any, formatter: Any) -> None:
        absent = _absent()
        wide = max(len(name) for name in COMMANDS if name not in absent)
        for title, commands in GROUPS.items():
            with formatter.section(title):
                shown = [(name.ljust(wide), each.line) for name, each in commands.items() if name not in absent]
                formatter.write_dl(shown)

    def shell_complete(self, ctx: Any, incomplete: str) -> Any:
        """Names and lines of the list: a pressed Tab imports no command."""
        listed = TyperGroup(name=self.name, params=self.params)
        for name, each in COMMANDS.items():
            if " " not in name and name not in _absent():
                listed.add_command(TyperCommand(name, short_help=each.line))
        return listed.shell_complete(listed.make_context(ctx.info_name, [], resilient_parsing=True), incomplete)


def _absent() -> frozenset[str]:
    """Commands of suites that the project of the working directory has not."""
    here = Path.cwd()
    root = next((each for each in (here, *here.parents) if (each / "provision.toml").is_file()), here)
    return frozenset(name for name, suite in OF_A_SUITE.items() if not (root / suite).is_file())


def app(**named: Any) -> typer.Typer:
    """A group of commands, with plain help; completion belongs to `provision` alone."""
    plain = {"cls": Group, "rich_markup_mode": None, "pretty_exceptions_enable": False, "add_completion": False}
    return typer.Typer(**{**plain, **named})


def command(of: typer.Typer, name: str, *examples: str) -> Callable[[F], F]:
    """Make a function the command `name` of a group; its help ends with the examples."""
    return of.command(name, cls=Command, epilog=example(*examples))


def example(*lines: str) -> str:
    """An epilog with examples, kept as written."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)
