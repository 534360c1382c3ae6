"""Urls, and the embedded engines of the environment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provision.flows.connect import together
from provision.project.opened import Opened
from provision.wiring import local_engines, sites

if TYPE_CHECKING:
    from provision.embedded import Engine, EngineStatus


class Engines(Opened):
    """The engines that `up` makes where the environment says `embedded = true`; they outlive the program."""

    def url(self, store: str) -> str:
        """The url of a store, password included; makes and starts its embedded engine.

        Raises ConfigError (unknown-store, store-off, no-url), and as `start_engines`.
        """
        with sites.masked(self._environment):
            return local_engines.url(self._project, self._environment, store)

    def engines(self) -> tuple[EngineStatus, ...]:
        """The engines of this environment, made or not, with their urls, passwords included; starts none."""
        return tuple(status for status, _ in self._used(()))

    def start_engines(self, *stores: str) -> tuple[EngineStatus, ...]:
        """Start the engines of these stores, of all without any, making those that are absent; wait until they answer.

        Raises ConfigError (unknown-store, no-engine, …), FailedError where one does not start.
        """
        used = self._used(stores)
        local_engines.all_have_one(self._project, self.env, stores, [each.store for each, _ in used])
        return tuple(together([engine for _, engine in used], lambda engine: engine.start()))

    def stop_engines(self, *stores: str) -> tuple[str, ...]:
        """Stop the engines and keep their data; the names of those that ran. Raises ConfigError (unknown-store)."""
        ended = together(self._used(stores), lambda each: (each[0].store, each[1].stop()))
        return tuple(name for name, ran in ended if ran)

    def reset_engines(self, *stores: str) -> tuple[str, ...]:
        """Stop the engines and remove their data for good; the names of those that there were.

        Raises ConfigError (unknown-store).
        """
        ended = together(self._used(stores), lambda each: (each[0].store, each[1].reset()))
        return tuple(name for name, was_there in ended if was_there)

    def _used(self, stores: tuple[str, ...]) -> list[tuple[EngineStatus, Engine]]:
        if not self._environment.embedded:
            return []
        return local_engines.used(self._project, self.env, stores, self._variables)
