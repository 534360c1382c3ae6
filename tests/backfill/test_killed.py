"""A backfill killed again and again; `python -m tests.chaos.backfill` plays it on two million rows."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos.backfill import campaign


@pytest.mark.parametrize(("order", "workers", "joiners"), [("key", 2, 1), ("physical", 2, 1), ("key", 1, 0)])
def test_a_backfill_killed_at_random_instants_fills_every_row_once(
    tmp_path: Path, url: str, order: str, workers: int, joiners: int
) -> None:
    told = campaign(url, tmp_path, 100_000, 4, 7, order=order, workers=workers, joiners=joiners)

    assert told.wrong == ""
    assert told.at_work > 1
    assert told.wrote > 100
