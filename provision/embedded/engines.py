"""What an engine is to those who start and stop it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class EngineStatus:
    """What is known of one engine at this moment."""

    store: str
    """The store's configured name."""
    kind: str
    """A kind of store that has an engine."""
    state: str
    """running, stopped or absent (never made, or reset)."""
    version: str | None
    """The server's version, such as "18.4"; kept after a stop."""
    url: str | None
    """Percent-encoded, with the password; None unless running, or started a moment ago and ended since."""
    path: str
    """The data folder."""
    pid: int | None
    """None unless running."""


class Engine(Protocol):
    """One engine of one checkout. Every method may be called from several processes and threads at once."""

    def start(self) -> EngineStatus:
        """Make the engine when it is absent, start it when it is stopped, return when it answers.

        Raises ConfigError (wheel not installed, program not on PATH, folder not writable) or FailedError (disk full,
        engine ends at once).
        """
        ...

    def start_existing(self) -> EngineStatus | None:
        """As start(), for an engine that was made before; must return None and write nothing when it never was."""
        ...

    def stop(self) -> bool:
        """End the engine and wait for its end; True when one was running. Must never end a process that is not ours."""
        ...

    def status(self) -> EngineStatus:
        """Must write nothing."""
        ...

    def reset(self) -> bool:
        """Stop the engine and remove its files, running, broken or half-made; False when there was nothing."""
        ...
