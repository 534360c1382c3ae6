"""A published project, moved by provision from empty and from half-way, ends as where Alembic alone has moved it."""

from __future__ import annotations

from collections.abc import Callable

from tests.adoption import catalogue
from tests.adoption.conftest import Taken
from tests.adoption.ground import Ground

Make = Callable[[str], Ground]


def test_project_from_empty_ends_as_alembics_own(taken: Taken, ground: Make) -> None:
    ours = ground("empty")

    with taken.timed("from_empty"):
        ours.provision("up")

    assert catalogue.differences(taken.reference, ours.left()) == []
    taken.equal("from_empty")
    assert "nothing to do" in ours.provision("up")
    ours.provision("status", "--check")


def test_project_from_half_way_ends_as_alembics_own(taken: Taken, ground: Make) -> None:
    ours = ground("half")
    ours.alembic(f"upgrade:{taken.middle}")
    assert catalogue.differences(taken.reference, ours.left()) != []

    with taken.timed("from_half"):
        ours.provision("up", "--allow-destructive")

    assert catalogue.differences(taken.reference, ours.left()) == []
    taken.equal("from_half")
    ours.provision("status", "--check")
