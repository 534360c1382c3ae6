"""Processes told apart for certain: by pid, start time and the folder they serve, never by name."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from provision.process import passed_on

NAME = "pid"


@dataclass(frozen=True, slots=True)
class Process:
    """A running engine process; `mark` is when it started, so a reused pid is not taken for it."""

    pid: int
    mark: str

    def __str__(self) -> str:
        return f"{self.pid} {self.mark}"


def mark_of(pid: int) -> str | None:
    """Return when process `pid` started, in the system's own notation; None when it has ended (zombies have).

    One whose first thread alone is a zombie still listens: the others hold its sockets until they have ended too.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return None if os.path.exists("/proc/self/stat") else _mark_by_ps(pid)
    parts = stat[stat.rindex(b")") + 2 :].split()
    ended = parts[0] in (b"Z", b"X") and int(parts[17]) <= 1  # threads
    return None if ended else parts[19].decode()


def _mark_by_ps(pid: int) -> str | None:
    command = ["ps", "-o", "stat=,lstart=", "-p", str(pid)]
    answer = subprocess.run(command, capture_output=True, text=True, check=False, env=passed_on())
    state, _, started = answer.stdout.strip().partition(" ")
    return None if not state or state.startswith("Z") else "-".join(started.split())


def identity(folder: Path) -> str:
    """Return what tells `folder` from a copy of it, or from a new folder at the same path. Raises OSError."""
    stat = folder.stat()
    return f"{stat.st_dev}:{stat.st_ino}"


def running(folder: Path) -> Process | None:
    """Return the engine that serves `folder`; None when none does."""
    try:
        pid, mark, served = (folder / NAME).read_text("ascii").split()
        if served == identity(folder) and mark_of(int(pid)) == mark:
            return Process(int(pid), mark)
    except (OSError, ValueError):
        return None
    return None


def end(process: Process, steps: Sequence[tuple[signal.Signals, float]]) -> bool:
    """Send each signal in turn until the process has ended, waiting the seconds beside it; then kill it.

    False when it runs all the same. Raises OSError when the process belongs to another user.
    """
    for number, patience_s in (*steps, (signal.SIGKILL, 10.0)):
        if mark_of(process.pid) != process.mark or not _signal(process, number):
            return True
        if _ended(process, patience_s):
            return True
    return False


def _signal(process: Process, number: signal.Signals) -> bool:
    try:
        os.kill(process.pid, number)
    except ProcessLookupError:
        return False
    return True


def _ended(process: Process, patience_s: float) -> bool:
    deadline = time.monotonic() + patience_s
    try:
        descriptor = os.pidfd_open(process.pid)
    except (AttributeError, OSError):
        descriptor = -1
    try:
        while mark_of(process.pid) == process.mark:
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            if descriptor >= 0:
                select.select([descriptor], [], [], left)
            else:
                time.sleep(0.01)
        return True
    finally:
        if descriptor >= 0:
            os.close(descriptor)
