"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from provision.cli import complete
from provision.settings import seconds

F = TypeVar("F", bound=Callable[..., Any])

TEXT, JSON, GITHUB = "text", "json", "github"


class Duration(click.ParamType[float]):
    """Seconds from `500ms`, `30s`, `10m`, `2h` or a bare number."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, _ctx: click.Context | None) -> float:
        return value if isinstance(value, float) else seconds(str(value), param.opts[0] if param else "")


env = click.option(
    "--env",
    "-e",
    metavar="NAME",
    shell_complete=complete.environments,
    help="The environment; else PROVISION_ENV.",
)
only = click.option(
    "--only",
    metavar="STORE",
    multiple=True,
    shell_complete=complete.stores,
    help="Only this store; may be given several times.",
)
output = click.option(
    "--output", "-o", type=click.Choice([TEXT, JSON, GITHUB]), default=TEXT, help="How to print the result."
)
wait_for = click.option(
    "--wait-for", type=Duration(), default=0.0, metavar="TIME", help="Wait this long for servers to come up."
)
wait = click.option(
    "--wait", type=Duration(), default="10m", metavar="TIME", help="Wait this long for another run; 0 fails at once."
)


def reaching(function: F) -> F:
    """The options of every command that reaches a database."""
    return env(only(output(wait_for(function))))


def example(*lines: str) -> str:
    """An epilog with examples, kept as written."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)
