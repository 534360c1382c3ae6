"""What servers have in common that listen on ports of this machine alone, want a password and begin with no files."""

from __future__ import annotations

import secrets
import signal
from dataclasses import replace
from pathlib import Path

from provision.embedded.loopback import are_free, free_ports
from provision.embedded.record import Record


class PortServer:
    """A part of provision.embedded.kinds.EngineServer; a kind adds `require`, `command`, `answer` and `url`."""

    ports = 1
    """How many it needs; they lie in a row."""
    stop_signals: tuple[tuple[signal.Signals, float], ...] = ((signal.SIGTERM, 20.0),)
    gone_signal = signal.SIGKILL

    def __init__(self, store: str, folder: Path) -> None:
        self.store = store
        self.folder = folder

    def is_made(self, known: Record) -> bool:
        """An empty data folder is complete."""
        return self.data(known).is_dir()

    def data(self, known: Record) -> Path:
        """Everything that it keeps."""
        del known
        return self.folder / "data"

    def make(self, known: Record) -> Record:
        """Make the empty data folder."""
        self.data(known).mkdir(mode=0o700)
        return known

    def prepare(self, known: Record) -> Record:
        """Keep ports and password where possible; no character of the password needs an escape."""
        port = free_ports(self.ports, known.port)
        return replace(known, port=port, password=known.password or secrets.token_urlsafe(24))

    def has_address(self, known: Record) -> bool:
        """It takes port and password."""
        return known.port is not None and known.password is not None

    def was_bad_luck(self, known: Record) -> bool:
        """Another program may have taken a port in the meantime."""
        return known.port is not None and not are_free(known.port, self.ports)

    def discard(self, known: Record) -> None:
        """Nothing lies outside the folder."""
