"""Options that several commands share, and the words that arguments are read from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import typer

from provision.cli import complete
from provision.settings import seconds

TEXT: Final = "text"
JSON: Final = "json"
GITHUB: Final = "github"
WAIT: Final = 600.0  # seconds


def duration(option: str) -> Callable[[float | str], float]:
    """A reader of seconds from `500ms`, `30s`, `10m`, `2h` or a bare number. It raises ConfigError (bad-duration)."""

    def read(value: float | str) -> float:
        return value if isinstance(value, float) else seconds(value, option)

    return read


def _time(option: str, text: str) -> Any:
    """An option that takes a duration."""
    return typer.Option(option, parser=duration(option), metavar="TIME", show_default=False, help=text)


Env = Annotated[
    str | None,
    typer.Option(
        "--env", "-e", metavar="NAME", autocompletion=complete.environments, help="The environment; else PROVISION_ENV."
    ),
]
Only = Annotated[
    list[str] | None,
    typer.Option(
        "--only",
        metavar="STORE",
        autocompletion=complete.stores,
        help="Only this store; may be given several times.",
    ),
]
_PRINTED = typer.Option("--output", "-o", help="How to print the result.")
Output = Annotated[Literal["text", "json", "github"], _PRINTED]
TextOrJson = Annotated[Literal["text", "json"], _PRINTED]
Junit = Annotated[Path | None, typer.Option("--junit", metavar="FILE", help="Write a JUnit report too.")]
Sarif = Annotated[Path | None, typer.Option("--sarif", metavar="FILE", help="Write a SARIF log too.")]
StatementTimeout = Annotated[float, _time("--timeout", "The limit of one statement; else 5m.")]
WaitFor = Annotated[float, _time("--wait-for", "Wait this long for servers to come up.")]
Wait = Annotated[float, _time("--wait", "Wait this long for others, else 10m; 0 fails at once.")]
NoLock = Annotated[bool, typer.Option("--no-lock", help="Do not take the run lock.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
Steps = Annotated[int | None, typer.Option("--steps", min=1, metavar="N", help="Only the next N.")]
OutOfOrder = Annotated[bool, typer.Option("--out-of-order", help="Allow a pending revision before an applied one.")]
Revisions = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[REVISION]...",
        autocompletion=complete.revisions,
        show_default=False,
        help="Revisions as STORE/ID, such as postgres/0007.",
    ),
]
