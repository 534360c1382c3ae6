"""A statement that the server stopped on the way is no refused one: part of it may be there."""

from __future__ import annotations

import os
from pathlib import Path

import clickhouse_connect
import pytest

from tests.cli.projects import script
from tests.servers.command_line import Provision

SLOW = (
    "CREATE TABLE slow (x UInt64) ENGINE = Log;\n"
    "INSERT INTO slow SELECT sleepEachRow(0.2) FROM numbers(50) SETTINGS max_execution_time = 1, max_block_size = 1;\n"
)


@pytest.fixture
def stopped(small: Path, provision: Provision) -> Path:
    script(small, "003_slow", SLOW)
    ran = provision("up", "--allow-destructive")
    assert ran.code == 5
    assert "it looks whether the statement took effect, of which a part may be there" in ran.err
    return small


def test_insert_stopped_on_the_way_is_dirty_and_not_sent_again(stopped: Path, provision: Provision) -> None:
    del stopped
    ran = provision("up")
    assert (ran.code, ran.err[:13]) == (3, "error[dirty]:"), ran.out + ran.err
    assert provision("resolve", "clickhouse/003", "--done-to", "2").code == 0
    assert provision("up").code == 0


def test_insert_that_the_log_says_ended_is_done(stopped: Path, provision: Provision) -> None:
    """A table stands for the log, which the embedded engine does not keep."""
    del stopped
    mark = (
        "provision/small/"
        + provision("history", "clickhouse/003", "-o", "json").out.split('"token": ')[1].split(",")[0]
    )
    with clickhouse_connect.get_client(dsn=os.environ["SMALL_CLICKHOUSE"]) as client:
        client.command(
            "CREATE TABLE system.query_log (type String, log_comment String, event_date Date, is_initial_query UInt8)"
            " ENGINE = Memory"
        )
        try:
            client.command(
                f"INSERT INTO system.query_log VALUES ('QueryFinish', '{mark}/clickhouse/003/2', today(), 1)"
            )
            ran = provision("up")
        finally:
            client.command("DROP TABLE system.query_log")
    assert ran.code == 0, ran.err
