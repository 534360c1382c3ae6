"""A project with one table to fill, and the command line in processes of their own."""

from __future__ import annotations

import fcntl
import json
import os
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from tests.servers.command_line import Provision

ROOT = Path(__file__).resolve().parents[2]
_TOML = """
[project]
name = "shop"
home = "postgres"
lease = "{lease}s"

[stores.postgres]
path = "alembic"

[environments.test]
postgres.url = "${{SHOP_POSTGRES}}"
"""
CLICKHOUSE_AND_REDIS = """
[project]
name = "shop"
home = "redis"

[stores.clickhouse]

[stores.redis]

[environments.test]
clickhouse.url = "${SHOP_CLICKHOUSE}"
redis.url = "${SHOP_REDIS}"
"""
_FIRST = '''"""Orders"""

from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.execute("""
        CREATE TABLE orders (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), n bigint NOT NULL UNIQUE,
            tenant text NOT NULL, place integer NOT NULL, note text, source text, score numeric(5,4), meta jsonb,
            UNIQUE (tenant, place))
    """)


def downgrade() -> None:
    op.execute("DROP TABLE orders")
'''
_SECOND = '''"""Source is always there"""

from alembic import op

revision = "0002"
down_revision = "0001"
requires = ["backfill/source"]


def upgrade() -> None:
    op.execute("ALTER TABLE orders ALTER COLUMN source SET NOT NULL")


def downgrade() -> None:
    op.execute("ALTER TABLE orders ALTER COLUMN source DROP NOT NULL")
'''
SOURCE = """\
description: Source of orders that were taken before it was kept
store: postgres
table: orders
set:
  source: "'web-' || n"
  score: coalesce(score, 0.5)
where: source is null
requires: [postgres/0001]
batch: {target: 20ms, rows: 200}
"""
# What every row should be in the end: values that were there are untouched.
REFERENCE = """
select md5(string_agg(n || ':' || source || ':' || score || ':' || coalesce(note, ''), ',' order by n)) from orders
"""


def lay_out(place: Path, lease: int = 30) -> None:
    """Write the project."""
    versions = place / "alembic" / "versions"
    versions.mkdir(parents=True)
    (place / "backfills").mkdir()
    (place / "provision.toml").write_text(_TOML.format(lease=lease))
    template = ROOT / "provision" / "stores" / "postgres" / "setup" / "template"
    for name in ("env.py", "script.py.mako"):
        (place / "alembic" / name).write_text((template / name).read_text())
    (versions / "0001_orders.py").write_text(_FIRST)
    (versions / "0002_source_is_there.py").write_text(_SECOND)
    (place / "backfills" / "source.yaml").write_text(SOURCE)


def sow(url: str, rows: int) -> None:
    """Fill the table of orders; every tenth row has a source, every seventh a score."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("truncate orders")
        connection.execute(
            """
            insert into orders (n, tenant, place, source, score, note)
            select i, 't' || i %% 7, i,
                case when i %% 10 = 0 then 'shop' end, case when i %% 7 = 0 then 0.9 end, 'kept ' || i
            from generate_series(1, %s) i
            """,
            [rows],
        )
        connection.execute("analyze orders")


def expected(rows: int) -> str:
    """The checksum that REFERENCE comes to once the backfill `source` is complete, worked out without it."""
    import hashlib

    lines = (
        f"{n}:{'shop' if n % 10 == 0 else f'web-{n}'}:"
        f"{('0.9000' if n % 7 == 0 else None) if n % 10 == 0 else ('0.9000' if n % 7 == 0 else '0.5000')}:kept {n}"
        for n in range(1, rows + 1)
    )
    return hashlib.md5(",".join(line for line in lines if ":None:" not in line).encode()).hexdigest()


def process(place: Path, *arguments: object, **environment: str) -> subprocess.Popen[str]:
    """`provision` in a process of its own."""
    return subprocess.Popen(
        [sys.executable, str(ROOT / "cli.py"), *map(str, arguments), "--env", "test"],
        cwd=place,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@contextmanager
def beside(place: Path, *more: object) -> Iterator[None]:
    """A run of `source` in a process of its own, which must end well."""
    started = process(place, "backfill", "run", "source", *more)
    try:
        yield
    finally:
        code, out, err = ended(started)
    assert (code, err) == (0, ""), out


def standing(provision: Provision) -> dict[str, Any]:
    """What `status` says of `source`."""
    found: dict[str, Any] = json.loads(provision("backfill", "status", "source", "-o", "json").out)[0]
    return found


def append(place: Path, text: str) -> None:
    """Add to the document."""
    path = place / "backfills" / "source.yaml"
    path.write_text(path.read_text() + text)


def in_a_terminal(place: Path, *arguments: object) -> str:
    """What the command prints where its output is a terminal of 100 columns, until it ends."""
    here, there = os.openpty()
    fcntl.ioctl(there, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))
    command = [sys.executable, str(ROOT / "cli.py"), *map(str, arguments), "--env", "test"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm"}
    with subprocess.Popen(command, cwd=place, env=environment, stdin=subprocess.DEVNULL, stdout=there, stderr=there):
        os.close(there)
        read = b""
        while part := _read(here):
            read += part
    os.close(here)
    return read.decode()


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # nobody holds its other end any more
        return b""


def ended(started: subprocess.Popen[str], seconds: float = 120.0) -> tuple[int, str, str]:
    """Exit code and output of a process."""
    out, err = started.communicate(timeout=seconds)
    return started.returncode, out, err


def rows_done(database: psycopg.Connection[Any]) -> int:
    """How many rows the log of runs says are filled; 0 where there is no log yet."""
    if database.execute("select to_regclass('provision.backfill_part')").fetchone() == (None,):
        return 0
    row = database.execute("select coalesce(sum(rows_done), 0)::int from provision.backfill_part").fetchone()
    return int(row[0]) if row else 0


def until(true: Callable[[], bool], seconds: float = 30.0) -> None:
    """Wait until it is true."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.02)
