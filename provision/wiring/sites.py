"""Opens a project in one of its environments; hides every secret in what leaves it as an error."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from provision import embedded, kinds, process
from provision.embedded.programs import missing
from provision.errors import ProvisionError, Several, UnreachableError, unexpected
from provision.flows.connect import Access, Engine, NoEngine, Site, open_site
from provision.model import Owner
from provision.settings import Environment, Project


def engine(kind: str, store: str, folder: Path) -> Engine | NoEngine:
    """The embedded engine of a store, or what to do for one: its server may not be on PATH."""
    if not kinds.named(kind, store).engine:
        return NoEngine()
    made = embedded.engine(kind, store, folder)
    program = missing(kind)
    # One that runs already needs no program.
    return NoEngine(f"put {program} on PATH") if program and made.status().state != "running" else made


@contextmanager
def opened(
    project: Project,
    environment: Environment,
    access: Access,
    *,
    only: tuple[str, ...] = (),
    tolerant: bool = False,
    wait_for: float = 0.0,
    passing: tuple[type[Exception], ...] = (),
) -> Iterator[Site]:
    """The project's site while the block runs; tries again for `wait_for` seconds while servers do not answer.

    `passing`: exceptions that leave the block as they are. Raises ConfigError, UnreachableError.
    """
    with masked(environment, passing):
        site = _patient(
            lambda: open_site(
                project, environment, kinds.build, engine, access, only=frozenset(only), tolerant=tolerant
            ),
            wait_for,
        )
        try:
            yield site
        finally:
            site.close()


@contextmanager
def masked(environment: Environment, passing: tuple[type[Exception], ...] = ()) -> Iterator[None]:
    """Replace every known secret in whatever error leaves the block."""
    try:
        yield
    except ProvisionError as error:
        hide(error, environment)
        raise
    except passing:
        raise
    except Exception as error:  # its text may hold a secret, and its traceback more of them
        raise unexpected(error, environment.mask) from None


def hide(error: ProvisionError, environment: Environment) -> None:
    """Replace every known secret in an error, and in those that it is made of."""
    for each in (error, *(error.errors if isinstance(error, Several) else ())):
        each.what, each.where, each.fix = (environment.mask(text) for text in (each.what, each.where, each.fix))


def owner(root: Path) -> Owner:
    """This process as the holder of the run lock, with the commit it works from."""
    return process.owner(os.environ, _commit(root))


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
