"""The peers make the same schemas from the same folders without provision."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import clickhouse_connect
import psycopg

from . import sites
from .sites import Site


def peer(site: Site, *command: str, **variables: str) -> None:
    """Run a peer's own program in the project's folder."""
    known = {key: value for key, value in os.environ.items() if not key.startswith("PROVISION_")}
    program = str(sites.PROGRAM.with_name(command[0]))
    done = subprocess.run(
        [program, *command[1:]],
        cwd=site.folder,
        env=known | site.variables | {"PROVISION_ENV": site.environment} | variables,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def in_database(url: str, name: str) -> str:
    return urlsplit(url)._replace(path=f"/{name}").geturl()


def test_alembic_alone_makes_the_same_schema(site: Site) -> None:
    url = site.urls()["postgres"]
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS alembic_alone")
        connection.execute("CREATE DATABASE alembic_alone")
        other = in_database(url, "alembic_alone")
        try:
            peer(site, "alembic", "upgrade", "head", PROVISION_POSTGRES__URL=other)
            assert sites.postgres_schema(other) == sites.postgres_schema(url)
        finally:
            connection.execute("DROP DATABASE alembic_alone WITH (FORCE)")


def test_clickhouse_migrations_alone_makes_the_same_schema(site: Site) -> None:
    url = site.urls()["clickhouse"]
    mine, other = urlsplit(url).path.strip("/"), "peer_alone"
    with clickhouse_connect.get_client(dsn=in_database(url, "default")) as client:
        try:
            folder = str(Path(site.folder) / "clickhouse")
            command = ["migrate", "--driver", "clickhouse-connect", "--db-url", in_database(url, other)]
            peer(site, "clickhouse-migrations", *command, "--migrations-dir", folder)
            assert definitions(client, other) == definitions(client, mine)
        finally:
            client.command(f"DROP DATABASE IF EXISTS {other}")


def definitions(client: clickhouse_connect.driver.client.Client, database: str) -> dict[str, str]:
    """Name → definition of every object but the tools' own tables, without the database's name."""
    rows = client.query(
        "SELECT name, create_table_query FROM system.tables WHERE database = {d:String}"
        " AND name NOT IN ('schema_versions', 'provision_ledger')",
        parameters={"d": database},
    ).result_rows
    return {name: re.sub(rf"\b{database}\.", "", text) for name, text in rows}
