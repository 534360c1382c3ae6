"""Named run locks: one holder, an expiry by the server's clock, tokens that only grow."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from provision.model import Owner
from provision.ports import Leases, Store
from tests.contract.bench import Bench
from tests.contract.conftest import WITH_LEASES

pytestmark = pytest.mark.stores(WITH_LEASES)


def owner(number: int) -> Owner:
    return Owner(f"müller{number}@host", number, f"boot ns {number}", "up --env x", "c0ffee", "https://ci/1")


def leases(store: Store) -> Leases:
    assert store.leases is not None
    store.leases.create()
    return store.leases


def test_lease_five_rivals_one_wins(bench: Bench) -> None:
    with ExitStack() as stack, ThreadPoolExecutor(5) as pool:
        tables = [leases(stack.enter_context(bench.store())) for _ in range(5)]
        found = list(pool.map(lambda each: each[1].take("run", owner(each[0]), 30, 0), enumerate(tables)))

    assert len({(holding.owner, holding.token) for holding in found}) == 1
    assert found[0].owner in [owner(number) for number in range(5)]
    assert 25 < found[0].expires_in <= 30


def test_lease_expired_goes_to_the_next_with_a_higher_token(bench: Bench) -> None:
    with bench.store() as store:
        table = leases(store)
        first = table.take("run", owner(1), 0.02, 0)
        bench.case.pass_time(0.04)
        second = table.take("run", owner(2), 30, 0)

        assert (second.owner, second.token) == (owner(2), first.token + 1)
        assert not table.extend("run", first.token, 30)
        assert not table.release("run", first.token)
        held = table.read("run")
        assert held is not None
        assert held.owner == owner(2)


def test_lease_extended_lives_longer(bench: Bench) -> None:
    with bench.store() as store:
        table = leases(store)
        held = table.take("run", owner(1), 5, 0)

        assert table.extend("run", held.token, 60)
        assert table.take("run", owner(2), 30, 0).owner == owner(1)
        longer = table.read("run")
        assert longer is not None
        assert 50 < longer.expires_in <= 60


def test_lease_expired_and_not_taken_is_still_its_holders(bench: Bench) -> None:
    with bench.store() as store:
        table = leases(store)
        held = table.take("run", owner(1), 0.01, 0)
        bench.case.pass_time(0.03)

        assert table.extend("run", held.token, 30)
        assert table.take("run", owner(2), 30, 0).owner == owner(1)


def test_lease_released_is_free_and_its_token_remembered(bench: Bench) -> None:
    with bench.store() as store:
        table = leases(store)
        first = table.take("run", owner(1), 30, 0)

        assert table.release("run", first.token)
        assert table.read("run") is None
        assert not table.extend("run", first.token, 30)
        assert table.take("run", owner(2), 30, 0).token == first.token + 1


def test_lease_token_is_above_the_floor(bench: Bench) -> None:
    with bench.store() as store:
        table = leases(store)

        assert table.take("run", owner(1), 30, 41).token == 42
        assert table.take("backfill/x", owner(1), 30, 0).token == 1
        assert table.release("run", 42)
        assert table.take("run", owner(1), 30, 99).token == 100  # a home restored from a backup: its own count is lower


def test_lease_names_and_projects_do_not_meet(bench: Bench) -> None:
    with bench.store() as store, bench.store("other") as theirs:
        table, other = leases(store), leases(theirs)
        table.take("run", owner(1), 30, 0)

        assert other.read("run") is None
        assert other.take("run", owner(2), 30, 0).owner == owner(2)
        assert table.take("backfill/x", owner(3), 30, 0).owner == owner(3)


def test_lease_read_writes_nothing(bench: Bench) -> None:
    with bench.site() as site:
        before = bench.case.everything()
        store = site.stores[bench.case.name]
        assert store.leases is not None

        assert store.leases.read("run") is None
        assert bench.case.everything() == before
