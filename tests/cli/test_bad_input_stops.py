"""Ctrl-C, SIGTERM, and streams that are closed, full or left: real processes, no traceback, the right exit code."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from tests.cli.projects import hidden, revision, untouched
from tests.servers.command_line import Provision, masked

COMMAND = [sys.executable, "-m", "provision.cli.main"]
SLEEPS = "op.execute('SELECT pg_sleep({})')\n    op.execute('CREATE TABLE slept (id int)')"
_ASLEEP = "select count(*) from pg_stat_activity where query like 'SELECT pg_sleep%' and datname = current_database()"


@contextmanager
def started(*words: str) -> Iterator[subprocess.Popen[str]]:
    """A `provision` of its own; ended with the block, whatever it does."""
    process = subprocess.Popen(
        [*COMMAND, *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.fixture
def sleepy(small: Path, request: pytest.FixtureRequest) -> Path:
    """A project whose revision postgres/0004 sleeps for `param` seconds in its first statement of two."""
    edited = small / "alembic" / "versions" / "0003_order_notes.py"
    edited.write_text(edited.read_text().replace("destructive = True\n", ""))
    revision(small, "0004", "0003", SLEEPS.format(request.param))
    return small


def asleep() -> None:
    """Return once the server sleeps."""
    deadline = time.monotonic() + 40
    with psycopg.connect(os.environ["SMALL_POSTGRES"], autocommit=True) as connection:
        while connection.execute(_ASLEEP).fetchone() == (0,):
            assert time.monotonic() < deadline
            time.sleep(0.02)


@pytest.mark.parametrize("sleepy", [1], indirect=True)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
@pytest.mark.usefixtures("sleepy")
def test_one_signal_stops_after_the_current_statement(number: signal.Signals, provision: Provision) -> None:
    with started("up", "--only", "postgres") as process:
        asleep()
        process.send_signal(number)
        out, err = process.communicate(timeout=40)
    assert (
        masked(err)
        == f"""\
stopping after the current statement; once more stops now
error[interrupted]: stopped by {number.name}
  fix    run the same command again: it goes on where this one stopped
"""
    )
    assert hidden(masked(out)).splitlines()[-4:] == [
        "  ✓ postgres/0003  Notes on orders, read back while they are made N ms",
        "  ✗ postgres/0004  Written 0004",
        "3 applied in N s",
        "remaining: postgres/0004",
    ]
    assert process.returncode == 5
    again = provision("up", "--only", "postgres")
    assert (again.code, again.err) == (0, "")


@pytest.mark.parametrize("sleepy", [60], indirect=True)
@pytest.mark.usefixtures("sleepy")
def test_two_signals_stop_at_once() -> None:
    with started("up", "--only", "postgres") as process:
        asleep()
        process.send_signal(signal.SIGINT)
        assert process.stderr is not None
        assert process.stderr.readline() == "stopping after the current statement; once more stops now\n"
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=10)
    assert err == "stopped now; a statement may still run on its server: run the same command again\n"
    assert process.returncode == 5


@pytest.mark.parametrize("words", [("up",), ("up", "-o", "json")], ids=" ".join)
def test_signal_while_another_run_is_waited_for(small: Path, words: tuple[str, ...]) -> None:
    with psycopg.connect(os.environ["SMALL_POSTGRES"], autocommit=True) as connection:
        _held(connection)
        with untouched(small), started(*words, "--allow-destructive") as process:
            stream = process.stderr if "json" in words else process.stdout
            assert stream is not None
            while "waits for the run of ci@runner-4" not in (line := stream.readline()):
                assert line
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=40)
    assert process.returncode == 5
    if "json" in words:
        assert json.loads(out)["error"]["what"] == "stopped by SIGINT"
    else:
        assert (
            err
            == """\
error[interrupted]: stopped by SIGINT
  fix    run the same command again: it goes on where this one stopped
"""
        )


def _held(connection: psycopg.Connection[object]) -> None:
    from provision.model import Owner
    from provision.stores.postgres.lease import PostgresLeases

    leases = PostgresLeases(connection, "small")  # type: ignore[arg-type]  # any connection will do here
    leases.create()
    leases.take("run", Owner("ci@runner-4", 4711), 60, 0)


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize(
    ("line", "code", "out", "err"),
    [
        ("{} graph | head -1", 0, "small\n", ""),
        ("{} graph >&-", 0, "", ""),
        ("{} graph <&- | head -1", 0, "small\n", ""),
        ("{} graph >&- 2>&- <&-", 0, "", ""),
        ("{} up -e tset 2>&- <&-", 2, "", ""),
        (
            "{} graph > /dev/full",
            5,
            "",
            "error[output-lost]: the output could not be written: no space left on device\n"
            "  where  standard output\n"
            "  fix    free some space, or send the output elsewhere\n",
        ),
        ("PYTHONIOENCODING=ascii {} plan --offline | head -1", 0, "small ? offline, as if nothing was applied\n", ""),
    ],
    ids=["reader left", "stdout closed", "stdin closed", "all closed", "error unread", "stdout full", "ascii"],
)
def test_streams(line: str, code: int, out: str, err: str) -> None:
    command = f"set -o pipefail; {line.format(' '.join(COMMAND))}"
    ran = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False, timeout=60)
    assert (ran.stdout, ran.stderr, ran.returncode) == (out, err, code)


@pytest.mark.usefixtures("small")
def test_reader_leaves_a_run(provision: Provision) -> None:
    """The run goes on to its end, and its exit code is its own."""
    command = f"set -o pipefail; {' '.join(COMMAND)} up --allow-destructive | head -1"
    ran = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False, timeout=60)
    assert (ran.stdout, ran.stderr, ran.returncode) == ("small · test\n", "", 0)
    assert provision("status", "--check").code == 0
