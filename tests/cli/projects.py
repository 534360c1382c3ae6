"""Bad input for the project `small`, and proof that a refused command left files and databases as they were."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import clickhouse_connect
import psycopg
import redis

from tests.servers.command_line import Ran

# Nothing listens on port 1: a command that is refused with another exit code than 4 has reached no server.
NOWHERE = {
    "SMALL_POSTGRES": "postgresql://me@127.0.0.1:1/small",
    "SMALL_CLICKHOUSE": "clickhouse://me@127.0.0.1:1/small",
    "SMALL_REDIS": "redis://127.0.0.1:1/0",
}
_TABLES = """
select n.nspname, c.relname, c.relkind, c.relnatts from pg_class c join pg_namespace n on n.oid = c.relnamespace
where n.nspname not like 'pg\\_%' and n.nspname <> 'information_schema' order by 1, 2
"""
# Where no lease was ever taken there is no table of them; one that was taken and released says nothing of a change.
_KEPT = ("provision.ledger", "alembic_version")


def refused(ran: Ran, code: int, err: str, out: str = "") -> None:
    """The command ended with `code` and printed exactly this; paths of the project and checksums are masked."""
    assert hidden(ran.err) == err
    assert hidden(ran.out) == out
    assert ran.code == code


def hidden(text: str) -> str:
    """The text without what differs from run to run beyond what `provision` masks already."""
    assert "Traceback" not in text
    text = text.replace(str(Path.cwd()), "PROJECT")
    text = re.sub(r"/(?:tmp|dev/shm)/provision-\S*?(?=/\.provision/)", "SOCKETS", text)
    text = re.sub(r" in \d+\.\d s\b", " in N s", text)
    text = re.sub(r"\b(runs (?:PostgreSQL|ClickHouse) |server is )\d+(?:\.\d+)*", r"\1VERSION", text)
    text = re.sub(r"\b(postgres|clickhouse|redis) \d+(?:\.\d+)+ *", r"\1 VERSION  ", text)
    return re.sub(r"checksum \w{6}… is now \w{6}…", "checksum OLD is now NEW", text)


@contextmanager
def untouched(root: Path) -> Iterator[None]:
    """Fail when the block changes a file of the project or, where the databases are there, anything in one."""
    before = picture(root)
    yield
    assert picture(root) == before


def picture(root: Path) -> dict[str, object]:
    """Every file with its content, every table with its columns, every ledger entry, every key with its value."""
    seen: dict[str, object] = {
        str(path.relative_to(root)): hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()
        if path.is_file()
        else ""
        for path in sorted(root.rglob("*"))
        if "__pycache__" not in path.parts
    }
    if os.environ.get("SMALL_POSTGRES", NOWHERE["SMALL_POSTGRES"]) != NOWHERE["SMALL_POSTGRES"]:
        seen["postgres"] = _postgres(os.environ["SMALL_POSTGRES"])
        seen["clickhouse"] = _clickhouse(os.environ["SMALL_CLICKHOUSE"])
        seen["redis"] = _redis(os.environ["SMALL_REDIS"])
    return seen


def _postgres(url: str) -> list[object]:
    with psycopg.connect(url) as connection:
        seen: list[object] = list(connection.execute(_TABLES).fetchall())
        for table in _KEPT:
            if connection.execute("select to_regclass(%s)", (table,)).fetchone() != (None,):
                seen += connection.execute(f"select t::text from {table} t order by 1".encode()).fetchall()
    return seen


def _clickhouse(url: str) -> list[object]:
    name = urlsplit(url).path.strip("/")
    with clickhouse_connect.get_client(dsn=url.replace(f"/{name}", "/default")) as client:
        asked = f"SELECT name, create_table_query FROM system.tables WHERE database = '{name}' ORDER BY name"
        seen: list[object] = list(client.query(asked).result_rows)
        for table in ("provision_ledger", "schema_versions"):
            if any(row[0] == table for row in seen if isinstance(row, tuple)):
                seen += client.query(f"SELECT * FROM {name}.{table} ORDER BY ALL").result_rows
    return seen


def _redis(url: str) -> list[object]:
    with redis.Redis.from_url(url) as client:
        # A run that is refused under the lease has counted its token up, and shut out the one before.
        keys = [key for key in sorted(client.scan_iter()) if b":lease:" not in key]
        return [(key, client.xrange(key) if b":ledger:" in key else client.dump(key)) for key in keys]


def revision(root: Path, number: str, after: str | None, up: str = "pass", down: str = "pass", head: str = "") -> Path:
    """An Alembic revision; `head` goes below its identifiers."""
    path = root / "alembic" / "versions" / f"{number}_written.py"
    path.write_text(
        f'"""Written {number}"""\n\nfrom alembic import op\n\n'
        f'revision = "{number}"\ndown_revision = {after!r}\n{head}\n'
        f"\ndef upgrade() -> None:\n    {up}\n\n\ndef downgrade() -> None:\n    {down}\n"
    )
    return path


def script(root: Path, name: str, up: str, down: str | None = None) -> Path:
    """A ClickHouse file `name`.sql and, unless it is None, its way down."""
    path = root / "clickhouse" / f"{name}.sql"
    path.write_text(up)
    if down is not None:
        path.with_name(f"{name}.down.sql").write_text(down)
    return path


def document(root: Path, name: str, text: str) -> Path:
    """A Redis file `name`.yaml."""
    path = root / "redis" / f"{name}.yaml"
    path.write_text(text)
    return path


def edit(path: Path, old: str, new: str) -> None:
    """Replace text that must be there."""
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def sealed(plan: str) -> str:
    """A saved plan as `plan --out` would have written it."""
    body = json.loads(plan)
    text = json.dumps(body, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return json.dumps({**body, "seal": hashlib.sha256(text.encode()).hexdigest()})
