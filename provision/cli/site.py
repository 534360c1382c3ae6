"""Opens the project for a command."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import typer

from provision import embedded, process, settings, wiring
from provision.embedded.programs import missing
from provision.errors import ProvisionError, Several, UnreachableError, unexpected
from provision.flows.connect import Access, Engine, NoEngine, Site, open_site
from provision.model import Owner


def project() -> settings.Project:
    """The project of the working directory. Raises ConfigError."""
    return settings.load(Path.cwd())


def environment(found: settings.Project, name: str | None) -> settings.Environment:
    """The named environment, by design's rule for output that is not a terminal. Raises ConfigError."""
    return settings.resolve(found, settings.choose(found, name, terminal=terminal()))


def terminal() -> bool:
    """Whether output goes to a terminal."""
    return sys.stdout.isatty()


def engine(kind: str, store: str, folder: Path) -> Engine | NoEngine:
    """The embedded engine of a store, or what to do for one: its server may not be on PATH."""
    if kind not in embedded.KINDS:
        return NoEngine()
    made = embedded.engine(kind, store, folder)
    program = missing(kind)
    # One that runs already needs no program.
    return NoEngine(f"put {program} on PATH") if program and made.status().state != "running" else made


@contextmanager
def opened(
    env: str | None,
    access: Access,
    *,
    only: tuple[str, ...] = (),
    tolerant: bool = False,
    wait_for: float = 0.0,
) -> Iterator[Site]:
    """The project's site while the block runs; tries again for `wait_for` seconds while servers do not answer."""
    found = project()
    chosen = environment(found, env)
    with masked(chosen):
        site = _patient(
            lambda: open_site(found, chosen, wiring.build, engine, access, only=frozenset(only), tolerant=tolerant),
            wait_for,
        )
        try:
            yield site
        finally:
            site.close()


@contextmanager
def masked(chosen: settings.Environment) -> Iterator[None]:
    """Replace every known secret in whatever error leaves the block."""
    try:
        yield
    except ProvisionError as error:
        hide(error, chosen)
        raise
    except (typer.Abort, typer.Exit):
        raise
    except Exception as error:  # its text may hold a secret, and its traceback more of them
        raise unexpected(error, chosen.mask) from None


def hide(error: ProvisionError, chosen: settings.Environment) -> None:
    """Replace every known secret in an error, and in those that it is made of."""
    for each in (error, *(error.errors if isinstance(error, Several) else ())):
        each.what, each.where, each.fix = (chosen.mask(text) for text in (each.what, each.where, each.fix))


def owner(root: Path) -> Owner:
    """This process as the holder of a lease, with the commit it works from."""
    return process.owner(os.environ, _commit(root))


def asker() -> str:
    """This process as one that asks for the run lock back: user, host and pid."""
    mine = process.owner(os.environ)
    return f"{mine.actor} (pid {mine.pid})"


def _commit(root: Path) -> str:
    if not (root / ".git").exists():
        return ""
    asked = subprocess.run(["git", "-C", str(root), "rev-parse", "HEAD"], capture_output=True, text=True, check=False)
    return asked.stdout.strip() if asked.returncode == 0 else ""


def _patient(attempt: Callable[[], Site], wait_for: float) -> Site:
    end = time.monotonic() + wait_for
    while True:
        try:
            return attempt()
        except ProvisionError as error:
            parts = error.errors if isinstance(error, Several) else (error,)
            if time.monotonic() >= end or not all(isinstance(part, UnreachableError) for part in parts):
                raise
        time.sleep(0.5)
