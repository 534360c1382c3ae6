"""Files and ledgers that disagree are refused before anything runs."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import psycopg
import pytest

from provision.errors import UnreachableError
from provision.model import Owner
from provision.stores.clickhouse.work import ClickhouseStatements
from provision.stores.postgres.leases import PostgresLeases
from tests.cli.projects import document, edit, refused, revision, script, untouched
from tests.servers.command_line import Provision

MORE = "CREATE TABLE more (id UInt64) ENGINE = MergeTree ORDER BY id;\n"
STREAM = 'up:\n  - create_stream: {name: "small:x", group: readers, maxlen: 10, owner: web}\ndown: auto\n'


@pytest.fixture
def done(small: Path, provision: Provision) -> Path:
    """The project with everything applied."""
    assert provision("up").code == 0
    return small


def test_edited_revisions_are_all_named(done: Path, provision: Provision) -> None:
    edit(done / "alembic" / "versions" / "0002_orders.py", "account_id", "customer_id")
    edit(done / "clickhouse" / "001_events.sql", "UInt64", "UInt32")
    edit(done / "redis" / "0001_sign_ins.yaml", "100", "200")
    with untouched(done):
        ran = provision("up")
    refused(ran, 3, "FILL")


def test_only_looks_at_its_own_store(done: Path, provision: Provision) -> None:
    edit(done / "clickhouse" / "001_events.sql", "UInt64", "UInt32")
    with untouched(done):
        assert provision("up", "--only", "redis").code == 0
        assert provision("up", "--only", "clickhouse").code == 3


def test_edited_revision_where_that_is_no_error(done: Path, provision: Provision) -> None:
    edit(done / "provision.toml", "strict = true", "strict = false")
    edit(done / "alembic" / "versions" / "0002_orders.py", "account_id", "customer_id")
    with untouched(done):
        ran = provision("up")
    refused(ran, 0, "", "FILL")


def test_deleted_revisions(done: Path, provision: Provision) -> None:
    (done / "clickhouse" / "002_event_counts.sql").unlink()
    (done / "clickhouse" / "002_event_counts.down.sql").unlink()
    (done / "redis" / "0002_second_reader.yaml").unlink()
    script(done, "003_more", MORE)
    document(done, "0003_more", STREAM)
    with untouched(done):
        ran = provision("up")
    refused(ran, 3, "FILL")


def test_future_revision_is_a_warning(done: Path, provision: Provision) -> None:
    """An old checkout meets a newer database: `up` has nothing to do, `down` would pull the ground away."""
    for path in (done / "redis").glob("0002*"):
        path.unlink()
    with untouched(done):
        refused(provision("up"), 0, "", "FILL")
        refused(provision("down", "--steps", "1"), 3, "FILL", "FILL")


def test_out_of_order(done: Path, provision: Provision) -> None:
    script(done, "003_more", MORE, "DROP TABLE more;\n")
    assert provision("up").code == 0
    for name in ("0001_late", "0000_late"):
        document(done, name, STREAM.replace("small:x", f"small:{name}"))
    (done / "redis" / "0001_late.yaml").unlink()
    with untouched(done):
        ran = provision("up")
    refused(ran, 3, "FILL")
    ran = provision("up", "--out-of-order")
    refused(ran, 0, "", "FILL")


def test_dirty_revision(done: Path, provision: Provision, monkeypatch: pytest.MonkeyPatch) -> None:
    """The connection ends in an INSERT that nothing can look up: no run goes on, and `resolve` settles it."""
    script(done, "003_fill", "INSERT INTO event_counts SELECT today(), count() FROM events;\n")
    with monkeypatch.context() as patch:
        patch.setattr(ClickhouseStatements, "advance", _lost)
        assert provision("up").code == 5
    with untouched(done):
        for words in (("up",), ("plan",), ("down", "--all", "--allow-destructive")):
            print(words)
            refused(provision(*words), 3, "FILL", "FILL")
    assert provision("resolve", "clickhouse/003", "--applied").code == 0
    assert provision("up").code == 0


def _lost(*_given: object) -> None:
    raise UnreachableError("unreachable", "clickhouse does not answer: nothing listens there", where="127.0.0.1:1")


def test_lease_held(small: Path, provision: Provision) -> None:
    with psycopg.connect(os.environ["SMALL_POSTGRES"], autocommit=True) as connection:
        leases = PostgresLeases(connection, "small")
        leases.create()
        taken = leases.take("run", Owner("ci@runner-4", 4711, "", "provision up --env test", "81c07e5d3f"), 30, 0)
        with untouched(small):
            began = time.monotonic()
            ran = provision("up", "--wait", "0")
            assert time.monotonic() - began < 2
            refused(ran, 6, "FILL", "FILL")
            assert provision("status").code == provision("plan").code == 0
        leases.release("run", taken.token)
    assert provision("up").code == 0


def test_lease_held_in_json(small: Path, provision: Provision) -> None:
    with psycopg.connect(os.environ["SMALL_POSTGRES"], autocommit=True) as connection:
        leases = PostgresLeases(connection, "small")
        leases.create()
        leases.take("run", Owner("ci@runner-4", 4711), 30, 0)
        ran = provision("down", "--all", "--allow-destructive", "--wait", "200ms", "--output", "json")
    assert ran.code == 0, "nothing to revert needs no lease"
    with untouched(small):
        ran = provision("up", "--wait", "200ms", "--output", "json")
    found = json.loads(ran.out)
    assert (found["error"]["code"], found["exit"], ran.code) == ("lease-held", 6, 6)


def test_stale_plan(small: Path, provision: Provision) -> None:
    assert provision("plan", "--out", "plan.json").code == 0
    assert provision("up", "postgres/0001").code == 0
    edit(small / "redis" / "0001_sign_ins.yaml", "100", "200")
    script(small, "003_more", MORE)
    with untouched(small):
        ran = provision("up", "--plan", "plan.json")
    refused(ran, 3, "FILL", "FILL")
    assert provision("plan", "--out", "plan.json").code == 0
    assert provision("up", "--plan", "plan.json").code == 0


@pytest.mark.parametrize(
    ("text", "err"),
    [
        (None, "FILL"),
        ("", "FILL"),
        ("[]", "FILL"),
        ('{"format": 1}', "FILL"),
        ('{"format": 2}', "FILL"),
        ('{"format": 2, "environment": "test", "steps": [3], "digest": {}, "basis": {}}', "FILL"),
        ('{"format": 2, "environment": "test", "steps": [], "digest": 3, "basis": 4}', "FILL"),
        ('{"format": 2, "environment": "live", "steps": [], "digest": {}, "basis": {}}', "FILL"),
    ],
)
def test_plan_file_that_is_none(small: Path, provision: Provision, text: str | None, err: str) -> None:
    if text is not None:
        (small / "plan.json").write_text(text)
    with untouched(small):
        ran = provision("up", "--plan", "plan.json")
    refused(ran, 2, err, "small · test\n")


def test_plan_that_cannot_be_saved(small: Path, provision: Provision) -> None:
    with untouched(small):
        ran = provision("plan", "--out", "nowhere/plan.json")
    refused(ran, 2, "FILL", "FILL")


def test_targets_that_nobody_knows(small: Path, provision: Provision) -> None:
    with untouched(small):
        refused(provision("up", "postgres/2"), 2, "FILL", "FILL")
        refused(provision("down", "0001"), 2, "FILL", "FILL")
        refused(provision("up", "postgres/0009"), 2, "FILL", "FILL")


def test_revision_added_below_an_applied_one(done: Path, provision: Provision) -> None:
    """Alembic's own order is its graph: a branch may be late."""
    revision(done, "0004", "0003")
    assert provision("up").code == 0
