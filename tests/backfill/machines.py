"""PostgreSQL 15 with a replica, and file systems of a few megabytes."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shlex import join
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.servers import databases


class Replica(databases.Postgres15):
    """A standby of another server, which says once a second how far it has replayed."""

    def __init__(self, of: str) -> None:
        super().__init__()
        query = parse_qs(urlsplit(of).query)
        self._of = ["--host", query["host"][0], "--port", query["port"][0], "--username", "postgres"]

    def command(self, program: str) -> tuple[list[str], dict[str, str]]:
        argv, variables = super().command(program)
        copy = [str(databases.DEBIAN_15 / "pg_basebackup"), *self._of, "--pgdata", "data", "--write-recovery-conf"]
        copy += ["--checkpoint", "fast", "--no-sync"]
        serve = argv[-1].partition(" >/dev/null && ")[2]
        script = f"[ -s data/PG_VERSION ] || {join(copy)} && {serve} -c wal_receiver_status_interval=1"
        return [*argv[:-1], script], variables


@contextmanager
def receiver(of: str, place: Path) -> Iterator[None]:
    """pg_receivewal at work, as archives of WAL use it: it replays nothing."""
    query = parse_qs(urlsplit(of).query)
    program = str(databases.DEBIAN_15 / "pg_receivewal")
    words = ["--host", query["host"][0], "--port", query["port"][0], "--username", "postgres", "--directory"]
    started = subprocess.Popen([program, *words, str(place), "--status-interval", "1"], stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        started.terminate()
        started.wait(20)


@contextmanager
def small_disk(megabytes: int) -> Iterator[Path]:
    """A file system in memory of so many megabytes, that of the servers' user. Skips where it cannot be mounted."""
    if os.getuid() != 0:
        pytest.skip("not run: only root may mount a file system")
    place = Path(tempfile.mkdtemp(prefix="provision-disk-"))
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(place)])
    if done.returncode:
        place.rmdir()
        pytest.skip("not run: this machine mounts no tmpfs")
    try:
        shutil.chown(place, "postgres", "postgres")
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)
        place.rmdir()


def leave(place: Path, kilobytes: int) -> None:
    """Make a small file system a larger or smaller one, while it is in use: so much of it is free then."""
    size = shutil.disk_usage(place).used // 1024 + kilobytes
    subprocess.run(["mount", "-o", f"remount,size={size}k", str(place)], check=True)


def fill_up(place: Path, free: int) -> None:
    """Write to the file `filler` until so many bytes are left on a small file system."""
    with (place / "filler").open("wb") as file:
        while (room := shutil.disk_usage(place).free) > free:
            file.write(bytes(min(room - free, 1 << 20)))
            file.flush()
