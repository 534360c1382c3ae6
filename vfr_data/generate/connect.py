"""The vendors' clients of the urls that the command line gives. Raises BadInput for what is no url."""

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from vfr_data.errors import BadInput, StorageError

if TYPE_CHECKING:
    from arango.database import StandardDatabase
    from clickhouse_connect.driver.client import Client
    from weaviate.client import WeaviateAsyncClient


def clickhouse(url: str) -> "Client":
    """Raises StorageError where it does not answer."""
    import clickhouse_connect
    from clickhouse_connect.driver.exceptions import ClickHouseError

    parts = _parts(url, "ClickHouse")
    scheme = {"clickhouse": "http", "clickhouses": "https"}.get(parts.scheme, parts.scheme)
    dsn = urlunsplit((f"clickhouse+{scheme}", parts.netloc, parts.path, parts.query, ""))
    try:
        return clickhouse_connect.get_client(dsn=dsn, interface=scheme, autogenerate_session_id=False)
    except (ClickHouseError, OSError) as error:
        raise StorageError(f"ClickHouse: {str(error).partition(chr(10))[0]}; look at the server and the url") from error


def weaviate(url: str, grpc: str, token: str) -> "WeaviateAsyncClient":
    """`grpc` is host:port."""
    from weaviate.classes.init import Auth

    import weaviate as vendor

    parts = _parts(url, "Weaviate")
    host, _, port = grpc.rpartition(":")
    if not host or not port.isdecimal():
        raise BadInput(f"{grpc!r} is no gRPC address of Weaviate; give host:port")
    secure = parts.scheme == "https"
    return vendor.use_async_with_custom(
        http_host=str(parts.hostname),
        http_port=parts.port or (443 if secure else 80),
        http_secure=secure,
        grpc_host=host,
        grpc_port=int(port),
        grpc_secure=secure,
        auth_credentials=Auth.api_key(token) if token else None,
        skip_init_checks=True,
    )


def arango(url: str) -> "StandardDatabase":
    from arango.client import ArangoClient

    parts = _parts(url, "ArangoDB")
    client = ArangoClient(hosts=urlunsplit((parts.scheme, _host(parts), "", "", "")))
    return client.db(parts.path.strip("/"), username=parts.username or "root", password=parts.password or "")


def _host(parts: Any) -> str:
    return str(parts.hostname) if parts.port is None else f"{parts.hostname}:{parts.port}"


def _parts(url: str, name: str) -> Any:
    parts = urlsplit(url)
    if not parts.scheme or not parts.hostname:
        raise BadInput(f"this is no url of {name}; give http://…")
    return parts
