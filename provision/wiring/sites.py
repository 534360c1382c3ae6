"""Opens a project in one of its environments; hides every secret in what leaves it as an error."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from provision import kinds, process
from provision.errors import ProvisionError, Several, StatementFailed, UnreachableError, unexpected
from provision.flows.connect import Access, NoEngine, Site, StartableEngine, open_site
from provision.flows.survey import settled
from provision.model import Direction, Owner, StoreOptions
from provision.settings import Environment, ProjectFile

if TYPE_CHECKING:
    from provision.flows.needed import ReachedStores


def engine(options: StoreOptions, folder: Path) -> StartableEngine | NoEngine:
    """The embedded engine of a store, or what to do for one: its server may not be on PATH."""
    from provision import embedded  # where stores have urls nobody asks for one
    from provision.embedded.programs import missing

    name = kinds.engine_of(options)
    if not name:
        return NoEngine()
    made = embedded.engine(name, options.name, folder)
    program = missing(name)
    # One that runs already needs no program.
    return NoEngine(f"put {program} on PATH") if program and made.status().state != "running" else made


@contextmanager
def opened(
    project: ProjectFile,
    environment: Environment,
    access: Access,
    *,
    only: tuple[str, ...] = (),
    narrow: Direction | None = None,
    tolerant: bool = False,
    wait_for: float = 0.0,
    outlined: bool = False,
    passing: tuple[type[Exception], ...] = (),
    check: Callable[[], None] = lambda: None,
) -> Iterator[Site]:
    """The project's site while the block runs; tries again for `wait_for` seconds while servers do not answer.

    `narrow`: reach only what a move of `only` in that direction must know. `outlined`: files are not read whole where
    every one is applied as it is. `passing`: exceptions that leave the block as they are; what `check` raises ends the
    wait. Raises ConfigError, UnreachableError.
    """
    with masked(environment, passing):
        site = _patient(
            lambda: open_site(
                project,
                environment,
                kinds.build,
                engine,
                access,
                only=frozenset(only),
                narrow=narrow,
                tolerant=tolerant,
                outlined=outlined,
            ),
            wait_for,
            check,
        )
        try:
            yield settled(site) if site.outlined else site
        finally:
            site.close()


@contextmanager
def lent(
    project: ProjectFile,
    environment: Environment,
    names: frozenset[str] = frozenset(),
    wanted: frozenset[str] = frozenset(),
) -> Iterator[ReachedStores]:
    """The stores called `names`, and of those called `wanted` the ones that answer, while the block runs.

    Raises ConfigError (not-made, store-not-configured, …) and UnreachableError, all together.
    """
    from provision.flows.needed import reached  # checks and backfills alone

    with masked(environment), reached(project, environment, kinds.build, engine, names, wanted) as needed:
        yield needed


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
    """Replace every known secret in an error, and in those that it is made of; a cause that tells one is cut off."""
    mask = environment.mask
    for each in (error, *(error.errors if isinstance(error, Several) else ())):
        each.what, each.where, each.fix = mask(each.what), mask(each.where), mask(each.fix)
        each.args = tuple(mask(arg) if isinstance(arg, str) else arg for arg in each.args)
        if isinstance(each, StatementFailed):
            each.statement = mask(each.statement)
        if any(mask(text) != text for text in _texts_behind(each)):
            each.__cause__ = each.__context__ = None


def _texts_behind(error: BaseException) -> Iterator[str]:
    """What the errors behind this one say."""
    behind, seen = error.__cause__ or error.__context__, {id(error)}
    while behind is not None and id(behind) not in seen:
        seen.add(id(behind))
        yield f"{behind} {behind.args} {vars(behind)}"
        behind = behind.__cause__ or behind.__context__


def owner(root: Path) -> Owner:
    """One run of this process as the holder of the run lock, with the commit it works from."""
    return replace(process.owner(os.environ, _commit(root)), run=os.urandom(4).hex())


def _commit(root: Path) -> str:
    if not (root / ".git").exists() or (git := shutil.which("git")) is None:
        return ""
    asked = subprocess.run(
        [git, "-C", str(root), "rev-parse", "HEAD"],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        env=process.passed_on(name for name in os.environ if name.startswith(("GIT_", "XDG_"))),
    )  # fmt: skip
    return asked.stdout.strip() if asked.returncode == 0 else ""


def _patient(attempt: Callable[[], Site], wait_for: float, check: Callable[[], None]) -> Site:
    end = time.monotonic() + wait_for
    while True:
        try:
            return attempt()
        except ProvisionError as error:
            parts = error.errors if isinstance(error, Several) else (error,)
            if time.monotonic() >= end or not all(isinstance(part, UnreachableError) for part in parts):
                raise
        check()
        time.sleep(0.5)
