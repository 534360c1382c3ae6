"""What a server tells of its machine: it reads the files of Linux for who may let it (pg_read_server_files)."""

from __future__ import annotations

import re

import psycopg

from provision.model.tune import Disk, Machine
from provision.stores.postgres.server import Connection

_MOST = 1_000_000  # bytes of a file


def machine(connection: Connection) -> Machine:
    """Each part None where it cannot be told: another system, no right, a disk behind a network."""
    return Machine(_memory(connection), _cores(connection), _disk(connection))


def _memory(connection: Connection) -> int | None:
    match = re.search(r"^MemTotal:\s+(\d+) kB", _file(connection, "/proc/meminfo"), re.MULTILINE)
    if match is None:
        return None
    limit = _file(connection, "/sys/fs/cgroup/memory.max").strip()
    whole = int(match[1]) * 1024
    return min(whole, int(limit)) if limit.isdigit() else whole


def _cores(connection: Connection) -> int | None:
    count = len(re.findall(r"^processor\s*:", _file(connection, "/proc/cpuinfo"), re.MULTILINE))
    if not count:
        return None
    quota, _, period = _file(connection, "/sys/fs/cgroup/cpu.max").strip().partition(" ")
    return max(1, min(count, int(quota) // int(period))) if quota.isdigit() and period.isdigit() else count


def _disk(connection: Connection) -> Disk | None:
    """That of the file system of the data directory, by the longest mount point above it."""
    row = connection.execute("select setting from pg_settings where name = 'data_directory'").fetchone()
    folder = f"{row[0]}/" if row and row[0] else ""
    best, device = "", ""
    for line in _file(connection, "/proc/self/mountinfo").splitlines():
        fields = line.split(" ")
        place = fields[4].rstrip("/") + "/"
        if folder.startswith(place) and len(place) >= len(best):
            best, device = place, fields[2]
    if not device:
        return None
    for queue in ("queue", "../queue"):  # of a disk, and of a partition of one
        turns = _file(connection, f"/sys/dev/block/{device}/{queue}/rotational").strip()
        if turns == "0":
            return Disk.SSD
        if turns == "1":  # disks of virtual machines say so too, whatever is below them
            named = re.search(r"^DEVNAME=(.*)$", _file(connection, f"/sys/dev/block/{device}/uevent"), re.MULTILINE)
            return Disk.HDD if named is not None and named[1].startswith("sd") else None
    return None


def _file(connection: Connection, path: str) -> str:
    """What the server reads there; empty where there is nothing, or nothing for us."""
    try:
        # Files of /proc have no size: how much to read has to be said.
        row = connection.execute("select pg_read_file(%s, 0, %s)", (path, _MOST)).fetchone()
    except psycopg.Error:
        if connection.closed:
            raise
        return ""
    return str(row[0]) if row else ""
