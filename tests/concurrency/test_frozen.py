"""A holder that freezes past the end of its lease while another run takes over."""

from __future__ import annotations

import signal

from tests.concurrency.conftest import Rows
from tests.concurrency.project import Small
from tests.concurrency.test_lease import APPLIED, CREATE, SLEEPING, SLOW

INSERT = "INSERT INTO effects SELECT {} FROM (SELECT sleepEachRow(1) FROM numbers({}));\n"
TABLE = "CREATE TABLE effects (step UInt8) ENGINE = MergeTree ORDER BY step;\n"


def test_frozen_holder_sends_nothing_more_and_lands_no_applied(small: Small, rows: Rows) -> None:
    small.revisions(CREATE, SLOW.format("0002", 1.5), SLOW.format("0003", 0))
    holder = small.start("up", lease="1s")
    holder.until(lambda: bool(rows(SLEEPING)), "the holder's slow statement")
    holder.send(signal.SIGSTOP)

    second = small.run("up", "--wait", "4s", lease="1s")
    after = rows(APPLIED)
    holder.send(signal.SIGCONT)
    first = holder.end()

    assert second.code == 0, second.err
    assert first.code == 5, first.out
    assert rows(APPLIED) == after
    assert after == [("postgres/0001", 1), ("postgres/0002", 2), ("postgres/0003", 2)]
    assert rows("select revision from effects order by 1") == [("0002",), ("0003",)]
    assert not rows("select 1 from provision.ledger where token = 1 and kind <> 'applied'")


def test_frozen_holder_in_clickhouse_writes_neither_ledger_nor_peer(both: Small, found: Rows) -> None:
    (both.folder / "clickhouse/001_effects.sql").write_text(TABLE)
    (both.folder / "clickhouse/002_slow.sql").write_text("SELECT sleepEachRow(1) FROM numbers(2);\n")
    (both.folder / "clickhouse/003_last.sql").write_text("ALTER TABLE effects ADD COLUMN note String;\n")
    holder = both.start("up", lease="1s")
    running = "SELECT 1 FROM system.processes WHERE Settings['log_comment'] LIKE 'provision/small/1/clickhouse/002%'"
    holder.until(lambda: bool(found(running)), "the holder's slow statement")
    holder.send(signal.SIGSTOP)
    holder.until(lambda: not found(running), "the end of the slow statement")

    second = both.run("up", "--wait", "10s", lease="1s")
    ledger = "SELECT token, n, revision, kind FROM provision_ledger ORDER BY token, n"
    after = found(ledger)
    holder.send(signal.SIGCONT)
    first = holder.end()

    assert (second.code, first.code) == (0, 5), second.err + first.err
    assert "error[lease-lost]" in first.err
    assert found(ledger) == after
    assert found("SELECT version, count() FROM schema_versions GROUP BY version ORDER BY version") == [
        (1, 1),
        (2, 1),
        (3, 1),
    ]
