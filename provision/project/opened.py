"""What every part of the library stands on: the project, its environment, and how its stores are reached."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from provision import settings
from provision.errors import ConfigError
from provision.flows.connect import Access, Site, known_stores
from provision.flows.rules import Rules
from provision.model import Direction
from provision.wiring import sites

Names = str | Sequence[str]
"""One name, or several."""


class Opened:
    """A project in one environment. Its methods open connections of their own: any thread may call any of them."""

    def __init__(
        self,
        project: settings.ProjectFile,
        environment: settings.Environment,
        variables: Mapping[str, str],
        wait_for: float = 0.0,
    ) -> None:
        self._project, self._environment = project, environment
        self._variables, self._wait_for = variables, wait_for

    def __repr__(self) -> str:
        return f"<Project {self.name} in {self.env}: {self.root}>"

    @property
    def name(self) -> str:
        """The name in provision.toml."""
        return self._project.name

    @property
    def env(self) -> str:
        """The name of the environment."""
        return self._environment.name

    @property
    def root(self) -> Path:
        """The folder of provision.toml."""
        return self._project.root

    @property
    def stores(self) -> tuple[str, ...]:
        """The names of all stores, in the order of provision.toml."""
        return tuple(each.name for each in self._project.stores)

    def _opened(
        self,
        access: Access,
        only: Iterable[str] = (),
        *,
        narrow: Direction | None = None,
        tolerant: bool = False,
        check: Callable[[], None] = lambda: None,
    ) -> AbstractContextManager[Site]:
        known_stores(self._project, frozenset(only))
        return sites.opened(
            self._project,
            self._environment,
            access,
            only=tuple(only),
            narrow=narrow,
            tolerant=tolerant,
            wait_for=self._wait_for,
            check=check,
        )

    def _rules(self, wait: float = 0.0, *, run_lock: bool = True) -> Rules:
        return Rules(sites.owner(self.root), wait, use_lease=run_lock)


def names(given: Names) -> tuple[str, ...]:
    """The names; a text is one name, not its letters."""
    return (given,) if isinstance(given, str) else tuple(given)


def at_least(least: float, **given: float | None) -> None:
    """Raises ConfigError (usage) for a number that is less; None is none."""
    for name, value in given.items():
        if value is not None and not value >= least:
            raise ConfigError("usage", f"{name} is {value:g}", where=name, fix=f"give at least {least:g}")


def known_options(given: Mapping[str, object], kind: type) -> None:
    """Raises TypeError, in the thread of the caller, for an option that `kind`, a TypedDict, does not have."""
    for name in given:
        if name not in kind.__annotations__:
            raise TypeError(f"unexpected keyword argument {name!r}; known: {', '.join(kind.__annotations__)}")
