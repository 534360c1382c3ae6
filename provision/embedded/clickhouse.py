"""chDB, ClickHouse's engine as a library, served by `provision.embedded.clickhouse_server` in a process of its own."""

from __future__ import annotations

import http.client
import os
import signal
import sys
from base64 import b64encode
from pathlib import Path

from provision.embedded.faults import wheel
from provision.embedded.kinds import ServerCommand
from provision.embedded.loopback import HOST
from provision.embedded.on_port import PortServer
from provision.embedded.record import Record

DATABASE = "provision"
PASSED_ON = ("PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH", "VIRTUAL_ENV")


class LocalServer(PortServer):
    """See provision.embedded.kinds.EngineServer."""

    stop_signals = ((signal.SIGTERM, 15.0),)

    def require(self) -> None:
        """Raise ConfigError when chdb is not installed."""
        wheel("chdb", self.store)

    def prepare(self, known: Record) -> Record:
        """Keep port and password where possible."""
        (self.folder / "empty").mkdir(mode=0o700, exist_ok=True)
        return super().prepare(known)

    def command(self, known: Record) -> ServerCommand:
        """This interpreter and the server, in an empty folder: chDB shows the files there as tables of `default`."""
        del known
        argv = [sys.executable, "-P", "-m", "provision.embedded.clickhouse_server", str(self.folder)]
        places = [str(Path(__file__).resolve().parents[2]), os.environ.get("PYTHONPATH", "")]
        places.append(str(wheel("chdb", self.store).parent))
        env = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        env |= {"PYTHONPATH": os.pathsep.join(filter(None, places)), "LC_ALL": "C.UTF-8", "TZ": "UTC"}
        return ServerCommand(argv, env, self.folder / "empty")

    def answer(self, known: Record) -> str | None:
        """Ask for the version with the password, which proves whose server it is."""
        assert known.port is not None
        connection = http.client.HTTPConnection(HOST, known.port, timeout=5)
        login = b64encode(f"default:{known.password}".encode()).decode()
        try:
            connection.request("GET", "/?query=SELECT%20version()", headers={"Authorization": f"Basic {login}"})
            reply = connection.getresponse()
            version = reply.read().decode().strip()
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()
        return version if reply.status == 200 else None

    def url(self, known: Record) -> str:
        """clickhouse://default:password@127.0.0.1:port/provision; the password needs no escape."""
        return f"clickhouse://default:{known.password}@{HOST}:{known.port}/{DATABASE}"
