"""Named run locks: one holder, an expiry by the server's clock, tokens that only grow."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

from provision.model import UNKNOWN_HOLDER, Heartbeat, LeaseRecord, Owner
from provision.ports import Leases, Store
from provision.testing.contract.bench import Bench
from provision.testing.contract.running import needs


def owner(number: int) -> Owner:
    return Owner(f"müller{number}@host", number, f"boot ns {number}", "up --env x", "c0ffee", "https://ci/1")


def leases(store: Store) -> Leases:
    assert store.leases is not None
    store.leases.create()
    return store.leases


@needs("leases")
def test_lease_five_rivals_one_wins(bench: Bench) -> None:
    with ExitStack() as stack, ThreadPoolExecutor(5) as pool:
        tables = [leases(stack.enter_context(bench.store())) for _ in range(5)]
        found = list(pool.map(lambda each: each[1].take("run", owner(each[0]), 30, 0), enumerate(tables)))

    assert len({(holding.owner, holding.token) for holding in found}) == 1
    assert found[0].owner in [owner(number) for number in range(5)]
    assert 25 < found[0].expires_in <= 30


@needs("leases")
def test_lease_expired_goes_to_the_next_with_a_higher_token(bench: Bench) -> None:
    with bench.store() as store:
        table = leases(store)
        first = table.take("run", owner(1), 0.02, 0)
        bench.case.pass_time(0.04)
        second = table.take("run", owner(2), 30, 0)

        assert (second.owner, second.token) == (owner(2), first.token + 1)
        assert table.extend("run", owner(1), first.token, 30) is Heartbeat.LOST
        assert not table.ask_back("run", owner(1), first.token, "dba@host")
        assert not table.release("run", owner(1), first.token)
        held = table.read("run")
        assert held is not None
        assert held.owner == owner(2)


@needs("leases")
def test_lease_extended_lives_longer(bench: Bench) -> None:
    with bench.store() as store:
        table = leases(store)
        held = table.take("run", owner(1), 5, 0)

        assert table.extend("run", owner(1), held.token, 60) is Heartbeat.KEPT
        assert table.take("run", owner(2), 30, 0).owner == owner(1)
        longer = table.read("run")
        assert longer is not None
        assert 50 < longer.expires_in <= 60


@needs("leases")
def test_lease_expired_and_not_taken_is_still_its_holders(bench: Bench) -> None:
    with bench.store() as store:
        table = leases(store)
        held = table.take("run", owner(1), 0.01, 0)
        bench.case.pass_time(0.03)

        assert table.extend("run", owner(1), held.token, 30) is Heartbeat.KEPT
        assert table.take("run", owner(2), 30, 0).owner == owner(1)


@needs("leases")
def test_lease_released_is_free_and_its_token_remembered(bench: Bench) -> None:
    with bench.store() as store:
        table = leases(store)
        first = table.take("run", owner(1), 30, 0)

        assert table.release("run", owner(1), first.token)
        assert table.read("run") is None
        assert table.extend("run", owner(1), first.token, 30) is Heartbeat.LOST
        assert table.take("run", owner(2), 30, 0).token == first.token + 1


@needs("leases")
def test_lease_token_is_above_the_floor(bench: Bench) -> None:
    with bench.store() as store:
        table = leases(store)

        assert table.take("run", owner(1), 30, 41).token == 42
        assert table.take("backfill/x", owner(1), 30, 0).token == 1
        assert table.release("run", owner(1), 42)
        assert table.take("run", owner(1), 30, 99).token == 100  # a home restored from a backup: its own count is lower


@needs("leases")
def test_lease_names_and_projects_do_not_meet(bench: Bench) -> None:
    with bench.store() as store, bench.store("other") as theirs:
        table, other = leases(store), leases(theirs)
        table.take("run", owner(1), 30, 0)

        assert other.read("run") is None
        assert other.take("run", owner(2), 30, 0).owner == owner(2)
        assert table.take("backfill/x", owner(3), 30, 0).owner == owner(3)


@needs("leases")
def test_lease_read_writes_nothing(bench: Bench) -> None:
    with bench.site() as site:
        before = bench.case.everything()
        store = site.stores[bench.case.name]
        assert store.leases is not None

        assert store.leases.read("run") is None
        assert bench.case.everything() == before


@needs("leases")
def test_lease_is_its_owners_and_not_whoever_has_the_same_token(bench: Bench) -> None:
    with bench.store() as store:
        table = leases(store)
        token = table.take("run", owner(1), 30, 0).token

        assert table.extend("run", owner(2), token, 60) is Heartbeat.LOST
        assert not table.ask_back("run", owner(2), token, "dba@host")
        assert not table.release("run", owner(2), token)
        assert held_now(table).owner == owner(1)


@needs("leases")
def test_lease_asked_back_stays_its_holders_and_lives_no_longer(bench: Bench) -> None:
    with bench.store() as store:
        table = leases(store)
        token = table.take("run", owner(1), 30, 0).token

        assert table.ask_back("run", owner(1), token, "dbä@host (pid 7)")
        assert table.extend("run", owner(1), token, 600) is Heartbeat.ASKED_BACK
        held = table.take("run", owner(2), 30, 0)
        assert (held.owner, held.token, held.asked_back_by) == (owner(1), token, "dbä@host (pid 7)")
        assert held_now(table).asked_back_by == "dbä@host (pid 7)"
        assert 20 < held_now(table).expires_in <= 30


@needs("leases")
def test_lease_asked_back_and_given_up_goes_to_the_next_without_the_mark(bench: Bench) -> None:
    with bench.store() as store:
        table = leases(store)
        token = table.take("run", owner(1), 30, 0).token
        table.ask_back("run", owner(1), token, "dba@host")

        assert table.release("run", owner(1), token)
        assert table.take("run", owner(2), 30, 0).owner == owner(2)
        assert held_now(table).asked_back_by == ""
        assert table.extend("run", owner(2), token + 1, 30) is Heartbeat.KEPT


@needs("leases")
def test_lease_asked_back_of_a_holder_that_is_gone_expires(bench: Bench) -> None:
    with bench.store() as store:
        table = leases(store)
        token = table.take("run", owner(1), 0.5, 0).token
        table.ask_back("run", owner(1), token, "dba@host")
        assert table.extend("run", owner(1), token, 0.5) is Heartbeat.ASKED_BACK
        bench.case.pass_time(0.6)

        held = table.take("run", owner(2), 30, 0)
        assert (held.owner, held.token, held.asked_back_by) == (owner(2), token + 1, "")


@needs("leases")
def test_lease_deleted_by_hand_is_an_unknown_holders_for_one_length(bench: Bench) -> None:
    with bench.store() as store:
        table = leases(store)
        token = table.take("run", owner(1), 30, 0).token
        bench.case.delete_lease("vfr", "run")

        found = table.take("run", owner(2), 0.5, 0)
        assert (found.owner, found.token) == (UNKNOWN_HOLDER, token)
        assert 0 < found.expires_in <= 0.5
        assert table.extend("run", owner(1), token, 30) is Heartbeat.LOST
        assert not table.release("run", owner(1), token)
        assert table.take("run", owner(2), 30, 0).owner == UNKNOWN_HOLDER
        bench.case.pass_time(0.6)
        taken = table.take("run", owner(2), 30, 0)
        assert (taken.owner, taken.token) == (owner(2), token + 1)
        assert not table.release("run", owner(1), token)
        assert held_now(table).owner == owner(2)


@needs("leases")
def test_lease_deleted_by_hand_after_a_release_is_waited_for_too_and_gives_no_token_twice(bench: Bench) -> None:
    with bench.store() as store:
        table = leases(store)
        token = table.take("run", owner(1), 30, 6).token
        table.release("run", owner(1), token)
        bench.case.delete_lease("vfr", "run")

        assert table.take("run", owner(2), 0.1, 0).owner == UNKNOWN_HOLDER
        bench.case.pass_time(0.2)
        assert table.take("run", owner(2), 30, 0).token == token + 1
        assert table.take("backfill/x", owner(3), 30, 0).owner == owner(3)  # the first of its name: nobody to wait for


def held_now(table: Leases) -> LeaseRecord:
    found = table.read("run")
    assert found is not None
    return found
