"""Faults of a run on real servers: what is printed is done, and the next `up` brings all to its end."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
import redis

from provision.model import Owner, schema
from provision.net import guard
from provision.stores.clickhouse.migrate.statements import ClickhouseStatements
from provision.stores.postgres.lease import PostgresLeases
from tests.backfill.project import until
from tests.cli.projects import edit, revision, script
from tests.fixes.following import commands, failed, fix_of
from tests.servers.command_line import Provision
from tests.several.conftest import Make
from tests.silent.hostile import hostile

ENV = ("--env", "test")
UP = ("up", *ENV, "--allow-destructive")
DBA = Owner("dba@db1", 4711, "", "provision up -e test", "", "")
CONNECTED = 'url = context.config.get_main_option("sqlalchemy.url")\n    assert'


@pytest.fixture
def project(small: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Nothing is applied; every command has to name the environment itself."""
    monkeypatch.delenv("PROVISION_ENV")
    return small


def complete(provision: Provision) -> None:
    """The same command again ends well, and nothing is left to do or to settle."""
    ran = provision(*UP)
    assert ran.code == 0, ran.err
    assert provision("status", "--check", *ENV).code == 0


def column(names: str) -> list[Any]:
    with psycopg.connect(os.environ["SMALL_POSTGRES"]) as connection:
        return [row[0] for row in connection.execute(names.encode()).fetchall()]


def configured(root: Path, keywords: str) -> None:
    edit(root / "alembic" / "env.py", "connection=connection", f"connection=connection, {keywords}")


def told(root: Path, line: str) -> None:
    edit(root / "provision.toml", "strict = true\n", f"strict = true\n{line}\n")


@pytest.mark.parametrize("way", ["provision.toml", "env.py"])
def test_wrong_version_table_is_named_alike_in_both(project: Path, provision: Provision, way: str) -> None:
    configured(project, 'version_table="a" + "b"')
    told(project, 'version_table = "ac"')
    fix = fix_of(failed("wrong-version-table", provision(*UP)))

    line, given = re.findall(r"write (version_table = \"ab\") in provision.toml, or pass (version_table='ac') to", fix)[
        0
    ]
    if way == "env.py":
        edit(project / "alembic" / "env.py", 'version_table="a" + "b"', given)
    else:
        edit(project / "provision.toml", 'version_table = "ac"', line)
    complete(provision)
    assert column("select version_num from a" + ("b" if way == "provision.toml" else "c")) == ["0003"]


def test_version_table_that_is_computed_is_written_down(project: Path, provision: Provision) -> None:
    configured(project, 'version_table="a" + "b"')
    fix = fix_of(failed("version-table-computed", provision(*UP)))

    [line] = re.findall(r'add (version_table = "…") to \[stores.postgres\]', fix)
    told(project, line.replace("…", "ab"))
    complete(provision)
    assert column("select version_num from ab") == ["0003"]


def test_wrong_database_is_the_one_of_the_option(project: Path, provision: Provision) -> None:
    elsewhere = urlunsplit(urlsplit(os.environ["SMALL_POSTGRES"])._replace(path="/postgres"))
    env = project / "alembic" / "env.py"
    before = env.read_text()
    at = before.rindex("url = context.config")
    line = before[at:].splitlines()[0]
    env.write_text(before[:at] + before[at:].replace(line, f"url = {elsewhere.replace('ql:', 'ql+psycopg:')!r}", 1))
    fix = fix_of(failed("wrong-database", provision(*UP)))

    [taken] = re.findall(r"let env.py take (config\.get_main_option\(\"sqlalchemy\.url\"\))", fix)
    env.write_text(before[:at] + before[at:].replace(line, f"url = context.{taken}", 1))
    complete(provision)


ONCE = """import os, pathlib
mark = pathlib.Path({mark!r})
if not mark.exists():
    mark.touch()
    os.kill(os.getpid(), 9)"""


def test_process_that_ended_is_run_again(several: Make, tmp_path: Path) -> None:
    """Once, as when somebody ends it by hand."""
    made = several(2)
    made.revision("a", 1)
    made.revision("b", 1, ONCE.format(mark=str(tmp_path / "ended")))
    ended = made.run("up")

    assert ended.err.startswith("error[process-ended]: the process that ran the revisions of b was ended by SIGKILL")
    assert "  fix    run the same command again: it finds out what became of the last statement" in ended.err
    made.up()


@pytest.mark.usefixtures("project")
def test_newer_schema_is_known_to_the_release_that_wrote_it(
    provision: Provision, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert provision("up", "postgres/0001", *ENV).code == 0
    with monkeypatch.context() as later:
        later.setattr(schema, "SCHEMA", schema.SCHEMA + 1)
        assert provision("up", "postgres/0002", *ENV).code == 0
    fix = fix_of(failed("newer-schema", provision(*UP)))

    assert fix == "install the release that wrote it, or a later one"
    monkeypatch.setattr(schema, "SCHEMA", schema.SCHEMA + 1)
    complete(provision)


@pytest.mark.usefixtures("project")
def test_lock_that_moved_is_looked_at_again(provision: Provision) -> None:
    """The run that held it ends, and another takes it, while we ask."""
    ask = PostgresLeases.ask_back

    def asked(leases: PostgresLeases, *given: Any) -> bool:
        leases.release("run", DBA, 1)
        leases.take("run", Owner("anna@db1", 4712, "", "provision up", "", ""), 60.4, 1)
        return ask(leases, *given)

    with (
        psycopg.connect(os.environ["SMALL_POSTGRES"], autocommit=True) as connection,
        pytest.MonkeyPatch.context() as patch,
    ):
        leases = PostgresLeases(connection, "small")
        leases.create()
        leases.take("run", DBA, 60.4, 0)
        patch.setattr(PostgresLeases, "ask_back", asked)
        [printed] = commands(failed("lease-moved", provision("lock", "release", "--yes", *ENV)))

    shown = provision(*printed)
    assert (shown.code, shown.out.splitlines()[0]) == (0, "held by  anna@db1, pid 4712")


def test_lock_that_was_lost_is_taken_by_the_next_run(
    project: Path, provision: Provision, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody asks for it back while a statement is on its way."""
    monkeypatch.setenv("PROVISION_PROJECT__LEASE", "1s")
    send = ClickhouseStatements.send

    def sent(statements: ClickhouseStatements, *given: Any) -> object:
        patch.setattr(ClickhouseStatements, "send", send)
        told = subprocess.run(
            [sys.executable, "-m", "provision.cli.main", "lock", "release", "--yes", *ENV], check=True
        )
        assert told.returncode == 0
        time.sleep(1.2)
        return send(statements, *given)

    script(project, "003_more", "CREATE TABLE more (x UInt64) ENGINE = Log;\nINSERT INTO more VALUES (1);\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ClickhouseStatements, "send", sent)
        ran = provision(*UP)
    [printed] = commands(failed("lease-lost", ran))

    assert provision(*printed).code == 0
    complete(provision)


@pytest.mark.usefixtures("project")
def test_defect_is_followed_by_status_and_up(provision: Provision) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("of the test")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ClickhouseStatements, "send", broken)
        [printed] = commands(failed("unexpected", provision(*UP)))

    assert provision(*printed).code == 0
    complete(provision)


@pytest.fixture
def full() -> Iterator[Callable[[str], None]]:
    """Sets how much memory the Redis may take; none is a limit when the test ends."""
    with redis.Redis.from_url(os.environ["SMALL_REDIS"]) as client:
        yield lambda size: client.config_set("maxmemory", size)
        client.config_set("maxmemory", "0")


@pytest.mark.usefixtures("project")
def test_server_that_refuses_takes_it_when_the_cause_is_gone(provision: Provision, full: Callable[[str], None]) -> None:
    full("1")
    ran = provision(*UP)
    assert re.match(r"error\[(server-refused|statement-refused|statement-failed)\]: ", ran.err), ran.err
    fix = fix_of(failed("server-refused", ran))

    assert fix == "see to the cause, run again"
    full("0")
    complete(provision)


@pytest.mark.usefixtures("project")
def test_answer_without_an_end_comes_from_another_server(provision: Provision, monkeypatch: pytest.MonkeyPatch) -> None:
    right = os.environ["SMALL_CLICKHOUSE"]
    with hostile() as server:
        monkeypatch.setattr(guard, "LARGEST", 4 << 20)
        monkeypatch.setenv("SMALL_CLICKHOUSE", f"clickhouse://me@127.0.0.1:{server.port}/small")
        fix = fix_of(failed("answer-too-large", provision(*UP)))

    assert fix.startswith("see what answers at that url")
    monkeypatch.setenv("SMALL_CLICKHOUSE", right)
    complete(provision)


def test_interrupted_is_finished_by_the_same_command(project: Path, provision: Provision) -> None:
    revision(project, "0004", "0003", "op.execute('select pg_sleep(1.5)')")
    command = [sys.executable, "-m", "provision.cli.main", *UP]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as started:
        asleep = "select count(*) from pg_stat_activity where query like '%pg_sleep%' and pid <> pg_backend_pid()"
        until(lambda: column(asleep) != [0])
        started.send_signal(signal.SIGINT)
        _, err = started.communicate(timeout=60)

    assert started.returncode == 5, err
    assert "run the same command again: it goes on where this one stopped" in err
    complete(provision)


def test_history_that_is_lost_is_granted_or_left_out(
    project: Path, provision: Provision, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`history-lost` is said as a note beside what the checks found."""
    (project / "checks").mkdir()
    (project / "checks" / "s.yaml").write_text(
        "store: postgres\ntable: accounts\nchecks:\n  - {name: named, not_null: name}\n"
    )
    assert provision(*UP).code == 0
    owner = os.environ["SMALL_POSTGRES"]
    name = f"reader_{urlsplit(owner).path.strip('/')}"
    with psycopg.connect(owner, autocommit=True) as connection:
        connection.execute("insert into accounts values (1, 'anna')")
        connection.execute(f"create role {name} login".encode())
        connection.execute(f"grant select on all tables in schema public to {name}".encode())
        assert provision("validate", *ENV).code == 0
        monkeypatch.setenv("SMALL_POSTGRES", owner.replace("postgres@", f"{name}@", 1))
        lost = provision("validate", *ENV)
        without = provision("validate", *ENV, "--no-history")
        connection.execute(f"grant usage on schema provision to {name}".encode())
        connection.execute(f"grant all on all tables in schema provision to {name}".encode())
        granted = provision("validate", *ENV)
        connection.execute(f"drop owned by {name}; drop role {name}".encode())

    assert "permission denied" in lost.out + lost.err
    assert (without.code, "permission denied" in without.out + without.err) == (0, False)
    assert (granted.code, "permission denied" in granted.out + granted.err) == (0, False)
