"""PgBouncer before a server of the tests."""

from __future__ import annotations

import os
import shutil

import psycopg
from psycopg.conninfo import conninfo_to_dict

from tests.servers.running import HOST, Server


class PgBouncer(Server):
    """Sessions of one database go through it, `mode` says for how long each has a connection of the server."""

    name, what, source = "pgbouncer", "PgBouncer", "apt-get install pgbouncer"

    def __init__(self, before: str, mode: str) -> None:
        super().__init__()
        self._before, self._mode = conninfo_to_dict(before), mode

    def program(self) -> str | None:
        return shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")

    def command(self, program: str) -> tuple[list[str], dict[str, str]]:
        [port] = self.listens
        database, user = self._before["dbname"], self._before["user"]
        self.url = f"postgresql://{user}@{HOST}:{port}/{database}"
        target = " ".join(
            f"{key}={self._before[key]}" for key in ("host", "port", "user", "password") if key in self._before
        )
        root = os.getuid() == 0
        lines = [
            "[databases]",
            f"{database} = {target}",
            "[pgbouncer]",
            *([f"user = {shutil.chown(self.place, 'postgres') or 'postgres'}"] if root else []),
            f"listen_addr = {HOST}",
            f"listen_port = {port}",
            "unix_socket_dir =",
            "auth_type = any",
            f"pool_mode = {self._mode}",
            "ignore_startup_parameters = extra_float_digits",
        ]
        settings = self.place / "pgbouncer.ini"
        settings.write_text("\n".join(lines) + "\n")
        return [program, str(settings)], {}

    def ready(self) -> bool:
        try:
            psycopg.connect(self.url, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True


def placed(url: str, of: str) -> str:
    """The server of a url, which a fix names as HOST:PORT, in the place of that of another."""
    from urllib.parse import urlsplit

    parts = urlsplit(url)
    return parts._replace(netloc=f"{parts.netloc.rpartition('@')[0]}@{of}").geturl()
