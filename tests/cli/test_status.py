"""`status`: one line a store, what is not plainly applied, and what to do next."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import asdict
from pathlib import Path

import psycopg
import pytest

from provision.model import Owner
from provision.stores.postgres.lease import PostgresLeases
from tests.expected import Expected
from tests.servers.command_line import Provision

EMPTY = """\
small · test
  postgres    postgres 18.4    postgresql:///small_N  3 to apply
    · postgres/0001   pending   Accounts
    · postgres/0002   pending   Orders of accounts
    · postgres/0003   pending   Notes on orders, read back while they are made
  clickhouse  clickhouse 26.9  clickhouse://HOST/small_N  2 to apply
    · clickhouse/001  pending   events of orders
    · clickhouse/002  pending   events per day
  redis       redis 6.2.14     redis://HOST/0  2 to apply
    · redis/0001      pending   Who signed in
    · redis/0002      pending   A second reader of the sign-ins
next: provision up --env test
"""
COMPLETE = """\
small · test
  postgres    postgres 18.4    postgresql:///small_N  3 applied
  clickhouse  clickhouse 26.9  clickhouse://HOST/small_N  2 applied
  redis       redis 6.2.14     redis://HOST/0  2 applied
everything is applied
"""
ABSENT = """\
small · local
  redis  embedded, not made yet  .provision/redis  2 to apply
    · redis/0001  pending   Who signed in
    · redis/0002  pending   A second reader of the sign-ins
next: provision up --env local
"""
FUTURE = """\
small · test
  postgres  postgres 18.4  postgresql:///small_N  3 applied
    ! postgres/0003  applied
                     applied, but no file has that id
                     newer than every file here
everything is applied
"""
OUTSIDE = """\
small · test
  postgres  postgres 18.4  postgresql:///small_N  1 applied, 2 to apply
    ! postgres/0002  reverted  Orders of accounts
                     reverted by another tool, `up` will record it
    · postgres/0003  pending   Notes on orders, read back while they are made
next: provision up --env test
"""
FAILED = """\
small · test
  clickhouse  clickhouse 26.9  clickhouse://HOST/small_N  2 to apply
    ✗ clickhouse/001  failed    events of orders
                      at statement 2: Table small_N.nowhere does not exist. (UNKNOWN_TABLE)
    · clickhouse/002  pending   events per day
next: provision up --env test
"""


@pytest.mark.usefixtures("small")
def test_status_empty_databases_lists_all_and_writes_nothing(provision: Provision) -> None:
    assert provision("status") == (0, EMPTY, "")
    with psycopg.connect(os.environ["SMALL_POSTGRES"]) as connection:
        assert connection.execute("SELECT nspname FROM pg_namespace WHERE nspname = 'provision'").fetchall() == []
        assert connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall() == []


@pytest.mark.usefixtures("small")
def test_status_complete_is_one_line_a_store(provision: Provision) -> None:
    assert provision("up", "--allow-destructive").code == 0
    assert provision("status", "--check") == (0, COMPLETE, "")


@pytest.mark.usefixtures("small")
def test_status_all_lists_what_is_applied(provision: Provision) -> None:
    provision("up", "redis/0001")
    ran = provision("status", "--all", "--only", "redis")
    assert ran.out.splitlines()[2:4] == [
        "    ✓ redis/0001  applied   TIME UTC N ms  Who signed in",
        "    · redis/0002  pending   A second reader of the sign-ins",
    ]


@pytest.mark.usefixtures("small")
def test_status_check_with_pending_exits_1(provision: Provision) -> None:
    assert provision("status", "--check", "--only", "redis").code == 1


def test_status_engine_not_made_is_absent_and_stays_unmade(files: Path, provision: Provision) -> None:
    assert provision("status", "--env", "local", "--only", "redis") == (0, ABSENT, "")
    assert not (files / ".provision").exists()


@pytest.mark.usefixtures("files")
def test_status_json_absent_has_the_documented_shape(provision: Provision) -> None:
    ran = provision("status", "--env", "local", "--output", "json")
    document = json.loads(ran.out)
    assert (ran.code, list(document), document["project"], document["environment"]) == (
        0,
        ["project", "environment", "stores"],
        "small",
        "local",
    )
    redis = document["stores"][2]
    assert redis.pop("revisions")[0] == {
        "id": "redis/0001",
        "state": "pending",
        "flags": [],
        "description": "Who signed in",
        "draft": False,
        "applied_at": None,
        "duration_ms": None,
        "checksum": "3d41069fc94203db8c35b837d646a569d98d5b4be2d195812a0964796fcaedd0",
    }
    assert redis == {
        "store": "redis",
        "kind": "redis",
        "engine": "embedded",
        "state": "absent",
        "applied": 0,
        "pending": 2,
        "heads": ["redis/0002"],
    }


@pytest.mark.usefixtures("small")
def test_status_json_applied_says_when_and_how_long(provision: Provision) -> None:
    provision("up", "redis/0001")
    first = json.loads(provision("status", "--output", "json").out)["stores"][2]["revisions"][0]
    assert (first["state"], first["flags"], first["applied_at"], first["duration_ms"]) == ("applied", [], "TIMEZ", 0)


@pytest.mark.usefixtures("small")
def test_status_unreachable_store_shows_the_others_and_exits_4(
    provision: Provision, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMALL_POSTGRES", "postgresql://nobody@127.0.0.1:1/small")
    ran = provision("status")
    assert ran.code == 4
    assert ran.out.splitlines()[1].startswith("  postgres    unreachable")
    assert "    · clickhouse/001  pending   events of orders" in ran.out.splitlines()
    assert "    · redis/0001      pending   Who signed in" in ran.out.splitlines()
    assert ran.err.startswith("error[unreachable]: postgres does not answer: ")
    states = [each["state"] for each in json.loads(provision("status", "-o", "json").out)["stores"]]
    assert states == ["unreachable", "ready", "ready"]


@pytest.mark.usefixtures("small")
def test_status_off_and_not_named_are_said(provision: Provision, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROVISION_REDIS__URL", "off")
    assert provision("status").out.splitlines()[-2] == "  redis       off"


def test_status_edited_file_is_changed(small: Path, provision: Provision) -> None:
    provision("up", "clickhouse/001")
    file = small / "clickhouse" / "001_events.sql"
    file.write_text(file.read_text() + "-- edited\n")
    lines = provision("status", "--only", "clickhouse").out.splitlines()
    assert lines[2:4] == [
        "    ! clickhouse/001  applied   events of orders",
        "                      edited after it was applied",
    ]
    assert lines[-1] == (
        "next: restore the file of clickhouse/001, or provision resolve clickhouse/001 --accept-change --env test"
    )


def test_status_newer_database_is_future(small: Path, provision: Provision) -> None:
    provision("up", "--allow-destructive")
    (small / "alembic" / "versions" / "0003_order_notes.py").unlink()
    assert provision("status", "--only", "postgres") == (0, FUTURE, "")


@pytest.mark.usefixtures("small")
def test_status_reverted_by_alembic_is_reverted_outside(provision: Provision) -> None:
    provision("up", "postgres/0002")
    _stamp("0001")
    assert provision("status", "--only", "postgres") == (0, OUTSIDE, "")


@pytest.mark.usefixtures("small")
def test_status_applied_by_alembic_is_applied_outside(provision: Provision) -> None:
    provision("up", "postgres/0001")
    _stamp("0002")
    postgres = json.loads(provision("status", "-o", "json").out)["stores"][0]
    second = postgres["revisions"][1]
    assert (second["state"], second["flags"], second["applied_at"]) == ("applied", ["applied_outside"], None)


def test_status_failed_names_the_statement(small: Path, provision: Provision) -> None:
    _break(small)
    provision("up", "clickhouse/001")
    ran = provision("status", "--only", "clickhouse")
    assert (ran.code, _without_version(ran.out)) == (0, FAILED)


def test_status_begun_by_the_running_holder_is_not_dirty(small: Path, provision: Provision) -> None:
    _break(small)
    provision("up", "clickhouse/001")
    with psycopg.connect(os.environ["SMALL_POSTGRES"], autocommit=True) as connection:
        owner = Owner("dba@db1", 4711, command="provision up")
        # The lease of the run that failed, as if it still went on.
        connection.execute(
            "UPDATE provision.lease SET owner = %s::jsonb, expires_at = now() + interval '1 hour'", (_json(owner),)
        )
        assert PostgresLeases(connection, "small").read("run") is not None
        lines = provision("status", "--only", "clickhouse").out.splitlines()
        flags = json.loads(provision("status", "-o", "json").out)["stores"][1]["revisions"][0]["flags"]
    assert lines[2:4] == [
        "    ✗ clickhouse/001  failed    events of orders",
        "                      in progress: statement 2",
    ]
    assert lines[-2:] == ["a run goes on: dba@db1 (pid 4711, provision up)", "next: wait for that run"]
    assert flags == []


def test_status_waiting_for_a_backfill_is_held(small: Path, provision: Provision) -> None:
    file = small / "redis" / "0002_second_reader.yaml"
    file.write_text(file.read_text().replace("[clickhouse/001]", "[backfill/orders]"))
    (small / "backfills").mkdir()
    (small / "backfills" / "orders.yaml").write_text(
        "store: redis\npattern: orders:*\nttl: 1h\nrequires: [redis/0002]\n"
    )
    provision("up", "--allow-destructive")
    ran = provision("status", "--only", "redis", "--check")
    assert (ran.code, ran.out.splitlines()[1:]) == (
        1,
        [
            "  redis  redis 6.2.14  redis://HOST/0  1 applied, 1 blocked",
            "    … redis/0002  blocked   A second reader of the sign-ins",
            "                  waits for backfill/orders",
            "next: provision backfill run orders --env test",
        ],
    )
    assert json.loads(provision("status", "-o", "json").out)["stores"][2]["revisions"][1]["state"] == "held"


@pytest.mark.usefixtures("small")
def test_status_github_annotates_what_is_not_applied(provision: Provision) -> None:
    assert provision("status", "--only", "redis", "-o", "github").out.splitlines()[-2:] == [
        "::warning file=redis/0001_sign_ins.yaml,title=pending::redis/0001 is pending",
        "::warning file=redis/0002_second_reader.yaml,title=pending::redis/0002 is pending",
    ]


@pytest.mark.usefixtures("files")
def test_status_environment_not_named_while_piped_is_refused(expected: Expected, provision: Provision) -> None:
    ran = provision("status")
    assert (ran.code, ran.out) == (2, "")
    expected(ran.err)


@pytest.mark.usefixtures("files")
def test_status_unknown_store_is_refused(expected: Expected, provision: Provision) -> None:
    ran = provision("status", "--env", "local", "--only", "mongo")
    assert (ran.code, ran.out) == (2, "")
    expected(ran.err)


def test_status_store_without_revisions_says_so(small: Path, provision: Provision) -> None:
    shutil.rmtree(small / "redis")
    assert provision("status", "--only", "redis").out.splitlines()[1].endswith("no revisions")


def _stamp(number: str) -> None:
    with psycopg.connect(os.environ["SMALL_POSTGRES"]) as connection:
        connection.execute("UPDATE alembic_version SET version_num = %s", (number,))


def _break(small: Path) -> None:
    file = small / "clickhouse" / "001_events.sql"
    file.write_text(file.read_text() + "INSERT INTO nowhere VALUES (1);\n")


def _json(owner: Owner) -> str:
    return json.dumps(asdict(owner))


def _without_version(text: str) -> str:
    """The server's message without what its transport adds."""
    return "\n".join(line.split(" (version")[0] for line in text.split("\n"))
