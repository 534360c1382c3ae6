# ruff: noqa: E501 (whole messages stand here as they are printed)
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
from provision.stores.clickhouse.migrate.statements import ClickhouseStatements
from provision.stores.postgres.lease import PostgresLeases
from tests.cli.projects import document, edit, refused, revision, script, sealed, untouched
from tests.servers.command_line import Provision

MORE = "CREATE TABLE more (id UInt64) ENGINE = MergeTree ORDER BY id;\n"
STREAM = 'up:\n  - create_stream: {name: "small:x", group: readers, maxlen: 10, owner: web}\ndown: auto\n'


@pytest.fixture
def small(small: Path) -> Path:
    """The project without a step that loses data."""
    edit(small / "alembic" / "versions" / "0003_order_notes.py", "destructive = True\n", "")
    return small


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
    refused(
        ran,
        3,
        """\
error[revision-changed]: postgres/0002_orders was edited after it was applied
  where  alembic/versions/0002_orders.py; applied TIME UTC by SOMEBODY; checksum OLD is now NEW
  fix    restore the file from version control, or write a new revision that makes the change; `provision resolve postgres/0002 --accept-change` records an edit that changes nothing
error[revision-changed]: clickhouse/001_events was edited after it was applied
  where  clickhouse/001_events.sql; applied TIME UTC by SOMEBODY; checksum OLD is now NEW
  fix    restore the file from version control, or write a new revision that makes the change; `provision resolve clickhouse/001 --accept-change` records an edit that changes nothing
error[revision-changed]: redis/0001_sign_ins was edited after it was applied
  where  redis/0001_sign_ins.yaml; applied TIME UTC by SOMEBODY; checksum OLD is now NEW
  fix    restore the file from version control, or write a new revision that makes the change; `provision resolve redis/0001 --accept-change` records an edit that changes nothing
""",
        "small · test\n",
    )


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
    refused(
        ran,
        0,
        "",
        """\
small · test
  postgres    postgres VERSION  postgresql:///small_N  up to date
  clickhouse  clickhouse VERSION  clickhouse://HOST/small_N  up to date
  redis       redis VERSION  redis://HOST/0  up to date
  warning: alembic/versions/0002_orders.py was edited after it was applied
nothing to do
""",
    )


def test_deleted_revisions(done: Path, provision: Provision) -> None:
    (done / "clickhouse" / "002_event_counts.sql").unlink()
    (done / "clickhouse" / "002_event_counts.down.sql").unlink()
    (done / "redis" / "0002_second_reader.yaml").unlink()
    script(done, "003_more", MORE)
    document(done, "0003_more", STREAM)
    with untouched(done):
        ran = provision("up")
    refused(
        ran,
        3,
        """\
error[revision-unknown]: clickhouse/002 is applied, but no file has that id
  where  ledger of clickhouse; applied TIME UTC by SOMEBODY
  fix    restore the file, or `provision resolve clickhouse/002 --reverted` if it was undone by hand
error[revision-unknown]: redis/0002 is applied, but no file has that id
  where  ledger of redis; applied TIME UTC by SOMEBODY
  fix    restore the file, or `provision resolve redis/0002 --reverted` if it was undone by hand
""",
        "small · test\n",
    )


def test_future_revision_is_a_warning(done: Path, provision: Provision) -> None:
    """An old checkout meets a newer database: `up` has nothing to do, `down` would pull the ground away."""
    for path in (done / "redis").glob("0002*"):
        path.unlink()
    with untouched(done):
        refused(
            provision("up"),
            0,
            "",
            """\
small · test
  postgres    postgres VERSION  postgresql:///small_N  up to date
  clickhouse  clickhouse VERSION  clickhouse://HOST/small_N  up to date
  redis       redis VERSION  redis://HOST/0  up to date
  warning: redis/0002 is applied and newer than every file here
nothing to do
""",
        )
        refused(
            provision("down", "--steps", "1", "--only", "redis"),
            3,
            """\
error[revision-unknown]: redis/0002 is applied, but no file has that id
  where  ledger of redis; applied TIME UTC by SOMEBODY
  fix    restore the file, or `provision resolve redis/0002 --reverted` if it was undone by hand
""",
            "small · test\n",
        )


def test_out_of_order(done: Path, provision: Provision) -> None:
    script(done, "003_more", MORE, "DROP TABLE more;\n")
    assert provision("up").code == 0
    for name in ("0001_late", "0000_late"):
        document(done, name, STREAM.replace("small:x", f"small:{name}"))
    (done / "redis" / "0001_late.yaml").unlink()
    with untouched(done):
        ran = provision("up")
    refused(
        ran,
        3,
        """\
error[out-of-order]: redis/0000_late is pending, but redis/0002 after it is applied
  where  redis/0000_late.yaml
  fix    give the file the next free number, or run with --out-of-order if the order does not matter
""",
        "small · test\n",
    )
    ran = provision("up", "--out-of-order")
    refused(
        ran,
        0,
        "",
        """\
small · test
  postgres    postgres VERSION  postgresql:///small_N  up to date
  clickhouse  clickhouse VERSION  clickhouse://HOST/small_N  up to date
  redis       redis VERSION  redis://HOST/0  1 to apply
  ✓ redis/0000  late N ms
1 applied in N s
""",
    )


def test_dirty_revision(done: Path, provision: Provision, monkeypatch: pytest.MonkeyPatch) -> None:
    """The connection ends in an INSERT that nothing can look up: no run goes on, and `resolve` settles it."""
    script(done, "003_fill", "INSERT INTO event_counts SELECT today(), count() FROM events;\n")
    with monkeypatch.context() as patch:
        patch.setattr(ClickhouseStatements, "send", _lost)
        assert provision("up").code == 5
    with untouched(done):
        refused(
            provision("up"),
            3,
            """\
error[dirty]: clickhouse/003_fill stopped in statement 1 of 1, and what became of it is not certain
  where  clickhouse/003_fill.sql: insert into event_counts; whether rows arrived cannot be seen: the rows for small_N.event_counts come in no fixed order (ORDER BY ALL), so a second run could double them
  fix    look at the database; has statement 1 taken effect, `provision resolve clickhouse/003 --done-to 1`, else `provision resolve clickhouse/003 --pending`; then run the same command again
""",
            """\
small · test
  postgres    postgres VERSION  postgresql:///small_N  up to date
  clickhouse  clickhouse VERSION  clickhouse://HOST/small_N  1 to apply
  redis       redis VERSION  redis://HOST/0  up to date
""",
        )
        refused(
            provision("down", "--all", "--allow-destructive"),
            3,
            """\
error[half-applied]: clickhouse/003 is half applied: its statement 1 did not end
  where  ledger of clickhouse, begun by SOMEBODY
  fix    `provision up` finishes it; or settle it: `provision resolve clickhouse/003 --applied` (nothing more of it is sent) or `provision resolve clickhouse/003 --pending` (it begins again with statement 1)
""",
            "small · test\n",
        )
        refused(
            provision("status"),
            0,
            "",
            """\
small · test
  postgres    postgres VERSION  postgresql:///small_N  3 applied
  clickhouse  clickhouse VERSION  clickhouse://HOST/small_N  2 applied, 1 to apply
    ! clickhouse/003  started   fill
                      stopped in statement 1, TIME UTC, SOMEBODY
  redis       redis VERSION  redis://HOST/0  2 applied
next: provision up --env test
""",
        )
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
            refused(
                ran,
                6,
                """\
error[lease-held]: another run holds the run lock: ci@runner-4 (pid 4711, provision up --env test, 81c07e5d3f)
  where  lock run, token 1, since TIME UTC, expires in N s; waited 0 s
  fix    wait for it to end; if it is gone for good, the lock expires by itself, or `provision lock release`
""",
                "small · test\n",
            )
            assert provision("status").code == provision("plan").code == 0
        leases.release("run", taken.owner, taken.token)
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
    refused(
        ran,
        3,
        """\
error[stale-plan]: the plan was made from another state: postgres, clickhouse, redis changed since
  where  postgres/0001: pending when planned, applied now; clickhouse/003: had no file when planned, pending now; redis/0001: its file was edited
  fix    make the plan again: `provision plan --out FILE`
""",
        "small · test\n",
    )
    assert provision("plan", "--out", "plan.json").code == 0
    assert provision("up", "--plan", "plan.json").code == 0


@pytest.mark.parametrize(
    ("text", "err"),
    [
        (
            None,
            """\
error[plan-invalid]: plan.json is no saved plan: no such file or directory
  where  plan.json
  fix    make one: `provision plan --out FILE`
""",
        ),
        (
            "",
            """\
error[plan-invalid]: plan.json is no saved plan: it is not JSON
  where  plan.json
  fix    make one: `provision plan --out FILE`
""",
        ),
        (
            "[]",
            """\
error[plan-invalid]: plan.json is no saved plan: it holds something else
  where  plan.json
  fix    make one: `provision plan --out FILE`
""",
        ),
        (
            '{"format": 1}',
            """\
error[plan-invalid]: plan.json is no saved plan: format 1, this version reads format 3
  where  plan.json
  fix    make one: `provision plan --out FILE`
""",
        ),
        (
            sealed('{"format": 3}'),
            """\
error[plan-invalid]: plan.json is no saved plan: it has no 'project'
  where  plan.json
  fix    make one: `provision plan --out FILE`
""",
        ),
        (
            sealed(
                '{"format": 3, "project": "small", "environment": "test", "steps": [3], "held": {}, "digest": {}, "basis": {}}'
            ),
            """\
error[plan-invalid]: plan.json is no saved plan: it holds something else
  where  plan.json
  fix    make one: `provision plan --out FILE`
""",
        ),
        (
            sealed(
                '{"format": 3, "project": "small", "environment": "test", "steps": [], "held": {}, "digest": 3, "basis": 4}'
            ),
            """\
error[plan-invalid]: plan.json is no saved plan: it holds something else
  where  plan.json
  fix    make one: `provision plan --out FILE`
""",
        ),
        (
            sealed(
                '{"format": 3, "project": "small", "environment": "live", "steps": [], "held": {}, "digest": {}, "basis": {},'
                ' "objects": {}}'
            ),
            """\
error[plan-environment]: the plan was made for live, not for test
  where  plan.json
  fix    run with --env live, or make the plan again
""",
        ),
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
    refused(
        ran,
        2,
        """\
error[unwritable-file]: nowhere/plan.json cannot be written: no such file or directory
  where  nowhere/plan.json
  fix    name a file in a folder that exists and may be written
""",
        """\
small · test
  postgres    postgres VERSION  postgresql:///small_N
  clickhouse  clickhouse VERSION  clickhouse://HOST/small_N
  redis       redis VERSION  redis://HOST/0
    1  postgres/0001   Accounts
    2  clickhouse/001  events of orders
    3  redis/0001      Who signed in
    4  postgres/0002   Orders of accounts
    5  redis/0002      A second reader of the sign-ins
    6  postgres/0003   Notes on orders, read back while they are made
    7  clickhouse/002  events per day
7 to apply; run it: provision up --env test
""",
    )


def test_targets_that_nobody_knows(small: Path, provision: Provision) -> None:
    with untouched(small):
        refused(
            provision("up", "postgres/2"),
            2,
            """\
error[no-such-revision]: no revision is called postgres/2
  where  argument postgres/2
  fix    did you mean postgres/0002?
""",
            "small · test\n",
        )
        refused(
            provision("down", "0001"),
            2,
            """\
error[no-such-revision]: no revision is called 0001
  where  argument 0001
  fix    did you mean postgres/0001 or clickhouse/001 or redis/0001?
""",
            "small · test\n",
        )
        refused(
            provision("up", "postgres/0009"),
            2,
            """\
error[no-such-revision]: no revision is called postgres/0009
  where  argument postgres/0009
  fix    `provision status --all` lists the ids
""",
            "small · test\n",
        )


def test_revision_added_below_an_applied_one(done: Path, provision: Provision) -> None:
    """Alembic's own order is its graph: a branch may be late."""
    revision(done, "0004", "0003")
    assert provision("up").code == 0
