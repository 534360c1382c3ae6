"""InfluxDB 1.x: the influxd on PATH, login required."""

from __future__ import annotations

import os
import subprocess
from base64 import b64encode
from dataclasses import replace

from provision.embedded.kinds import ServerCommand
from provision.embedded.loopback import HOST, asked
from provision.embedded.on_port import PortServer
from provision.embedded.programs import program
from provision.embedded.record import Record, write_private
from provision.errors import ConfigError
from provision.process import passed_on

KIND = "influx"
USER = "provision"


class LocalServer(PortServer):
    """See provision.embedded.kinds.EngineServer."""

    ports = 2  # the second one is for its own backup tool

    def require(self) -> None:
        """Raise ConfigError when no influxd of 1.x is on PATH."""
        found = program(KIND, self.store)
        told = subprocess.run(
            [found, "version"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            env=passed_on(),
        )
        if not told.stdout.startswith("InfluxDB v1."):
            raise ConfigError(
                "no-engine",
                f"the embedded engine of {self.store} needs influxd 1.x, the one on PATH says {told.stdout.strip()!r}",
                where=found,
                fix=f"put an influxd 1.x on PATH, or set {self.store}.url",
            )

    def prepare(self, known: Record) -> Record:
        """Keep the port where possible. The data know one password, so it is kept twice."""
        kept = self.folder / "password"
        if known.password is None and kept.is_file():
            known = replace(known, password=kept.read_text("ascii").strip())
        known = super().prepare(known)
        write_private(kept, f"{known.password}\n".encode())
        return known

    def command(self, known: Record) -> ServerCommand:
        """influxd, told everything by variables; the password is not among them."""
        assert known.port is not None
        data = self.data(known)
        variables = {
            "INFLUXDB_REPORTING_DISABLED": "true",
            "INFLUXDB_META_DIR": str(data / "meta"),
            "INFLUXDB_DATA_DIR": str(data / "data"),
            "INFLUXDB_DATA_WAL_DIR": str(data / "wal"),
            "INFLUXDB_BIND_ADDRESS": f"{HOST}:{known.port + 1}",
            "INFLUXDB_HTTP_BIND_ADDRESS": f"{HOST}:{known.port}",
            "INFLUXDB_HTTP_AUTH_ENABLED": "true",
            "INFLUXDB_HTTP_LOG_ENABLED": "false",
            "INFLUXDB_MONITOR_STORE_ENABLED": "false",
        }
        environment = {"LC_ALL": "C.UTF-8", "TZ": "UTC", "HOME": str(self.folder), **variables}
        return ServerCommand([program(KIND, self.store), "run", "-config", os.devnull], environment, self.folder)

    def answer(self, known: Record) -> str | None:
        """Log in, which proves whose server it is. The first start has no user yet: then the statement makes it."""
        assert known.port is not None
        assert known.password is not None
        statement = f"CREATE USER {USER} WITH PASSWORD '{known.password}' WITH ALL PRIVILEGES"
        login = b64encode(f"{USER}:{known.password}".encode()).decode()
        found = asked(known.port, "/query", headers={"Authorization": f"Basic {login}"}, form={"q": statement})
        if found is None or found.status != 200 or b'"error"' in found.body:
            return None
        return found.headers["x-influxdb-version"]

    def url(self, known: Record) -> str:
        """http://provision:password@127.0.0.1:port; the password holds no character that needs an escape."""
        return f"http://{USER}:{known.password}@{HOST}:{known.port}"
