"""A backfill killed again and again; `python -m tests.chaos.backfill` plays it on two million rows."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos.backfill import campaign


@pytest.mark.slow
@pytest.mark.parametrize(("order", "workers"), [("key", 2), ("physical", 1)])
def test_a_backfill_killed_at_random_instants_fills_every_row_once(
    tmp_path: Path, url: str, order: str, workers: int
) -> None:
    told = campaign(url, tmp_path, 100_000, 4, 7, order=order, workers=workers)

    assert told.wrong == ""
    assert told.at_work > 0
