"""What `doctor` looks at in a ClickHouse server; reads only, on a connection of its own."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

from provision.model import Finding, Severity, StoreOptions
from provision.stores.clickhouse.server import Client, ServerRefused, read_only
from provision.stores.clickhouse.setup.replicas import mutations, quoted, replicas
from provision.text import clock

RIGHTS = ("SELECT", "INSERT", "CREATE TABLE", "CREATE VIEW", "DROP TABLE", "ALTER", "TRUNCATE")
LEAST_FREE = 0.05
LARGEST = (
    "SELECT database, table, formatReadableSize(sum(bytes_on_disk) AS size) FROM system.parts "
    "GROUP BY database, table ORDER BY size DESC LIMIT 10"
)


def look(options: StoreOptions, url: str, *, home: bool) -> Sequence[Finding]:
    """What was found. Raises UnreachableError and ConfigError as opening the store does."""
    del home  # a ClickHouse is never one
    database = urlsplit(url).path.strip("/") or "default"
    client = Client(urlsplit(url)._replace(path="/default").geturl(), options.name)
    try:
        found = [*_writable(client, options), *_rights(client, options, database)]
        found += [*replicas(client, options, database), *mutations(client, options, database)]
        return [*found, *_clock(client, options), *_disks(client, options)]
    finally:
        client.close()


def _writable(client: Client, options: StoreOptions) -> Iterator[Finding]:
    if kind := read_only(client):
        what = f"sessions are read-only (readonly = {kind})"
        user = quoted(client.rows("SELECT currentUser()")[0][0])
        fix = f"`ALTER USER {user} SETTINGS readonly = 0`, or <readonly>0</readonly> in its profile of users.xml"
        yield Finding("writable", Severity.ERROR, options.name, what, fix)


def _rights(client: Client, options: StoreOptions, database: str) -> Iterator[Finding]:
    there = client.rows("SELECT 1 FROM system.databases WHERE name = {name:String}", {"name": database})
    wanted = RIGHTS if there else (*RIGHTS, "CREATE DATABASE")
    user = client.rows("SELECT currentUser()")[0][0]
    missing = [right for right in wanted if not _granted(client, right, quoted(database))]
    if missing:
        listed = ", ".join(missing)
        fix = f"`GRANT {listed} ON {quoted(database)}.* TO {quoted(user)}`"
        yield Finding("privileges", Severity.ERROR, options.name, f"{user} lacks {listed} on {database}", fix)
    else:
        yield Finding("privileges", Severity.FINE, options.name, f"{user} may migrate {database} and keep the ledger")


def _granted(client: Client, right: str, database: str) -> bool:
    try:
        return bool(client.rows(f"CHECK GRANT {right} ON {database}.*")[0][0])
    except ServerRefused:  # before 24.11 there is no such statement
        lines = [str(row[0]) for row in client.rows("SHOW GRANTS")]
        words = "|".join({right, right.split()[0], "ALL"})
        return any(re.match(rf"GRANT (.*[ ,])?({words})[ ,(]", line) for line in lines)


def _clock(client: Client, options: StoreOptions) -> Iterator[Finding]:
    before = time.time()
    theirs = client.rows("SELECT toUnixTimestamp64Milli(now64(3))")[0][0] / 1000
    ahead = theirs - (before + time.time()) / 2
    yield clock.differs(options.name, ahead)


def _disks(client: Client, options: StoreOptions) -> Iterator[Finding]:
    try:
        rows = client.rows("SELECT name, free_space / total_space FROM system.disks WHERE total_space > 0")
    except ServerRefused:
        return  # a user need not see the disks
    for name, share in rows:
        if share < LEAST_FREE:
            what = f"disk {name} of the server has {share:.0%} left"
            yield Finding("disk", Severity.WARNING, options.name, what, f"`{LARGEST}` names what takes it")
