"""One round: the traffic, a deploy beside it, and what both came to."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from tests.noon import traffic
from tests.noon.project import prepare, write

BIN = Path(sys.executable).parent
ROOT = Path(__file__).parents[2]
PROVISION = (str(BIN / "provision"), "up", "--env", "noon", "--allow-destructive")
ALEMBIC = (str(BIN / "alembic"), "upgrade", "head")
LIMIT = 600.0  # seconds for a deploy
SAMPLE = 0.01  # seconds between two looks at who waits
# Sessions of the application wait for a table only while somebody alters it.
_WAITING = """
select coalesce(max(extract(epoch from clock_timestamp() - l.waitstart)), 0)::float8
from pg_locks l join pg_stat_activity a using (pid)
where not l.granted and l.locktype = 'relation' and a.application_name = %s and a.datname = current_database()
"""


@dataclass(frozen=True, slots=True)
class Round:
    """`wait`: the longest time, in seconds, that a statement of the application waited for a table."""

    applied: int
    revisions: int
    seconds: float
    wait: float
    transactions: int
    errors: Mapping[str, int]
    gave_way: int
    said: str

    @property
    def unexpected(self) -> dict[str, int]:
        """Errors of the application that are not of a dropped column or table."""
        return {code: count for code, count in self.errors.items() if code not in traffic.DROPPED}


def deploy(url: str, folder: Path, command: Sequence[str]) -> Round:
    """One round in an empty database and an empty folder."""
    prepare(url)
    revisions = write(folder)
    with _traffic(url) as seen, _waits(url) as waits:
        began = time.monotonic()
        said, code = _ran(url, folder, command)
        seconds = time.monotonic() - began
    with psycopg.connect(url) as connection:
        there = connection.execute("select to_regclass('alembic_version')").fetchone() != (None,)
        row = connection.execute("select max(version_num)::int from alembic_version").fetchone() if there else None
    applied = int(row[0] or 0) if row else 0
    gave_way = said.count(" gave way after ")
    said = said if code or applied < revisions else ""
    return Round(applied, revisions, seconds, waits[0], seen["transactions"], seen["errors"], gave_way, said)


def _ran(url: str, folder: Path, command: Sequence[str]) -> tuple[str, int]:
    variables = {**os.environ, "NOON_URL": url}
    try:
        done = subprocess.run(
            command, cwd=folder, env=variables, capture_output=True, text=True, timeout=LIMIT, check=False
        )
    except subprocess.TimeoutExpired as error:
        return f"not done after {LIMIT:.0f} s: {error.stdout!r}", 1
    return done.stdout + done.stderr, done.returncode


@contextmanager
def _traffic(url: str) -> Iterator[dict]:
    """The application at work; what it saw is in the dictionary once the block has ended."""
    seen: dict = {}
    command = [sys.executable, "-m", "tests.noon.traffic", url]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n", "the traffic did not begin"
        time.sleep(1)
        try:
            yield seen
        finally:
            time.sleep(1)
            process.stdin.close()
            seen |= json.loads(process.stdout.read())


@contextmanager
def _waits(url: str) -> Iterator[list[float]]:
    """The longest wait that was seen, in its only place, once the block has ended."""
    over, longest = threading.Event(), [0.0]

    def look() -> None:
        with psycopg.connect(url, autocommit=True) as connection:
            while not over.wait(SAMPLE):
                row = connection.execute(_WAITING, (traffic.NAME,)).fetchone()
                longest[0] = max(longest[0], row[0] if row else 0.0)

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield longest
    finally:
        over.set()
        thread.join()
