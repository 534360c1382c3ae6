"""What is computed for a machine suits it, and never promises more memory than there is."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from provision.model.tune import Disk, Machine
from provision.stores.postgres.tune.profile import GB, MB, danger, profile, size
from provision.stores.postgres.tune.settings import _number

MEMORY = st.integers(512 * MB, 4096 * GB)


def numbers(found: dict[str, str]) -> dict[str, float]:
    units = {"shared_buffers": "8kB", "work_mem": "kB"}
    return {name: _number(value, units.get(name, ""), name) for name, value in found.items() if name in _LOOKED}


_LOOKED = ("shared_buffers", "work_mem", "max_connections", "max_parallel_workers_per_gather")


@settings(deadline=None)
@given(MEMORY, st.integers(1, 512), st.sampled_from(Disk), st.integers(1, 500))
def test_a_profile_is_never_dangerous(memory: int, cores: int, disk: Disk, connections: int) -> None:
    machine = Machine(memory, cores, disk)
    found = {name: each.value for name, each in profile(machine, {"max_connections": connections}).items()}

    assert danger(machine, numbers(found)) == ""
    assert int(found["max_connections"]) >= connections
    assert int(found["max_worker_processes"]) >= int(found["max_parallel_workers"])
    assert int(found["max_parallel_workers"]) >= int(found["max_parallel_workers_per_gather"])


def test_the_seeds_own_values_are_dangerous_on_the_machine_they_were_meant_for() -> None:
    seed = {
        "max_connections": 200,
        "shared_buffers": 2 * GB,
        "work_mem": 256 * MB,
        "max_parallel_workers_per_gather": 4,
    }
    assert danger(Machine(8 * GB, 8, Disk.SSD), seed) == (
        "work_mem 256MB × 200 connections × 5 processes each = 250GB, beside shared_buffers 2GB, of 8GB memory"
    )


def test_a_machine_of_eight_gigabytes_gets_what_the_seed_gets_right() -> None:
    found = {name: each.value for name, each in profile(Machine(8 * GB, 8, Disk.SSD), {}).items()}
    assert found == {
        "max_connections": "200",
        "shared_buffers": "2GB",
        "effective_cache_size": "6GB",
        "work_mem": "6MB",
        "maintenance_work_mem": "512MB",
        "max_worker_processes": "16",
        "max_parallel_workers": "8",
        "max_parallel_workers_per_gather": "4",
        "parallel_tuple_cost": "0.1",
        "random_page_cost": "1.1",
        "seq_page_cost": "1",
        "default_statistics_target": "100",
        "wal_buffers": "64MB",
        "max_wal_size": "8GB",
        "checkpoint_completion_target": "0.9",
    }


@given(st.integers(1 << 16, 1 << 45))
def test_a_size_is_read_back_as_no_more_than_it_was(count: int) -> None:
    read = _number(size(count), "kB", "")
    assert 0.88 * count <= read <= count
