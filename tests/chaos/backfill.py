"""python -m tests.chaos.backfill [--rows N] [--kills N] [--seed S] [--order key|physical] [--workers N] [--joiners N]

Kills a backfill at random instants and starts it again each time, while other processes join it and are killed too, and
while someone writes to the table. Then every row is as the reference says, filled exactly once, and what was there
before, or was written meanwhile, is untouched, and the ledger is legal. Exit code 0 when all of that holds, else 1.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psycopg

from tests.chaos import backfill_ground as ground
from tests.servers import databases

# Of one that came when the run was over, or not yet taken up again.
_TOO_LATE = "error[nothing-to-join]"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a campaign came to; `wrong` is empty when all is well."""

    kills: int
    at_work: int  # of these, killed while rows were left and after the first batch of their process
    helpers: int  # that were killed
    wrote: int  # by others meanwhile
    seconds: float
    wrong: str = ""


class Campaign:
    """One backfill of one table, from the first kill to the run that is let live."""

    def __init__(self, url: str, place: Path, seed: int, workers: int, joiners: int) -> None:
        self._place, self._chance, self._joiners = place, random.Random(seed), joiners
        self._environment = {**os.environ, "PYTHONPATH": str(ground.ROOT), "CHAOS_POSTGRES": url}
        self._run = ["backfill", "run", "fill", "--env", "test"]
        self._workers = ["--workers", str(workers)]
        self._helpers: list[subprocess.Popen[str]] = []
        self.at_work = self.helpers = 0
        self.wrong = ""

    def turn(self, connection: ground.Database, goal: int, *, idle: bool) -> None:
        """Start the run and kill it: once so many rows are filled, or with `idle` anywhere after its start."""
        leader = self._start(*self._workers)
        before = ground.filled(connection)
        if idle:
            time.sleep(self._chance.uniform(0.0, 1.2))
        else:
            self._until(connection, leader, before)
            self._join()
            self._until(connection, leader, goal)
            # Anywhere in a batch, its commit, or what is between two of them.
            time.sleep(self._chance.uniform(0.0, 0.15))
        # A helper dies before its leader, after it, or lives on beside the next leader.
        fate = self._chance.choice(["before", "after", "lives on"])
        if fate == "before":
            self._kill_helpers()
        killed = self._kill(leader)
        self.at_work += killed and not idle and ground.filled(connection) > before
        if fate == "after":
            self._kill_helpers()

    def end(self) -> None:
        """Let a last run live, with one who helps."""
        self._kill_helpers()
        leader = self._start(*self._workers)
        self._join()
        for each in (leader, *self._helpers):
            self._ended(each)

    def illegal(self) -> str:
        """What no correct run could have written into the ledger; empty when all is legal."""
        line = [sys.executable, str(ground.ROOT / "cli.py"), "ledger", "verify", "--env", "test"]
        ran = subprocess.run(line, cwd=self._place, env=self._environment, capture_output=True, text=True, check=False)
        return f"ledger verify: {ran.returncode}: {ran.stdout}{ran.stderr}" if ran.returncode else ""

    def _start(self, *more: str) -> subprocess.Popen[str]:
        line = [sys.executable, str(ground.ROOT / "cli.py"), *self._run, *more]
        return subprocess.Popen(
            line, cwd=self._place, env=self._environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )

    def _join(self) -> None:
        for each in [each for each in self._helpers if each.poll() is not None]:
            self._ended(each)
            self._helpers.remove(each)
        while len(self._helpers) < self._joiners:
            self._helpers.append(self._start("--join"))

    def _until(self, connection: ground.Database, leader: subprocess.Popen[str], rows: int) -> None:
        while leader.poll() is None and ground.filled(connection) <= rows:
            time.sleep(0.005)

    def _kill_helpers(self) -> None:
        for each in self._helpers:
            self.helpers += self._kill(each)
        self._helpers.clear()

    def _kill(self, started: subprocess.Popen[str]) -> bool:
        """SIGKILL; False for one that had ended by itself, which it may do only in a good way."""
        alive = started.poll() is None
        if alive:
            os.kill(started.pid, signal.SIGKILL)
        self._ended(started)
        return started.returncode == -signal.SIGKILL

    def _ended(self, started: subprocess.Popen[str]) -> None:
        _, said = started.communicate()
        if started.returncode not in (0, -signal.SIGKILL) and _TOO_LATE not in said:
            self.wrong = self.wrong or f"a process ended by itself with {started.returncode}: {said}"


def campaign(
    url: str, place: Path, rows: int, kills: int, seed: int, *, order: str = "key", workers: int = 1, joiners: int = 1,
    said: Callable[[str], None] = print,
) -> Outcome:  # fmt: skip
    """Sow, kill so many times, let one run end, compare."""
    began = time.monotonic()
    ground.lay_out(place, order)
    played = Campaign(url, place, seed, workers, joiners)
    with psycopg.connect(url, autocommit=True) as connection:
        ground.sow(connection, rows)
        with ground.Writer(url, seed) as writer:
            for n in range(kills):
                done, chance = ground.filled(connection), random.Random(f"{seed}/{n}")
                share = ground.left(connection) / (kills - n + 1)
                played.turn(connection, round(done + share * chance.uniform(0.0, 2.0)), idle=n % 10 == 9)
                said(f"kill {n + 1}: {ground.filled(connection):,} rows")
        played.end()
        lost = f"the writer was refused: {writer.error}" if writer.error is not None else ""
        wrong = played.wrong or lost or ground.wrong(connection) or played.illegal()
    seconds = time.monotonic() - began
    return Outcome(kills, played.at_work, played.helpers, writer.wrote, seconds, wrong)


def main() -> int:
    """Play one campaign and print what it came to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--order", choices=["key", "physical"], default="key")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--joiners", type=int, default=1)
    asked = parser.parse_args()
    place = Path(tempfile.mkdtemp(prefix="provision-backfill-"))
    crew = {"order": asked.order, "workers": asked.workers, "joiners": asked.joiners}
    try:
        with databases.embedded_url("postgres") as url:
            told = campaign(url, place, asked.rows, asked.kills, asked.seed, **crew)
    finally:
        shutil.rmtree(place)
    print(
        f"{asked.rows:,} rows, {told.kills} kills ({told.at_work} of them at work), {told.helpers} helpers killed,"
        f" {told.wrote:,} writes of others meanwhile, {told.seconds:.0f} s"
    )
    print(told.wrong or "every row is filled once, as the reference says; what was there is untouched")
    return 1 if told.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
