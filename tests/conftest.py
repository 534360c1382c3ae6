"""Every suite may ask for a server by name."""

from __future__ import annotations

import gc
from collections.abc import Sequence
from functools import cache
from itertools import combinations
from pathlib import Path

import pytest
from _pytest.mark.expression import Expression

pytest_plugins = ["tests.servers.plugin", "tests.expected"]

ASKED_FOR = ("containers", "adoption")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """The containers and the adopted projects run where they are asked for: they may fetch gigabytes.

    The tests of a package in fixtures/ run where that is installed.
    """
    return (
        (
            collection_path.name in ASKED_FOR
            and not any(collection_path.name in Path(each).parts for each in config.args)
        )
        or collection_path.name == "fixtures"
        or (collection_path.suffix == ".py" and not _wanted(collection_path, config.option.markexpr))
        or None
    )


# Killed runs and servers, frozen holders, full disks, large inputs, paces in real time: see docs/testing.md.
FAULTS = (
    "backfill/test_arango_edges_stopped.py",
    "backfill/test_disk.py",
    "backfill/test_distance.py",
    "backfill/test_enemies.py",
    "backfill/test_killed.py",
    "backfill/test_locked.py",
    "backfill/test_patience.py",
    "backfill/test_rate.py",
    "backfill/test_signals.py",
    "backfill/test_signals_clickhouse.py",
    "concurrency",
    "contract/test_crashes.py",
    "data_path/test_killed.py",
    "data_path/test_load.py",
    "embedded/test_engine_faults.py",
    "embedded/test_engine_life.py",
    "embedded/test_engine_processes.py",
    "noon",
    "proof/test_shares.py",
    "several/test_killed.py",
    "servers/test_plugin.py",
    "silent",
    "stores/postgres/test_convert_large.py",
    "stores/postgres/test_hindrances.py",
    "stores/postgres/test_index_locks.py",
    "stores/postgres/test_locks.py",
    "stores/postgres/test_pg_cron_runs.py",
    "stores/postgres/test_ten_years.py",
    "stores/redis/test_redis_crash.py",
    "stores/redis/test_redis_durable.py",
    "stores/weaviate/test_lost.py",
    "stores/weaviate/test_replace_killed.py",
)
# Of any file, by the names of their functions.
NAMED = {
    "faults": ("ctrl_c", "five_megabytes", "does_not_grow", "killed_again", "goes_away", "_and_before_its_cursor_"),
    "vfr": ("shipped",),
}
SHIPPED = ("vfr",)
DATA = (
    "backfill",
    "corpus",
    "data_path",
    "fixes/test_of_backfills.py",
    "stores/weaviate/test_copy_grpc.py",
    "stores/weaviate/test_replace.py",
    "validate",
)
# Several stores at once, those of other packages, and the library that programs move them with.
SEVERAL = ("library", "seventh", "several", "testing")
# What a schema becomes in time: windows, upkeep, and whether it is what the files say.
SCHEMA = (
    "cli/test_drift_accepted.py",
    "cli/test_plan_files.py",
    "cli/test_stats.py",
    "cli/test_up_windows.py",
    "cli/test_verify.py",
    "stores/arango/test_live.py",
    "stores/clickhouse/test_clickhouse_partitions.py",
    "stores/clickhouse/test_clickhouse_snapshot.py",
    "stores/influx/test_influx_partitions.py",
    "stores/influx/test_snapshot.py",
    "stores/postgres/test_convert.py",
    "stores/postgres/test_export.py",
    "stores/postgres/test_maintain.py",
    "stores/postgres/test_merge.py",
    "stores/postgres/test_partitions.py",
    "stores/postgres/test_partitions_divided.py",
    "stores/postgres/test_partitions_refused.py",
    "stores/postgres/test_partman.py",
    "stores/postgres/test_pg_cron.py",
    "stores/postgres/test_tune.py",
    "stores/weaviate/test_live.py",
    "stores/weaviate/test_snapshot.py",
)
SYSTEM = ("system", "containers")
GENERATED = ("generate",)


STEPS = {
    place: name
    for name, places in {
        "faults": FAULTS,
        "system": SYSTEM,
        "generated": GENERATED,
        "vfr": SHIPPED,
        "data": DATA,
        "several": SEVERAL,
        "schema": SCHEMA,
    }.items()
    for place in places
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Say of each test which step of CI it belongs to."""
    for item in items:
        for name in _steps(item.path):
            item.add_marker(name)
        named = f"{item.path.name} {getattr(item, 'originalname', item.name)}"
        for name, words in NAMED.items():
            if any(word in named for word in words):
                item.add_marker(name)


@cache
def _steps(file: Path) -> Sequence[str]:
    """Of all tests of the file: thousands of tests are of some hundred files."""
    within = file.relative_to(Path(__file__).parent)
    return [STEPS[str(each)] for each in (within, *within.parents) if str(each) in STEPS]


def _wanted(file: Path, expression: str) -> bool:
    """Whether a test of the file can be of the steps of `-m`: what none can be of is not even imported."""
    if not expression:
        return True
    sure, text = set(_steps(file)), file.name + file.read_text(encoding="utf-8")
    named = [name for name, words in NAMED.items() if any(word in text for word in words)]
    wanted = Expression.compile(expression)
    some = (sure.union(each) for size in range(len(named) + 1) for each in combinations(named, size))
    return any(wanted.evaluate(each.__contains__) for each in some)


def pytest_collection_finish() -> None:
    """Thousands of collected tests live to the end: no collection of garbage need walk over them again.

    A frozen object refers to nothing that `gc.get_referrers` sees: Hypothesis before 6.136 takes that for a fault.
    """
    gc.collect()
    gc.freeze()
