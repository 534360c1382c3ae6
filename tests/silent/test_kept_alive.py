"""Every connection lets the kernel notice a server that takes no packet any more."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import psycopg
import sqlalchemy

from provision.model import StoreOptions
from provision.net import keepalive
from provision.net.http import Address, Http
from provision.net.plain import PlainHttp
from provision.stores.clickhouse.server import Client
from provision.stores.influx.session import start
from provision.stores.postgres import server as postgres_server
from provision.stores.postgres.migrate import wire
from provision.stores.redis import server as redis_server
from provision.stores.redis.plain import opened

EXPECTED = {"SO_KEEPALIVE": 1, "TCP_KEEPIDLE": 10, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 3, "TCP_USER_TIMEOUT": 25_000}


def found(descriptor: int) -> dict[str, int]:
    """The options of a connection, by name."""
    with socket.socket(fileno=os.dup(descriptor)) as connection:
        assert connection.family == socket.AF_INET
        told = {"SO_KEEPALIVE": connection.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)}
        for name in EXPECTED.keys() - told.keys():
            told[name] = connection.getsockopt(socket.IPPROTO_TCP, getattr(socket, name))
    return told


def options(tmp_path: Path, **extra: object) -> StoreOptions:
    return StoreOptions("store", "kind", "shop", tmp_path, tmp_path, extra)


def test_postgres(home: tuple[object, str]) -> None:
    with postgres_server.connect(home[1], "postgres") as connection:
        assert found(connection.fileno()) == EXPECTED


def test_postgres_what_the_url_says_itself_goes(home: tuple[object, str]) -> None:
    url = f"{home[1]}?keepalives_idle=77&tcp_user_timeout=1000"
    with postgres_server.connect(url, "postgres") as connection:
        assert found(connection.fileno()) == {**EXPECTED, "TCP_KEEPIDLE": 77, "TCP_USER_TIMEOUT": 1000}


def test_connection_of_env_py(home: tuple[object, str]) -> None:
    engine = sqlalchemy.create_engine(home[1].replace("postgresql:", "postgresql+psycopg:"))
    with engine.connect() as connection:
        wire.keep_alive(connection)
        driver = connection.connection.driver_connection
        assert isinstance(driver, psycopg.Connection)
        assert found(driver.fileno()) == EXPECTED
    engine.dispose()


def test_redis(redis_6: str) -> None:
    plain = opened(redis_6)
    assert plain is not None
    assert found(plain._connection.fileno()) == EXPECTED
    plain.close()
    server = redis_server.connect(redis_6)
    connection = server.client.connection_pool.get_connection()
    assert found(connection._sock.fileno()) == EXPECTED
    server.close()


def test_clickhouse(clickhouse_embedded: str) -> None:
    client = Client(clickhouse_embedded.replace("/provision", "/default"), "clickhouse")
    assert client._plain is not None
    plain = client._plain._http._connection
    assert plain is not None
    assert found(plain.sock.fileno()) == EXPECTED
    driver = client.driver()
    assert pooled(driver._backend.http) == EXPECTED
    client.close()


def test_http_of_influx_weaviate_and_arango(clickhouse_embedded: str, tmp_path: Path) -> None:
    port = clickhouse_embedded.rpartition(":")[2].partition("/")[0]
    http = Http(f"http://127.0.0.1:{port}", {}, options(tmp_path))
    http.call("GET", "/ping")
    assert isinstance(http._plain, PlainHttp)
    assert http._plain._connection is not None
    assert found(http._plain._connection.sock.fileno()) == EXPECTED
    http.call("POST", "/ping")
    assert pooled(http._pool) == EXPECTED
    http.close()


def test_influx_2(influx_2: str, tmp_path: Path) -> None:
    address = Address.of(influx_2, "")
    session = start(options(tmp_path, org="vfr", token="word"), address, "2.7")
    assert pooled(session.client.api_client.rest_client.pool_manager) == EXPECTED
    session.close()


def pooled(manager: object) -> dict[str, int]:
    """The options of the one connection that a manager of urllib3 keeps."""
    (pool,) = (manager.pools[key] for key in list(manager.pools.keys()))  # type: ignore[attr-defined]
    connection = pool._get_conn()
    told = found(connection.sock.fileno())
    pool._put_conn(connection)
    return told


def test_a_socket_file_goes_without() -> None:
    ours, theirs = socket.socketpair()
    keepalive.keep_alive(ours)
    assert ours.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 0
    ours.close()
    theirs.close()
