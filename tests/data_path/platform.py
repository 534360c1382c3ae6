"""The shipped databases in all six stores, brought up by `provision` on servers of their own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import clickhouse_connect
from arango.database import StandardDatabase
from clickhouse_connect.driver.client import Client

import weaviate
from arango import ArangoClient
from provision import Project
from tests.doubles.arango import arango_double
from tests.servers import databases
from tests.servers.engines import embedded_url
from tests.servers.rest import good
from tests.system.six import copied

TENANTS = ("acme", "globex")


@dataclass(frozen=True)
class Platform:
    """Urls by the name of a variable in provision.toml, and the folder of the project."""

    folder: Path
    variables: Mapping[str, str]
    grpc: str

    @property
    def project(self) -> Project:
        return Project.open(self.folder, "production", variables=self.variables)

    def clickhouse(self) -> Client:
        return clickhouse_connect.get_client(dsn=self.variables["CLICKHOUSE_URL"], autogenerate_session_id=False)

    def arango(self) -> StandardDatabase:
        parts = urlsplit(self.variables["ARANGO_URL"])
        client = ArangoClient(hosts=f"http://{parts.hostname}:{parts.port}")
        return client.db("vfr", username="root", password=parts.password or "")

    def weaviate(self) -> weaviate.WeaviateAsyncClient:
        parts, (host, port) = urlsplit(self.variables["WEAVIATE_URL"]), self.grpc.split(":")
        return weaviate.use_async_with_custom(
            http_host=str(parts.hostname),
            http_port=parts.port or 80,
            http_secure=False,
            grpc_host=host,
            grpc_port=int(port),
            grpc_secure=False,
            skip_init_checks=True,
        )


@contextmanager
def brought_up(folder: Path) -> Iterator[Platform]:
    """The platform at its heads, with two tenants in Weaviate; the servers end with the block."""
    with ExitStack() as stack:
        postgres, clickhouse, cache = (
            stack.enter_context(embedded_url(each)) for each in ("postgres", "clickhouse", "redis")
        )
        influx, vectors = databases.Influx1(), databases.Weaviate()
        for server in (influx, vectors):
            stack.enter_context(server)
        double = stack.enter_context(arango_double(password=databases.WORD))
        variables = {
            "ML_DATABASE_URL": postgres,
            "CLICKHOUSE_URL": clickhouse,
            "REDIS_URL": cache,
            "INFLUXDB_URL": influx.url,
            "WEAVIATE_URL": vectors.url,
            "ARANGO_URL": double.replace("://", f"://root:{databases.WORD}@", 1) + "/vfr",
        }
        made = Platform(copied(folder), variables, vectors.grpc)
        made.project.up()
        tenants = [{"name": each} for each in TENANTS]
        for collection in ("ProbabilisticPatternV1", "UncertaintyEmbeddingV1"):
            good({"url": vectors.url}, "POST", f"/v1/schema/{collection}/tenants", tenants)
        yield made


def emptied(platform: Platform) -> None:
    """Take away what other tests left in ClickHouse, Weaviate and ArangoDB."""
    for name in ("trading_decisions_probabilistic", "model_feedback_events", "probability_metrics_realtime"):
        platform.clickhouse().command(f"TRUNCATE TABLE {name}")
    for name in ("probabilistic_nodes", "probability_dependencies", "confidence_propagation"):
        platform.arango().collection(name).truncate()
    keys = {"url": platform.variables["WEAVIATE_URL"]}
    tenants = "/v1/schema/ProbabilisticPatternV1/tenants"
    good(keys, "DELETE", tenants, list(TENANTS))
    good(keys, "POST", tenants, [{"name": each} for each in TENANTS])
