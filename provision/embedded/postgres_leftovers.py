"""What a killed PostgreSQL server leaves: children that still run, and a pid file that may name a stranger."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from provision.embedded import process

NO_PROCESS = 2**22 + 1  # above Linux's highest pid: a pid file with it is stale for certain
PATIENCE_S = 10.0


def clear(data: Path) -> None:
    """End the children of a killed server of `data`, and make its pid file plainly stale.

    Called when no server of `data` runs. The pid file is kept, because its shared memory key lets the next server
    find out for itself whether anything still uses the data; only a pid that belongs to a stranger by now (the
    computer was restarted, the folder copied) is replaced, else that server would refuse to start.
    """
    _end_children(data)
    pid_file = data / "postmaster.pid"
    try:
        lines = pid_file.read_bytes().split(b"\n")
        taken = _exists(abs(int(lines[0])))
    except FileNotFoundError:
        return
    except ValueError:
        pid_file.unlink()
        return
    if taken:
        stat = pid_file.stat()
        lines[0] = str(NO_PROCESS).encode()
        pid_file.write_bytes(b"\n".join(lines))
        os.chown(pid_file, stat.st_uid, stat.st_gid)


def remove_socket(socket: Path) -> None:
    """Remove the socket file of a killed server and the lock beside it, which may name a stranger too."""
    socket.unlink(missing_ok=True)
    socket.with_name(f"{socket.name}.lock").unlink(missing_ok=True)


def _exists(pid: int) -> bool:
    """Say whether a pid is in use as PostgreSQL sees it: by a zombie too."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _end_children(data: Path) -> None:
    """Servers and their children work in the data folder: that tells them, not their name."""
    deadline = time.monotonic() + PATIENCE_S
    while (orphans := _working_in(data)) and time.monotonic() < deadline:
        for orphan in orphans:
            process.end(orphan, ((signal.SIGQUIT, 1.0),))


def _working_in(data: Path) -> list[process.Process]:
    try:
        wanted = data.stat()
        numbers = [int(name) for name in os.listdir("/proc") if name.isdigit()]
    except OSError:
        return []
    return [
        process.Process(number, mark)
        for number in numbers
        if (mark := process.mark_of(number)) is not None and _server_in(number, wanted)
    ]


def _server_in(pid: int, folder: os.stat_result) -> bool:
    """Whether it is a server that works there; one that ends while it is looked at is none."""
    try:
        here = os.path.samestat(os.stat(f"/proc/{pid}/cwd"), folder)
        return here and Path(os.readlink(f"/proc/{pid}/exe")).name.startswith("postgres")
    except OSError:
        return False
