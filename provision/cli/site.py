"""Opens the project for a command."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import typer

from provision import settings
from provision.flows.connect import Access, Site
from provision.model import Direction
from provision.wiring import sites

_TYPER = (typer.Abort, typer.Exit)


def project() -> settings.ProjectFile:
    """The project of the working directory. Raises ConfigError."""
    return settings.load(Path.cwd())


def environment(found: settings.ProjectFile, name: str | None) -> settings.Environment:
    """The named environment, by design's rule for output that is not a terminal. Raises ConfigError."""
    return settings.resolve(found, settings.choose(found, name, terminal=terminal()))


def terminal() -> bool:
    """Whether output goes to a terminal."""
    return sys.stdout.isatty()


@contextmanager
def opened(
    env: str | None,
    access: Access,
    *,
    only: tuple[str, ...] = (),
    narrow: Direction | None = None,
    tolerant: bool = False,
    wait_for: float = 0.0,
    outlined: bool = False,
) -> Iterator[Site]:
    """As `sites.opened` for the project of the working directory."""
    found = project()
    chosen = environment(found, env)
    with sites.opened(
        found,
        chosen,
        access,
        only=only,
        narrow=narrow,
        tolerant=tolerant,
        wait_for=wait_for,
        outlined=outlined,
        passing=_TYPER,
    ) as site:
        yield site


def masked(chosen: settings.Environment) -> AbstractContextManager[None]:
    """Replace every known secret in whatever error leaves the block."""
    return sites.masked(chosen, _TYPER)
