"""Which settings suit a machine: pure, and each with its reason."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from provision.model.tune import Disk, Machine

KB, MB, GB = 1 << 10, 1 << 20, 1 << 30
MOST_WORK_MEM = 64 * MB
CONNECTIONS = 200


class Wanted(NamedTuple):
    """A value as ALTER SYSTEM takes it, and why."""

    value: str
    why: str


def profile(machine: Machine, now: Mapping[str, float]) -> Mapping[str, Wanted]:
    """Setting → what it should be. Of `machine` everything must be known; `now` are numbers of the server, sizes in
    bytes: what others may rely on (connections, processes) is never made smaller.
    """
    memory, cores = machine.memory or 0, machine.cores or 1
    buffers = _whole(min(memory // 4, 16 * GB))
    connections = max(int(now.get("max_connections", 0)), CONNECTIONS if memory >= 8 * GB else 100)
    gather = max(1, min(4, cores // 2))
    workers = max(2, min(cores, 32))
    share = (memory - buffers) // (connections * (1 + gather))
    work = _whole(max(min(share, MOST_WORK_MEM), 64 * KB))
    processes = max(int(now.get("max_worker_processes", 0)), workers + 8)
    values = {
        "max_connections": str(connections),
        "shared_buffers": size(buffers),
        "effective_cache_size": size(_whole(memory * 3 // 4)),
        "work_mem": size(work),
        "maintenance_work_mem": size(_whole(min(memory // 16, 2 * GB))),
        "max_worker_processes": str(processes),
        "max_parallel_workers": str(workers),
        "max_parallel_workers_per_gather": str(gather),
        "parallel_tuple_cost": "0.1",
        "random_page_cost": "4" if machine.disk is Disk.HDD else "1.1",
        "seq_page_cost": "1",
        "default_statistics_target": "100",
        "wal_buffers": size(min(64 * MB, max(_whole(buffers // 32), MB))),
        "max_wal_size": size(8 * GB if memory >= 8 * GB else 2 * GB),
        "checkpoint_completion_target": "0.9",
    }
    return {name: Wanted(value, _WHY[name]) for name, value in values.items()}


_WHY: Mapping[str, str] = {
    "max_connections": "each costs memory: a pooler serves more clients than more of them do",
    "shared_buffers": "a quarter of the memory, 16 GB at most: the rest caches files",
    "effective_cache_size": "three quarters of the memory: what the planner counts on finding cached",
    "work_mem": "what is left of the memory, for every connection and its workers; SET LOCAL gives a batch more",
    "maintenance_work_mem": "a sixteenth of the memory, 2 GB at most: indexes are built quicker",
    "max_worker_processes": "parallel workers, and 8 for pg_cron, replication and others",
    "max_parallel_workers": "one a core",
    "max_parallel_workers_per_gather": "half of the cores, 4 at most: others want some too",
    "parallel_tuple_cost": "as PostgreSQL has it",
    "random_page_cost": "an ssd finds a page as quickly anywhere; a disk that turns seeks",
    "seq_page_cost": "as PostgreSQL has it: the others are measured by it",
    "default_statistics_target": "as PostgreSQL has it; ALTER TABLE … SET STATISTICS for what needs more",
    "wal_buffers": "a thirty-second of shared_buffers, 64 MB at most",
    "max_wal_size": "checkpoints are further apart: random keys write a third of the log that they do with 1 GB",
    "checkpoint_completion_target": "a checkpoint is spread over the time to the next one",
}


def danger(machine: Machine, values: Mapping[str, float]) -> str:
    """Why these numbers, sizes in bytes, are together more than the machine has; empty where they are not."""
    memory = machine.memory
    if memory is None:
        return ""
    buffers = values["shared_buffers"]
    if buffers > memory * 0.7:
        return f"shared_buffers {_told(buffers)} of {_told(memory)} memory leaves too little for anything else"
    connections, gather = int(values["max_connections"]), int(values["max_parallel_workers_per_gather"])
    product = int(values["work_mem"]) * connections * (1 + gather)
    if product + buffers > memory:
        words = f"work_mem {_told(values['work_mem'])} × {connections} connections × {1 + gather} processes each"
        return f"{words} = {_told(product)}, beside shared_buffers {_told(buffers)}, of {_told(memory)} memory"
    return ""


def size(count: int) -> str:
    """As ALTER SYSTEM takes it: the largest unit in which it is whole, `2GB`; else rounded down to MB, or to kB."""
    for unit, name in ((GB, "GB"), (MB, "MB"), (KB, "kB")):
        if count >= unit and count % unit == 0:
            return f"{count // unit}{name}"
    return f"{count // MB}MB" if count >= 8 * MB else f"{count // KB}kB"


def _whole(count: int) -> int:
    """Rounded down, to 256 MB, 1 MB or 64 kB: nobody reads 2013265920."""
    step = 256 * MB if count >= 2 * GB else MB if count >= 4 * MB else 64 * KB
    return max(count // step * step, 64 * KB)


def _told(count: float) -> str:
    """As people read it: `37.5GB`."""
    unit, name = (GB, "GB") if count >= GB else (MB, "MB") if count >= MB else (KB, "kB")
    return f"{count / unit:.1f}".removesuffix(".0") + name
