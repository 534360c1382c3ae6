"""A revision that needs locks which others hold gives way: the application is never the victim of a deadlock."""

from __future__ import annotations

import json
import re
import threading
import time
from dataclasses import dataclass, field

import psycopg
import pytest

from provision import Note
from provision import Project as Library
from tests.stores.postgres import environments
from tests.stores.postgres.projects import Project

HELD = """
select 1 from pg_locks where relation = 'a'::regclass and mode = 'AccessExclusiveLock' and granted
  and pid <> pg_backend_pid()
"""
WAITING = "select 1 from pg_locks where relation = 'b'::regclass and mode = 'AccessExclusiveLock' and not granted"


OFFLINE = """
from alembic import context
if context.is_offline_mode():
    context.configure(dialect_name="postgresql")
    with context.begin_transaction():
        context.run_migrations()
else:
"""


@pytest.fixture
def tables(project: Project) -> Project:
    """Two tables with a row each, applied."""
    environments.written(project.root, environments.PLAIN)
    project.write("0001", 'op.execute("create table a (x int)")\n    op.execute("create table b (x int)")')
    project.up()
    with psycopg.connect(project.url, autocommit=True) as connection:
        connection.execute("insert into a values (1)")
        connection.execute("insert into b values (1)")
    return project


@dataclass
class Application:
    """A transaction that writes table b, and table a once the query `when` has rows."""

    url: str
    when: str
    ready: threading.Event = field(default_factory=threading.Event)
    error: Exception | None = None
    crossed: bool = False
    waited: float = 0.0

    def __post_init__(self) -> None:
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        assert self.ready.wait(10)

    def _run(self) -> None:
        with (
            psycopg.connect(self.url, application_name="shop") as connection,
            psycopg.connect(self.url, autocommit=True) as other,
        ):
            try:
                connection.execute("update b set x = x + 1")
                self.ready.set()
                end = time.monotonic() + 30
                while not self.crossed and time.monotonic() < end:
                    self.crossed = other.execute(self.when.encode()).fetchone() is not None
                began = time.monotonic()
                connection.execute("update a set x = x + 1")
                connection.commit()
                self.waited = time.monotonic() - began
            except psycopg.Error as error:
                self.error = error

    def ended(self) -> None:
        """Wait for its end. It must have crossed the revision's way, and must have had no error."""
        self._thread.join(60)
        assert self.crossed
        assert self.error is None, str(self.error)


def altering(project: Project, between: str = "") -> None:
    """A revision that alters a, then b."""
    statements = ["alter table a add y int", *([between] if between else []), "alter table b add y int"]
    project.write("0002", "\n    ".join(f'op.execute("{each}")' for each in statements))


def gave_way(project: Project) -> list[dict[str, object]]:
    """What the ledger entry of the revision that was applied last says."""
    [(detail,)] = project.rows("select detail from provision.ledger order by token desc, n desc limit 1")
    found: list[dict[str, object]] = (json.loads(detail) if isinstance(detail, str) else detail).get("gave_way", [])
    return found


@pytest.mark.parametrize("own_process", ["false", "true"])
def test_deadlock_that_the_application_completes_ends_the_revisions_attempt(
    tables: Project, monkeypatch: pytest.MonkeyPatch, own_process: str
) -> None:
    monkeypatch.setenv("PROVISION_POSTGRES__OWN_PROCESS", own_process)
    altering(tables)
    application = Application(tables.url, WAITING)

    ran = tables.up()

    application.ended()
    assert tables.rows("select x, y from a, lateral (select y as z from b) b") == [(2, None)]
    assert "postgres/0002 gave way after " in ran.out
    assert "(postgres, shop) in a transaction for " in ran.out
    [entry, *_] = gave_way(tables)
    assert [each["application"] for each in entry["to"]] == ["shop"]  # type: ignore[index, attr-defined]
    assert [kind for _, kind in tables.events()] == ["applied", "applied"]


@pytest.mark.parametrize("pause", ["0.3", "0.7", "0.9", "1.5"])
def test_deadlock_that_the_revision_completes_ends_its_attempt(tables: Project, pause: str) -> None:
    """The application waits for the revision already, and would look for a deadlock before the revision did."""
    altering(tables, f"select pg_sleep({pause})")
    application = Application(tables.url, HELD)

    ran = tables.up()

    application.ended()
    assert "postgres/0002 gave way after " in ran.out
    assert [kind for _, kind in tables.events()] == ["applied", "applied"]


def test_queue_behind_a_revision_is_gone_when_its_time_is_over(tables: Project) -> None:
    """A long transaction reads the table; what comes behind the revision waits no longer than one attempt."""
    tables.write("0002", 'op.execute("alter table a add y int")')
    longest = 0.0
    over = threading.Event()

    def read() -> None:
        nonlocal longest
        with psycopg.connect(tables.url, autocommit=True) as connection:
            while not over.is_set():
                began = time.monotonic()
                connection.execute("select count(*) from a")
                longest = max(longest, time.monotonic() - began)

    reader = threading.Thread(target=read)
    with psycopg.connect(tables.url, application_name="report") as connection:
        connection.execute("select count(*) from a")
        reader.start()
        released = threading.Timer(3.0, connection.rollback)
        released.start()
        ran = tables.up()
        released.join()
    over.set()
    reader.join()

    assert ran.out.count("postgres/0002 gave way after ") >= 2
    assert "(postgres, report) in a transaction for " in ran.out
    assert 0.2 < longest < 2.0


def test_repeatable_that_loses_a_race_tries_again(tables: Project) -> None:
    place = tables.root / "alembic" / "repeatable"
    place.mkdir()
    (place / "r.sql").write_text("-- lock_timeout: 200ms\nalter table a add if not exists y int;\n")
    with psycopg.connect(tables.url, application_name="report") as connection:
        connection.execute("select count(*) from a")
        released = threading.Timer(1.5, connection.rollback)
        released.start()
        ran = tables.up()
        released.join()

    assert "postgres/r gave way after " in ran.out
    assert "(postgres, report)" in ran.out
    assert len(gave_way(tables)) >= 1
    assert [kind for _, kind in tables.events()] == ["applied", "applied"]


def test_plain_statement_in_an_autocommit_block_gives_way_and_is_sent_once_more(tables: Project) -> None:
    block = "with op.get_context().autocommit_block():\n        op.execute({!r})\n        op.execute({!r})"
    tables.write("0002", block.format("insert into b values (7)", "alter table a add y int"))
    with psycopg.connect(tables.url, application_name="report") as connection:
        connection.execute("select count(*) from a")
        released = threading.Timer(1.5, connection.rollback)
        released.start()
        ran = tables.up()
        released.join()

    assert "postgres/0002 gave way after " in ran.out
    assert tables.rows("select count(*) from b where x = 7") == [(1,)]
    assert tables.rows("select y from a") == [(None,)]


def test_index_in_a_deadlock_gives_way_and_is_built_again(tables: Project) -> None:
    """The index waits for the application's transaction, which then wants a lock that the index holds."""
    create = "create index concurrently i on a (x)"
    tables.write("0002", f'with op.get_context().autocommit_block():\n        op.execute("{create}")')
    waits = f"select 1 from pg_stat_activity where wait_event_type = 'Lock' and query = '{create}'"
    error: list[psycopg.Error] = []

    def application() -> None:
        try:
            with psycopg.connect(tables.url, autocommit=True) as other:
                while other.execute(waits.encode()).fetchone() is None:
                    time.sleep(0.02)
            connection.execute("lock table a in share row exclusive mode")
            connection.commit()
        except psycopg.Error as raised:
            error.append(raised)

    with psycopg.connect(tables.url, application_name="shop") as connection:
        connection.execute("update a set x = x + 1")
        thread = threading.Thread(target=application)
        thread.start()
        ran = tables.up()
        thread.join()

    assert error == []
    assert "postgres/0002 gave way after " in ran.out
    assert "(postgres, shop)" in ran.out
    assert tables.rows("select indisvalid from pg_index where indexrelid = to_regclass('i')") == [(True,)]
    assert tables.rows("select count(*) from pg_index where not indisvalid") == [(0,)]


def test_row_that_others_changed_is_tried_again(tables: Project) -> None:
    """Serialization failure: 40001."""
    statements = ["select count(*) from a", "select pg_sleep(1)", "update a set x = x + 10"]
    env = tables.root / "alembic" / "env.py"
    env.write_text(
        env.read_text().replace(
            "engine.connect()", 'engine.connect().execution_options(isolation_level="REPEATABLE READ")'
        )
    )
    tables.write("0002", "\n    ".join(f'op.execute("{each}")' for each in statements))
    read = "select 1 from pg_stat_activity where query = 'select pg_sleep(1)' and state = 'active'"

    def application() -> None:
        with psycopg.connect(tables.url, autocommit=True) as connection:
            while connection.execute(read.encode()).fetchone() is None:
                time.sleep(0.02)
            connection.execute("update a set x = x + 1")

    thread = threading.Thread(target=application)
    thread.start()
    tables.up()
    thread.join()

    assert tables.rows("select x from a") == [(12,)]
    assert [each["code"] for each in gave_way(tables)] == ["40001"]


def test_limits_of_the_head_go_before_those_of_the_environment(
    tables: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROVISION_POSTGRES__LOCK_TIMEOUT", "5s")
    monkeypatch.setenv("PROVISION_POSTGRES__RETRIES", "7")
    place = tables.write("0002", 'op.execute("alter table a add y int")')
    place.write_text(
        place.read_text().replace("\n\n\ndef upgrade", '\nlock_timeout = "100ms"\nretries = 2\n\n\ndef upgrade')
    )
    with psycopg.connect(tables.url, application_name="report") as connection:
        connection.execute("select count(*) from a")
        ran = tables.provision("up")

    assert ran.code == 5
    assert ran.out.count("postgres/0002 gave way after ") == 2
    assert "(2 of 2)" in ran.out
    assert "canceling statement due to lock timeout [55P03]" in ran.err
    assert "(postgres, report) in a transaction for " in ran.err
    assert len(gave_way(tables)) == 2


def test_statement_timeout_of_the_head_ends_a_statement_for_good(tables: Project) -> None:
    place = tables.write("0002", 'op.execute("select pg_sleep(30)")')
    place.write_text(place.read_text().replace("\n\n\ndef upgrade", '\nstatement_timeout = "200ms"\n\n\ndef upgrade'))

    ran = tables.provision("up")

    assert ran.code == 5
    assert "canceling statement due to statement timeout [57014]" in ran.err
    assert "gave way" not in ran.out


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('lock_timeout = "soon"', "error[bad-header]: lock_timeout is 'soon'"),
        ('lock_timeout = "0"', "error[bad-header]: lock_timeout is '0'"),
        ("retries = -1", "error[bad-header]: retries is '-1'"),
    ],
)
def test_limit_that_is_none_is_refused(tables: Project, line: str, said: str) -> None:
    place = tables.write("0002", "pass")
    place.write_text(place.read_text().replace("\n\n\ndef upgrade", f"\n{line}\n\n\ndef upgrade"))

    ran = tables.provision("up")

    assert ran.code == 2
    assert said in ran.err


def test_limit_of_a_variable_that_is_none_is_refused(tables: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROVISION_POSTGRES__RETRIES", "often")

    ran = tables.provision("up")

    assert ran.code == 2
    assert "error[bad-value]: retries of postgres is 'often'" in ran.err


@pytest.mark.parametrize("offline", [True, False])
def test_tables_of_a_further_attempt_are_locked_first_with_both_ends_of_keys_that_go(
    tables: Project, offline: bool
) -> None:
    """Dropping c needs a and b too, and b comes first in the text: all are taken in the order of their oids.

    Where env.py writes no SQL without a database, the statements that were sent say what is needed.
    """
    if offline:
        env = tables.root / "alembic" / "env.py"
        env.write_text(OFFLINE + "\n".join(f"    {line}" for line in env.read_text().split("\n")))
    with psycopg.connect(tables.url, autocommit=True) as connection:
        connection.execute("alter table a add primary key (x)")
        connection.execute("alter table b add primary key (x)")
        connection.execute("create table c (x int references a, y int references b)")
    tables.write("0002", 'op.execute("alter table b add y int")\n    op.execute("drop table c")')
    locked: list[tuple[str, ...]] = []
    over = threading.Event()

    def look() -> None:
        with psycopg.connect(tables.url, autocommit=True) as connection:
            while not over.is_set():
                rows = connection.execute(
                    "select query from pg_stat_activity where query like 'lock table%' and pid <> pg_backend_pid()"
                ).fetchall()
                locked.extend(row for row in rows if row not in locked)
                time.sleep(0.005)

    watcher = threading.Thread(target=look)
    with psycopg.connect(tables.url, application_name="report") as connection:
        connection.execute("select count(*) from a")
        connection.execute("select count(*) from b")
        watcher.start()

        def release() -> None:
            over.set()  # what is locked from here on is had at once: a look may or may not see it
            watcher.join()
            connection.rollback()

        released = threading.Timer(3.0, release)
        released.start()
        ran = tables.provision("up", "--allow-destructive")
        released.join()

    assert ran.code == 0, ran.out + ran.err
    assert (("lock table public.a in access exclusive mode",) in locked) is offline
    assert [each for (each,) in locked if "public.c" in each] == []  # a is waited for first
    assert tables.rows("select to_regclass('c')") == [(None,)]
    assert len(gave_way(tables)) >= 1


def test_locks_taken_first_are_let_go_while_another_one_is_waited_for(tables: Project) -> None:
    """Who waits for the first table holds the second: the revision does not have to begin again for that."""
    altering(tables)
    longest = 0.0
    over = threading.Event()

    def write() -> None:
        nonlocal longest
        with psycopg.connect(tables.url) as connection:
            while not over.is_set():
                began = time.monotonic()
                connection.execute("update b set x = x + 1")
                connection.execute("update a set x = x + 1")
                connection.commit()
                longest = max(longest, time.monotonic() - began)

    writers = [threading.Thread(target=write) for _ in range(3)]
    for each in writers:
        each.start()
    ran = tables.provision("up")
    over.set()
    for each in writers:
        each.join()

    assert ran.code == 0, ran.out + ran.err
    assert tables.rows("select count(*) from a where y is null") == [(1,)]
    assert longest < 3


@pytest.mark.parametrize("own_process", ["false", "true"])
def test_statement_that_takes_its_time_is_shown_until_it_is_over(
    tables: Project, monkeypatch: pytest.MonkeyPatch, own_process: str
) -> None:
    monkeypatch.setenv("PROVISION_POSTGRES__OWN_PROCESS", own_process)
    tables.write("0002", 'op.execute("select pg_sleep(2.5)")')
    live: list[str] = []

    def happened(event: object) -> None:
        if isinstance(event, Note) and event.live:
            live.append(event.text)

    Library.open(tables.root, env="test").up(on_event=happened)

    shown = [re.sub(r"\d+ s", "N s", each) for each in live]
    assert list(dict.fromkeys(shown)) == ["statement N s: select pg_sleep(2.5)", ""]
    assert live[-1] == ""
