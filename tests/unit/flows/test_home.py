"""The store that keeps the run lock."""

from __future__ import annotations

from pathlib import Path

import pytest

from provision.errors import CapabilityMissing
from provision.flows.connect import leases_of
from provision.model import StoreOptions
from provision.testing.fake_store import FakeServer, FakeStore


def store(name: str, root: Path, *, leases: bool) -> FakeStore:
    return FakeStore(StoreOptions(name, "fake", "shop", root, root), FakeServer(), leases=leases)


def test_home_that_can_keep_the_lock_does(tmp_path: Path) -> None:
    home = store("a", tmp_path, leases=True)

    assert leases_of("a", {"a": home}) is home.leases


@pytest.mark.parametrize(
    ("others", "named"),
    [
        ({"b": True, "c": False, "d": True}, "b or d"),
        ({"b": False}, "a store that can, such as PostgreSQL or Redis,"),
    ],
)
def test_home_that_cannot_keep_the_lock_names_those_that_can(
    tmp_path: Path, others: dict[str, bool], named: str
) -> None:
    stores = {name: store(name, tmp_path, leases=can) for name, can in {"a": False, **others}.items()}

    with pytest.raises(CapabilityMissing) as caught:
        leases_of("a", stores)

    assert (caught.value.what, caught.value.where, caught.value.fix) == (
        "a has no run lock: stores of kind fake cannot keep one",
        "a",
        f"name {named} in [project] home, or run with --no-lock",
    )
