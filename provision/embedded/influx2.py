"""InfluxDB 2.x: the influxd2 on PATH, set up with an organisation and a token."""

from __future__ import annotations

from provision.embedded import influx
from provision.embedded.kinds import ServerCommand
from provision.embedded.loopback import HOST, asked
from provision.embedded.programs import program
from provision.embedded.record import Record

KIND = "influx2"
ORG = "provision"


class LocalServer(influx.LocalServer):
    """See provision.embedded.kinds.EngineServer. Its token is the password of the user that may look at its pages."""

    ports = 1

    def require(self) -> None:
        """Raise ConfigError when influxd2 is not on PATH."""
        program(KIND, self.store)

    def command(self, known: Record) -> ServerCommand:
        """influxd2, told where it listens and keeps its files; the token comes by `answer`."""
        data = self.data(known)
        places = [f"--{name}-path={data / name}" for name in ("bolt", "engine", "sqlite")]
        quiet = ["--reporting-disabled", "--log-level=error"]
        argv = [program(KIND, self.store), f"--http-bind-address={HOST}:{known.port}", *places, *quiet]
        return ServerCommand(argv, {"LC_ALL": "C.UTF-8", "TZ": "UTC", "HOME": str(data)}, self.folder)

    def answer(self, known: Record) -> str | None:
        """Ask with the token, which proves whose server it is. The first start has none yet: then it is set up."""
        assert known.port is not None
        assert known.password is not None
        token = known.password
        first = {"username": influx.USER, "password": token, "token": token, "org": ORG, "bucket": ORG}
        asked(known.port, "/api/v2/setup", json=first)
        found = asked(known.port, f"/api/v2/orgs?org={ORG}", headers={"Authorization": f"Token {token}"})
        if found is None or found.status != 200:
            return None
        return found.headers["x-influxdb-version"].removeprefix("v")

    def url(self, known: Record) -> str:
        """http://127.0.0.1:port?org=provision&token=token; the token holds no character that needs an escape."""
        return f"http://{HOST}:{known.port}?org={ORG}&token={known.password}"
