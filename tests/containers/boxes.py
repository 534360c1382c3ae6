"""The six stores as containers: image, what it is told, when it is ready, and how `provision` reaches it."""

from __future__ import annotations

import base64
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import psycopg
import redis

if TYPE_CHECKING:
    from testcontainers.core.container import DockerContainer

WORD = "p-word"
TOKEN = "made-up-token-of-the-container"
READY_WITHIN_SECONDS = 90.0
LABEL = "provision.tests"

Where = Callable[[int], str]  # port in the container → host:port outside


@dataclass(frozen=True)
class Box:
    """One store's container. `keys` are those of an environment besides the url; `{8080}` stands for host:port."""

    name: str
    """As in PROVISION_TEST_IMAGE_<name>."""
    store: str
    image: str
    url: str
    ports: tuple[int, ...]
    ready: Callable[[str, Where], bool]
    variables: Mapping[str, str] = field(default_factory=dict)
    command: tuple[str, ...] = ()
    keys: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Running:
    """A store that answers. `keys` are those of an environment, the url among them."""

    store: str
    image: str
    keys: Mapping[str, str]
    seconds: float = 0.0
    container: bool = True


def _postgres(url: str, _: Where) -> bool:
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def _redis(url: str, _: Where) -> bool:
    try:
        with redis.Redis.from_url(url) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False


def _http(port: int, path: str, login: str = "") -> Callable[[str, Where], bool]:
    def ready(_: str, where: Where) -> bool:
        headers = {"Authorization": "Basic " + base64.b64encode(login.encode()).decode()} if login else {}
        try:
            with urllib.request.urlopen(
                urllib.request.Request(f"http://{where(port)}{path}", headers=headers), timeout=2
            ):
                return True
        except (OSError, urllib.error.HTTPError):
            return False

    return ready


BOXES = {
    each.name: each
    for each in (
        Box(
            "POSTGRES",
            "postgres",
            "postgres:17",
            f"postgresql://vfr:{WORD}@{{5432}}/vfr",
            (5432,),
            _postgres,
            {"POSTGRES_USER": "vfr", "POSTGRES_PASSWORD": WORD, "POSTGRES_DB": "vfr"},
        ),
        Box(
            "CLICKHOUSE",
            "clickhouse",
            "clickhouse/clickhouse-server:26",
            f"clickhouse://vfr:{WORD}@{{8123}}/vfr",
            (8123,),
            _http(8123, "/?query=SELECT+1", f"vfr:{WORD}"),
            {
                "CLICKHOUSE_USER": "vfr",
                "CLICKHOUSE_PASSWORD": WORD,
                "CLICKHOUSE_DB": "vfr",
                "CLICKHOUSE_DEFAULT_ACCESS_MANAGEMENT": "1",
            },
        ),
        Box(
            "REDIS",
            "redis",
            "redis:8",
            f"redis://:{WORD}@{{6379}}/0",
            (6379,),
            _redis,
            command=("redis-server", "--requirepass", WORD),
        ),
        Box(
            "INFLUX1",
            "influx",
            "influxdb:1.8",
            f"http://root:{WORD}@{{8086}}",
            (8086,),
            _http(8086, "/ping"),
            {
                "INFLUXDB_ADMIN_USER": "root",
                "INFLUXDB_ADMIN_PASSWORD": WORD,
                "INFLUXDB_HTTP_AUTH_ENABLED": "true",
            },
        ),
        Box(
            "INFLUX2",
            "influx",
            "influxdb:2",
            "http://{8086}",
            (8086,),
            _http(8086, "/health"),
            {
                "DOCKER_INFLUXDB_INIT_MODE": "setup",
                "DOCKER_INFLUXDB_INIT_USERNAME": "root",
                "DOCKER_INFLUXDB_INIT_PASSWORD": f"{WORD}-of-eight",
                "DOCKER_INFLUXDB_INIT_ORG": "vfr",
                "DOCKER_INFLUXDB_INIT_BUCKET": "first",
                "DOCKER_INFLUXDB_INIT_ADMIN_TOKEN": TOKEN,
            },
            keys={"token": TOKEN, "org": "vfr"},
        ),
        Box(
            "WEAVIATE",
            "weaviate",
            "semitechnologies/weaviate:1.39.0",
            "http://{8080}",
            (8080, 50051),
            _http(8080, "/v1/.well-known/ready"),
            {
                "AUTHENTICATION_ANONYMOUS_ACCESS_ENABLED": "false",
                "AUTHENTICATION_APIKEY_ENABLED": "true",
                "AUTHENTICATION_APIKEY_ALLOWED_KEYS": TOKEN,
                "AUTHENTICATION_APIKEY_USERS": "root",
                "AUTOSCHEMA_ENABLED": "false",
                "DEFAULT_VECTORIZER_MODULE": "none",
                "CLUSTER_HOSTNAME": "node1",
                "DISABLE_TELEMETRY": "true",
                "PERSISTENCE_DATA_PATH": "/var/lib/weaviate",
            },
            keys={"token": TOKEN, "grpc": "{50051}"},
        ),
        Box(
            "ARANGO",
            "arango",
            "arangodb:3.12",
            f"http://root:{WORD}@{{8529}}/vfr",
            (8529,),
            _http(8529, "/_api/version", f"root:{WORD}"),
            {"ARANGO_ROOT_PASSWORD": WORD},
        ),
    )
}


@contextmanager
def running(box: Box, image: str, owner: str) -> Iterator[Running]:
    """The container, ready, gone with the block; its label names the process that owns it. Raises RuntimeError."""
    from testcontainers.core.container import DockerContainer

    container = DockerContainer(image).with_envs(**box.variables).with_exposed_ports(*box.ports)
    container = container.with_kwargs(labels={LABEL: owner})
    if box.command:
        container = container.with_command(list(box.command))
    began = time.monotonic()
    try:
        container.start()
        host = container.get_container_host_ip()
        places = {port: f"{host}:{container.get_exposed_port(port)}" for port in box.ports}
        keys = {key: _filled(text, places) for key, text in {"url": box.url, **box.keys}.items()}
        _await(box, container, keys["url"], places)
        yield Running(box.store, image, keys, time.monotonic() - began)
    finally:
        container.stop()


def _filled(text: str, places: Mapping[int, str]) -> str:
    for port, place in places.items():
        text = text.replace(f"{{{port}}}", place)
    return text


def _await(box: Box, container: DockerContainer, url: str, places: Mapping[int, str]) -> None:
    deadline = time.monotonic() + READY_WITHIN_SECONDS
    while not box.ready(url, places.__getitem__):
        container.reload()
        if time.monotonic() > deadline or container.status in ("exited", "dead"):
            out, err = container.get_logs()
            said = (out + err).decode(errors="replace")[-1500:]
            raise RuntimeError(f"{box.name} ({container.image}) is not ready, {container.status}:\n{said}")
        time.sleep(0.05)
