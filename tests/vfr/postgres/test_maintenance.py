"""The shipped maintain.yaml: its jobs can be done on the schema as it is at the head."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from provision import settings
from provision.kinds import build
from provision.model import StoreOptions
from provision.model.maintain import Job
from provision.stores.postgres.store import PostgresStore
from provision.wiring import maintain

ROOT = Path(__file__).parents[3]
JOBS = {each.name: each for each in maintain.read(settings.load(ROOT))}


@pytest.fixture
def store(head: psycopg.Connection, tmp_path: Path) -> Iterator[PostgresStore]:
    info = head.info
    made = build(StoreOptions("postgres", "postgres", "vfr", tmp_path, tmp_path))
    assert isinstance(made, PostgresStore)
    made.open(f"postgresql://{info.user}@/{info.dbname}?host={info.host}&port={info.port}")
    yield made
    made.close()


def test_every_kind_of_upkeep_has_a_job() -> None:
    kinds = {each.kind for each in JOBS.values()}
    assert kinds == {"refresh", "call", "analyze", "reindex", "partitions", "trim"}
    assert str(JOBS["refresh_daily_features"].schedule.pace) == "hour"


@pytest.mark.parametrize(
    "name", [name for name, each in JOBS.items() if each.kind in ("refresh", "call", "analyze", "reindex")]
)
def test_a_shipped_job_is_done(store: PostgresStore, name: str) -> None:
    job: Job = JOBS[name]
    tasks = store.upkeep.tasks(job)
    assert len(tasks) >= (0 if job.kind == "reindex" else len(job.body))
    for task in tasks:
        store.upkeep.carry_out(job, task, lambda _: None, 10)
