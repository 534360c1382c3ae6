"""What a kind of engine must be able to tell, and where each kind's code lies."""

from __future__ import annotations

import importlib
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from provision import kinds
from provision.embedded.record import Record


@dataclass(frozen=True, slots=True)
class ServerCommand:
    """How to execute a server."""

    argv: list[str]
    env: dict[str, str]
    cwd: Path
    user: str = ""
    """"uid:gid" to become before the exec; empty to stay."""


class EngineServer(Protocol):
    """One kind's knowledge of its server. Called under the engine's lock, except `is_made`, `data`, `url`."""

    stop_signals: tuple[tuple[signal.Signals, float], ...]
    """What ends it in an orderly way, with the seconds to wait; SIGKILL follows."""
    gone_signal: signal.Signals
    """What ends it when its folder has gone and nothing needs to be kept."""

    def require(self) -> None:
        """Raise ConfigError when the wheel is not installed."""
        ...

    def is_made(self, known: Record) -> bool:
        """Say whether its data folder is complete."""
        ...

    def data(self, known: Record) -> Path:
        """Return its data folder."""
        ...

    def make(self, known: Record) -> Record:
        """Make the data folder: complete afterwards, or, killed anywhere, still not `is_made`."""
        ...

    def prepare(self, known: Record) -> Record:
        """Choose the address for the next start and write what the server reads. No such server runs."""
        ...

    def command(self, known: Record) -> ServerCommand:
        """Return what to execute."""
        ...

    def has_address(self, known: Record) -> bool:
        """Say whether `known` tells where the server listens."""
        ...

    def answer(self, known: Record) -> str | None:
        """Return the version when the server is ready for clients, None when it is not yet."""
        ...

    def was_bad_luck(self, known: Record) -> bool:
        """Say whether a server that ended at once may start at another address."""
        ...

    def url(self, known: Record) -> str:
        """Return the address for clients, with the password."""
        ...

    def discard(self, known: Record) -> None:
        """Remove what lies outside the engine's folder."""
        ...


def server_of(kind: str, store: str, folder: Path) -> EngineServer:
    """Return the server of a kind, or of another generation (influx2). Raises ValueError when it has no engine."""
    module, _ = kinds.engine(kind)
    if not module:
        raise ValueError(f"{kind} has no embedded engine; those that have: {', '.join(kinds.with_engine())}")
    server: EngineServer = importlib.import_module(module).LocalServer(store, folder)
    return server
