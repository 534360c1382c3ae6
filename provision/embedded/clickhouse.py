"""chDB, ClickHouse's engine as a library, served by `provision.embedded.clickhouse_server` in a process of its own."""

from __future__ import annotations

import http.client
import os
import secrets
import signal
import sys
from base64 import b64encode
from dataclasses import replace
from pathlib import Path

from provision.embedded.faults import wheel
from provision.embedded.kinds import Command
from provision.embedded.loopback import HOST, free_port, is_free
from provision.embedded.record import Record

DATABASE = "provision"
PASSED_ON = ("PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH", "VIRTUAL_ENV")


class LocalServer:
    """See provision.embedded.kinds.Server."""

    stop_signals = ((signal.SIGTERM, 15.0),)
    gone_signal = signal.SIGKILL

    def __init__(self, store: str, folder: Path) -> None:
        self.store = store
        self.folder = folder

    def require(self) -> None:
        """Raise ConfigError when chdb is not installed."""
        wheel("chdb", self.store)

    def is_made(self, known: Record) -> bool:
        """An empty data folder is complete."""
        return self.data(known).is_dir()

    def data(self, known: Record) -> Path:
        """chDB's folder."""
        del known
        return self.folder / "data"

    def make(self, known: Record) -> Record:
        """Make the empty data folder."""
        self.data(known).mkdir(mode=0o700)
        return known

    def prepare(self, known: Record) -> Record:
        """Keep port and password where possible."""
        (self.folder / "empty").mkdir(mode=0o700, exist_ok=True)
        return replace(known, port=free_port(known.port), password=known.password or secrets.token_urlsafe(24))

    def command(self, known: Record) -> Command:
        """This interpreter and the server, in an empty folder: chDB shows the files there as tables of `default`."""
        del known
        argv = [sys.executable, "-P", "-m", "provision.embedded.clickhouse_server", str(self.folder)]
        places = [str(Path(__file__).resolve().parents[2]), os.environ.get("PYTHONPATH", "")]
        places.append(str(wheel("chdb", self.store).parent))
        env = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        env |= {"PYTHONPATH": os.pathsep.join(filter(None, places)), "LC_ALL": "C.UTF-8", "TZ": "UTC"}
        return Command(argv, env, self.folder / "empty")

    def has_address(self, known: Record) -> bool:
        """It takes port and password."""
        return known.port is not None and known.password is not None

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

    def was_bad_luck(self, known: Record) -> bool:
        """Another program may have taken the port in the meantime."""
        return known.port is not None and not is_free(known.port)

    def url(self, known: Record) -> str:
        """clickhouse://default:password@127.0.0.1:port/provision; the password needs no escape."""
        return f"clickhouse://default:{known.password}@{HOST}:{known.port}/{DATABASE}"

    def discard(self, known: Record) -> None:
        """Nothing lies outside the folder."""
