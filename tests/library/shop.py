"""A project for the library: PostgreSQL keeps the run lock, Redis a document or two. Every part is written by tests."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import psycopg

from provision import Project, ProvisionError
from tests.stores.postgres import environments
from tests.stores.postgres.projects import REVISION, rows

TEMPLATE = Path(__file__).parents[2] / "provision/stores/postgres/setup/template"
INI = "[alembic]\nscript_location = %(here)s/alembic\npath_separator = os\n"
PATIENCE = 60.0  # seconds that anything may take at most
PASSWORD = "correct-horse"
_TOML = """\
[project]
name = "{name}"
home = "postgres"
lease = "{lease}"

[stores.postgres]
path = "alembic"

[stores.redis]

[environments.test]
postgres.url = "{url}"
redis.url = {redis}

[environments.nowhere]
postgres.url = "postgresql://me:{password}@127.0.0.1:1/none"
redis = "off"
"""
_STREAM = """\
description: The stream {name}
requires: {requires}
up:
  - create_stream: {{name: "{name}", maxlen: 10}}
down: auto
"""
_BACKFILL = """\
description: Source of orders that were taken before it was kept
store: postgres
table: orders
set: {source: "'web-' || n"}
where: source is null
requires: [postgres/0001]
batch: {target: 20ms, rows: 50}
"""
_SUITE = """\
store: postgres
table: orders
checks:
  - name: source_is_there
    not_null: [source]
    severity: high
"""
ORDERS = 'op.execute("create table orders (n bigint primary key, source text)")'


class Shop:
    """The folder, the urls, and the project opened anew whenever it is asked for."""

    def __init__(self, root: Path, url: str, redis: str = "off", *, name: str = "shop", lease: str = "30s") -> None:
        self.root, self.url, self.name = root, url, name
        environments.written(root, (TEMPLATE / "env.py").read_text(), INI)
        (root / "redis").mkdir()
        where = f'"{redis}"'
        text = _TOML.format(name=name, url=url, redis=where, lease=lease, password=PASSWORD)
        (root / "provision.toml").write_text(
            text if redis != "off" else text.replace(f"redis.url = {where}", 'redis = "off"')
        )
        self._numbers: list[str] = []

    def open(self, env: str = "test", **options: Any) -> Project:
        return Project.open(self.root, env, **options)

    def revision(self, up: str = "pass", down: str = "pass", *, top: str = "") -> str:
        """Write the next revision of PostgreSQL; its id."""
        number = f"{len(self._numbers) + 1:04d}"
        parent = self._numbers[-1] if self._numbers else None
        text = REVISION.format(
            doc=f"Step {number}", number=number, parent=parent, labels=None, depends=None, up=up, down=down
        )
        text = text.replace("\n\n\ndef upgrade", f"\n{top}\n\n\ndef upgrade", 1)
        (self.root / "alembic/versions" / f"{number}_step.py").write_text(text)
        self._numbers.append(number)
        return f"postgres/{number}"

    def table(self, name: str = "") -> str:
        """A revision that makes a table, called like it is numbered."""
        name = name or f"t{len(self._numbers) + 1:04d}"
        return self.revision(f'op.execute("create table {name} (n int)")', f'op.execute("drop table {name}")')

    def slow(self, seconds: float = 1.0) -> str:
        """A revision whose one statement takes a while."""
        table = f"s{len(self._numbers) + 1}"
        return self.revision(f'op.execute("create table {table} as select pg_sleep({seconds})::text")')

    def stream(self, name: str, *, requires: tuple[str, ...] = ()) -> str:
        """The next document of Redis; its id."""
        number = len(list((self.root / "redis").iterdir())) + 1
        (self.root / "redis" / f"{number:04d}_stream.yaml").write_text(
            _STREAM.format(name=name, requires=list(requires))
        )
        return f"redis/{number:04d}"

    def write_orders(self) -> None:
        """The table of orders, with a backfill and a suite."""
        self.revision(ORDERS, 'op.execute("drop table orders")')
        for place, text in (("backfills/source.yaml", _BACKFILL), ("checks/orders.yaml", _SUITE)):
            (self.root / place).parent.mkdir()
            (self.root / place).write_text(text)

    def orders(self, count: int) -> None:
        """The table of orders, applied and filled."""
        self.write_orders()
        self.open().up()
        self.execute(f"insert into orders select i from generate_series(1, {count}) i")

    def tables(self) -> list[str]:
        found = self.rows("select tablename from pg_tables where schemaname = 'public' order by 1")
        return [name for (name,) in found if name != "alembic_version"]

    def execute(self, sql: str) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(sql.encode())

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return rows(self.url, sql)


class Elsewhere:
    """A call in a thread of its own: what it returned, or what it raised."""

    def __init__(self, call: Callable[[], object]) -> None:
        self._call, self._found = call, list[object]()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    @property
    def ended(self) -> bool:
        return not self._thread.is_alive()

    def result(self) -> object:
        """What it returned; an error that it raised is returned too."""
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive(), "it does not end"
        return self._found[0]

    def _run(self) -> None:
        try:
            self._found.append(self._call())
        except BaseException as error:
            self._found.append(error)


def until(condition: Callable[[], object], what: str) -> None:
    """Wait until it is so; a store that is not there yet is waited for too."""
    deadline = time.monotonic() + PATIENCE
    while True:
        with suppress(ProvisionError):
            if condition():
                return
        assert time.monotonic() < deadline, f"this did not come: {what}"
        time.sleep(0.02)


def working(shop: Shop) -> bool:
    """Whether the server sleeps for one of the slow revisions."""
    asked = "select count(*) from pg_stat_activity where state = 'active' and query like '%as select pg_sleep%'"
    return shop.rows(f"{asked} and query not like '%pg_stat_activity%'") != [(0,)]
