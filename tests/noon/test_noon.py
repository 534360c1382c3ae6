"""A deploy beside live traffic applies everything, and the traffic notices no more than what was dropped."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.noon.rounds import PROVISION, deploy
from tests.stores.postgres.projects import database


@pytest.mark.parametrize("number", [1, 2])
def test_forty_revisions_at_noon_are_applied_and_harm_no_transaction(
    postgres_15: str, tmp_path: Path, number: int
) -> None:
    with database(postgres_15, f"noon{number}") as url:
        found = deploy(url, tmp_path, PROVISION)

    assert found.applied == found.revisions == 40, found.said
    assert found.unexpected == {}
    assert found.transactions > 100
    assert found.wait < 3  # about 0.75 s on a machine with nothing else to do
