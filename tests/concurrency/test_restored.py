"""A store restored from a copy that was taken half-way, the others ahead of it."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from provision.embedded import engine
from tests.chaos import pictures
from tests.concurrency.project import Small

KINDS = ("postgres", "clickhouse", "redis")
STREAM = """description: a stream
up:
  - create_stream: {{name: "small:{0}", maxlen: 10, group: readers, owner: tests, description: a stream}}
down: auto
"""
HALF = ("postgres/0002", "clickhouse/002", "redis/0001")


@pytest.fixture
def mixed(tmp_path: Path) -> Iterator[Small]:
    """A project over three embedded engines, half of it applied and copied, then all of it applied."""
    made = Small(tmp_path, dict.fromkeys(KINDS))
    creates = [f'op.execute("create table step_{number} (id int)")' for number in range(1, 5)]
    made.revisions(*creates, requires={4: "clickhouse/003"})
    for number in range(1, 5):
        text = f"CREATE TABLE step_{number} (id UInt8) ENGINE = MergeTree ORDER BY id;\n"
        head = "-- requires: postgres/0002\n" if number == 2 else ""
        (tmp_path / f"clickhouse/{number:03d}_step.sql").write_text(head + text)
    for number in (1, 2):
        (tmp_path / f"redis/{number:04d}_step.yaml").write_text(STREAM.format(number))
    try:
        for arguments in (("up", *HALF), ("up",)):
            ended = made.run(*arguments)
            assert ended.code == 0, ended.err
            if arguments != ("up",):
                _copy(made)
        yield made
    finally:
        for run in made.runs:
            run.clear()
        for kind in KINDS:
            engine(kind, kind, tmp_path / ".provision").reset()


def _copy(small: Small) -> None:
    for kind in KINDS:
        made = engine(kind, kind, small.folder / ".provision")
        made.stop()
        subprocess.run(["cp", "-a", made.status().path, small.folder / f"copy-{kind}"], check=True)


def _restore(small: Small, kind: str) -> None:
    made = engine(kind, kind, small.folder / ".provision")
    made.stop()
    data = Path(made.status().path)
    for each in data.iterdir():
        shutil.rmtree(each) if each.is_dir() else each.unlink()
    subprocess.run(["cp", "-a", f"{small.folder / f'copy-{kind}'}/.", data], check=True)


@pytest.mark.parametrize(
    ("kind", "lost"),
    [
        ("postgres", ["postgres/0003", "postgres/0004"]),  # the home store too: its lease knows lower tokens only
        ("clickhouse", ["clickhouse/003", "clickhouse/004"]),
        ("redis", ["redis/0002"]),
    ],
)
def test_restored_store_is_told_by_status_and_completed_by_up(mixed: Small, kind: str, lost: list[str]) -> None:
    urls = {each: str(engine(each, each, mixed.folder / ".provision").status().url) for each in KINDS}
    newest = max(entry[0] for entries in pictures.ledgers(urls).values() for entry in entries)
    _restore(mixed, kind)

    status = mixed.run("status", "--output", "json")
    ended = mixed.run("up", "--output", "json")

    pending = [
        each["id"]
        for store in json.loads(status.out)["stores"]
        for each in store["revisions"]
        if each["state"] == "pending"
    ]
    assert pending == lost
    assert ended.code == 0, ended.err
    assert sorted(each["id"] for each in json.loads(ended.out)["applied"]) == lost
    urls = {each: str(engine(each, each, mixed.folder / ".provision").status().url) for each in KINDS}
    ledgers = pictures.ledgers(urls)
    assert {entry[0] for entry in ledgers[kind] if entry[2] in lost} == {newest + 1}
    for each, entries in ledgers.items():
        assert pictures.faults(entries, []) == [], each
    assert mixed.run("ledger", "verify").code == 0
    assert json.loads(mixed.run("up", "--output", "json").out)["applied"] == []
