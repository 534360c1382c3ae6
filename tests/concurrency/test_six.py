"""Six `provision up` at once on a fresh checkout of this project, and runs with nothing to do."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from provision.embedded import engine
from provision.kinds import with_engine
from tests.chaos import pictures
from tests.concurrency.project import REPOSITORY, Ended, Run

COPIED = ("alembic", "alembic.ini", "clickhouse", "redis", "provision.toml")
AT_ONCE = 6


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """This project's own files in a folder whose engines are not made yet."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in COPIED:
        source = REPOSITORY / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, folder / name)
    yield folder
    for kind in with_engine():
        engine(kind, kind, folder / ".provision").reset()


@pytest.fixture(scope="module")
def six(checkout: Path) -> list[Ended]:
    """How six runs ended that began together."""
    runs = [Run(checkout, ("up", "--output", "json"), "10s") for _ in range(AT_ONCE)]
    return [run.end() for run in runs]


def urls(folder: Path) -> dict[str, str]:
    return {kind: str(engine(kind, kind, folder / ".provision").status().url) for kind in with_engine()}


def test_six_runs_at_once_all_end_well_and_one_does_the_work(six: list[Ended]) -> None:
    assert [run.code for run in six] == [0] * AT_ONCE, [run.err for run in six if run.code]
    done = sorted(len(json.loads(run.out)["applied"]) for run in six)
    assert done[:-1] == [0] * (AT_ONCE - 1)
    assert done[-1] > 20


def test_six_runs_at_once_apply_every_revision_once(checkout: Path, six: list[Ended]) -> None:
    expected = [each["id"] for run in six for each in json.loads(run.out)["applied"]]
    for kind, entries in pictures.ledgers(urls(checkout)).items():
        mine = [name for name in expected if name.startswith(f"{kind}/")]
        assert pictures.faults(entries, mine) == []
        assert Counter(name for _, _, name, what in entries if what == "applied") == Counter(mine)
    versions = pictures.versions(urls(checkout))["clickhouse"]
    assert len(versions) == len(set(versions))


@pytest.mark.usefixtures("six")
def test_up_nothing_to_do_writes_no_event(checkout: Path) -> None:
    before = pictures.ledgers(urls(checkout))

    ended = Run(checkout, ("up", "--output", "json"), "10s").end()

    assert ended.code == 0, ended.err
    assert json.loads(ended.out)["applied"] == []
    assert pictures.ledgers(urls(checkout)) == before
