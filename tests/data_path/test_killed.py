"""A process that is killed in the middle of a batch."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from tests.data_path.conftest import FEATURE, Site

ROOT = Path(__file__).parents[2]
ROWS = 3000
PROGRAM = """
import asyncio, sys
from datetime import datetime, timedelta
from uuid import UUID
from vfr_data.database import Database
from vfr_data.features import FeatureRow, FeatureStore

async def main(url, now, feature, count):
    at = datetime.fromisoformat(now)
    rows = [FeatureRow("AAPL", at - timedelta(seconds=n), UUID(feature), n) for n in range(int(count))]
    async with Database(url) as database:
        print("ready", flush=True)
        await FeatureStore(database).store_batch(rows)

asyncio.run(main(*sys.argv[1:]))
"""
# The server has seen that the killed process is gone.
OTHERS = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"


@pytest.mark.parametrize("after", [0.0, 0.02, 0.05, 0.1, 0.2])
def test_a_batch_of_a_killed_process_is_stored_whole_or_not_at_all(
    site: Site, sql: psycopg.Connection, after: float
) -> None:
    command = [sys.executable, "-c", PROGRAM, site.postgres, site.now.isoformat(), str(FEATURE), str(ROWS)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        time.sleep(after)
        process.kill()
    deadline = time.monotonic() + 60
    while sql.execute(OTHERS).fetchone() != (0,):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert sql.execute("SELECT count(*) FROM ml_feature_store").fetchone() in [(0,), (ROWS,)]
