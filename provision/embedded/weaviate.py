"""Weaviate: the weaviate-server on PATH, with an API key."""

from __future__ import annotations

import json

from provision.embedded.kinds import ServerCommand
from provision.embedded.loopback import HOST, asked
from provision.embedded.on_port import PortServer
from provision.embedded.programs import program
from provision.embedded.record import Record

KIND = "weaviate"
USER = "provision"


class LocalServer(PortServer):
    """See provision.embedded.kinds.EngineServer."""

    # HTTP, gRPC, Raft, Raft's own calls, membership, data exchange. A node alone needs them all.
    ports = 6

    def require(self) -> None:
        """Raise ConfigError when weaviate-server is not on PATH."""
        program(KIND, self.store)

    def command(self, known: Record) -> ServerCommand:
        """weaviate-server; the key is a variable: those of a process are read by its own user only."""
        assert known.port is not None
        assert known.password is not None
        program_path = program(KIND, self.store)
        argv = [program_path, "--host", HOST, "--port", str(known.port), "--scheme", "http"]
        variables = {**_settings(known.password), **_addresses(known.port)}
        variables |= {"PERSISTENCE_DATA_PATH": str(self.data(known)), "HOME": str(self.folder)}
        return ServerCommand(argv, {"LC_ALL": "C.UTF-8", "TZ": "UTC", **variables}, self.folder)

    def answer(self, known: Record) -> str | None:
        """Wait until the node leads its cluster of one, then ask with the key, which proves whose server it is."""
        assert known.port is not None
        ready = asked(known.port, "/v1/.well-known/ready")
        if ready is None or ready.status != 200:
            return None
        found = asked(known.port, "/v1/meta", headers={"Authorization": f"Bearer {known.password}"})
        if found is None or found.status != 200:
            return None
        return str(json.loads(found.body)["version"])

    def url(self, known: Record) -> str:
        """http://127.0.0.1:port?token=key; the key holds no character that needs an escape."""
        return f"http://{HOST}:{known.port}?token={known.password}"


def _settings(key: str) -> dict[str, str]:
    """gRPC and the data exchange listen on every interface whatever they are told, so nobody enters without a key."""
    return {
        "AUTHENTICATION_ANONYMOUS_ACCESS_ENABLED": "false",
        "AUTHENTICATION_APIKEY_ENABLED": "true",
        "AUTHENTICATION_APIKEY_ALLOWED_KEYS": key,
        "AUTHENTICATION_APIKEY_USERS": USER,
        "CLUSTER_BASIC_AUTH_USERNAME": USER,
        "CLUSTER_BASIC_AUTH_PASSWORD": key,
        "AUTOSCHEMA_ENABLED": "false",
        "DEFAULT_VECTORIZER_MODULE": "none",
        "DISABLE_TELEMETRY": "true",
        "GO_PROFILING_DISABLE": "true",
        "RAFT_TIMEOUTS_MULTIPLIER": "1",
    }


def _addresses(port: int) -> dict[str, str]:
    names = (
        "GRPC_PORT",
        "RAFT_PORT",
        "RAFT_INTERNAL_RPC_PORT",
        "CLUSTER_GOSSIP_BIND_PORT",
        "CLUSTER_DATA_BIND_PORT",
    )
    ports = {name: str(port + number) for number, name in enumerate(names, start=1)}
    return {**ports, "CLUSTER_HOSTNAME": "node1", "CLUSTER_BIND_ADDR": HOST, "CLUSTER_ADVERTISE_ADDR": HOST}
