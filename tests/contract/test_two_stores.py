"""Two stores in one move: the flow around the lanes, on FakeStores."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from provision.core.execute import Coordinator
from provision.core.plan import MoveRequest
from provision.errors import Interrupted, ProvisionError, Several
from provision.flows import migrate, planning
from provision.flows.connect import Access, open_site
from provision.flows.migrate import move
from provision.flows.rules import Listeners, Rules
from provision.model import Began, Direction, Done, EventKind, Note, Owner, Plan, Report, RunEvent, StoreOptions
from provision.model.statements import Mark, Running
from provision.settings import Environment, ProjectFile, Secret, StorePlace
from provision.testing.contract.bench import passing_owner
from provision.testing.contract.killer import Killer
from provision.testing.fake_store import FakeLeases, FakeLedger, FakeServer, FakeStore

FILES = {
    "a/001_x": "up:\n+a1\n+a2\ndown:\n-a2\n-a1\n",
    "a/002_x": "requires:\nb/001\nup:\n+a3\ndown:\n-a3\n",
    "b/001_x": "requires:\na/001\nup:\n+b1\n~b2\n+b3\ndown:\n-b3\n-b2\n-b1\n",
    "b/002_x": "requires:\na/002\nup:\n+b4\ndown:\n-b4\n",
}


class Pair:
    """Stores a (the home) and b."""

    def __init__(self, root: Path, files: dict[str, str]) -> None:
        self.root = root
        self.servers = {"a": FakeServer(), "b": FakeServer()}
        self.told: list[RunEvent] = []
        self.boards: list[Coordinator] = []
        self.hear: Callable[[RunEvent], None] = self.told.append
        for name, text in files.items():
            self.write(name, text)

    def write(self, name: str, text: str) -> None:
        path = self.root / f"{name}.fake"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)

    def move(self, direction: Direction, wanted: MoveRequest, seconds: float = 30.0, **rules: Any) -> Report:
        stores = tuple(StoreOptions(name, "fake", "vfr", self.root / name, self.root) for name in self.servers)
        project = ProjectFile(self.root / "provision.toml", "vfr", "a", stores, {}, lease_seconds=seconds)
        places = {name: StorePlace(Secret(f"fake://{name}")) for name in self.servers}
        site = open_site(
            project,
            Environment("test", False, places),
            lambda options: FakeStore(options, self.servers[options.name]),
            lambda *_: None,
            Access.WRITE,
        )
        given = {"owner": passing_owner(), "wait": 0.0, "allow_destructive": True, **rules}
        watch = Listeners(self.hear, lambda *_: None, self.boards.append)
        return move(site, direction, wanted, Rules(**given), watch)

    def up(self, wanted: MoveRequest | None = None, **rules: Any) -> Report:
        return self.move(Direction.UP, wanted or MoveRequest(), **rules)

    def down(self, wanted: MoveRequest | None = None, **rules: Any) -> Report:
        return self.move(Direction.DOWN, wanted or MoveRequest(everything=True), **rules)

    def things(self) -> list[str]:
        return sorted(thing for server in self.servers.values() for thing in server.things)

    def sent(self) -> list[str]:
        return [text for server in self.servers.values() for text in server.sent]


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    return Pair(tmp_path, FILES)


ALL = ["a1", "a2", "a3", "b1", "b2", "b3", "b4"]


def test_move_two_stores_in_one_order(pair: Pair) -> None:
    report = pair.up()

    done = [each.step.id for each in pair.told if isinstance(each, Done)]
    assert done == ["a/001", "b/001", "a/002", "b/002"] == [each.step.id for each in report.done]
    assert pair.things() == ALL
    assert [each.step.id for each in pair.down().done] == done[::-1]
    assert pair.things() == []


def test_move_killed_anywhere_finishes_or_names_the_one_statement(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    killer = Killer(monkeypatch, ((FakeServer, "send"),))
    with killer.run(None):
        pair.up()
    stopped: dict[str, tuple[str, str]] = {}

    for at in range(killer.passed):
        for server in pair.servers.values():
            server.__init__()  # type: ignore[misc]  # empty again
        with killer.run(at):
            pair.up()
        try:
            pair.up()
        except ProvisionError as error:
            stopped[killer.where] = (error.code, error.where)
            continue
        assert pair.things() == ALL, killer.where
        assert len(pair.sent()) == len(ALL), killer.where

    assert set(stopped.values()) == {("dirty", "b/001_x.fake: ~b2; ~b2 leaves no trace")}


def test_move_refuses_before_the_first_statement_runs_anywhere(pair: Pair) -> None:
    pair.write("b/003_x", "requires:\na/009\nup:\n+x\n")
    pair.servers["a"].lose()

    with pytest.raises(ProvisionError) as caught:
        pair.up()

    assert caught.value.code == "missing-requirement"
    assert pair.sent() == []


def test_move_unreachable_stores_are_all_told(pair: Pair) -> None:
    for server in pair.servers.values():
        server.lose()

    with pytest.raises(Several) as caught:
        pair.up()

    assert [each.what for each in caught.value.errors] == ["a does not answer", "b does not answer"]


def test_move_interrupted_while_finishing_a_down_does_not_turn_round(pair: Pair) -> None:
    pair.up()
    pair.servers["b"].fault("after-send", RuntimeError("cut off"), nth=1)
    assert [each.step.id for each in pair.down().failures] == ["b/002"]
    pair.servers["a"].fault("after-send", RuntimeError("cut off"), nth=1)
    pair.down(MoveRequest(everything=True, cascade=True))

    def stop(happening: RunEvent) -> None:
        pair.told.append(happening)
        if isinstance(happening, Began) and happening.step.direction is Direction.DOWN:
            pair.boards[-1].stop(Interrupted("SIGINT"))

    pair.hear, before = stop, pair.things()
    report = pair.up()

    assert [str(each.error) for each in report.failures] == ["interrupted: stopped by SIGINT"]
    assert not [each for each in report.done if each.step.direction is Direction.UP]
    assert set(pair.things()) <= set(before)
    pair.hear = pair.told.append
    pair.up()
    assert pair.things() == ALL


def test_move_losses_that_nobody_agreed_to_are_asked_about_again(pair: Pair) -> None:
    """Another run applied more while this one waited for the lease: its plan now loses what it did not show."""
    pair.up(MoveRequest(targets=("b/001",)))
    other = FakeStore(StoreOptions("a", "fake", "vfr", pair.root / "a", pair.root), pair.servers["a"])
    held = other.leases.take("run", Owner("anna@host", 1), 3600, 0) if other.leases else None
    assert held is not None
    asked: list[list[str]] = []

    def hear(happening: RunEvent) -> None:
        if isinstance(happening, Note) and other.leases and other.leases.release("run", held.owner, held.token):
            pair.hear = pair.told.append
            pair.up()

    def confirm(losses: Any) -> bool:
        asked.append(list(losses))
        return len(asked) == 1

    pair.hear = hear
    with pytest.raises(ProvisionError) as caught:
        pair.down(wait=60.0, allow_destructive=False, confirm=confirm)

    assert asked == [["b/001", "a/001"], ["b/002", "a/002"]]
    assert (caught.value.code, caught.value.what, caught.value.where) == (
        "destructive",
        "2 of 2 steps would lose data",
        "b/002 drops b4; a/002 drops a3",
    )
    assert pair.things() == ALL


def test_move_earlier_statement_still_running_is_told_of_and_stopped(pair: Pair) -> None:
    pair.servers["b"].events["vfr", "b"] = []
    pair.servers["b"].running = [Running(Mark("vfr", 0, "b/001", 1), 12.0, "+b1\n  slow", "7")]

    pair.up()

    assert [each for each in pair.told if isinstance(each, Note)] == [
        Note("b", "an earlier run's statement is still running (12 s): +b1 slow")
    ]
    assert pair.servers["b"].running == []


def test_move_without_a_lease_uses_the_next_token(pair: Pair) -> None:
    pair.up(MoveRequest(targets=("a/001",)), use_lease=False)
    pair.up(use_lease=False)

    assert [event.token for event in pair.servers["a"].events["vfr", "a"]] == [1, 1, 1, 2, 2]
    assert pair.servers["a"].holdings == {}


def test_move_dry_run_touches_nothing(pair: Pair) -> None:
    report = pair.up(dry_run=True)

    assert len(report.remaining) == 4
    assert (pair.sent(), pair.servers["a"].made, pair.servers["a"].holdings) == ([], [], {})


def test_move_lease_lost_in_mid_statement_writes_nothing_late(pair: Pair) -> None:
    taken = threading.Event()

    def freeze(happening: RunEvent) -> None:
        pair.told.append(happening)
        if isinstance(happening, Began) and not taken.is_set():
            taken.set()
            pair.servers["a"].fences["vfr", "a"] = 99  # another run has raised the fence meanwhile

    pair.hear = freeze
    report = pair.up()

    assert [str(each.error) for each in report.failures] == [
        "lease-lost: the run lock was taken over by a run with a token above 1"
    ]
    assert [event for event in pair.servers["a"].events["vfr", "a"] if event.kind is EventKind.APPLIED] == []


def test_move_what_an_earlier_run_did_until_the_fence_was_up_is_not_done_again(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The earlier run's lock was asked back; it ends its statement while this run makes the ledgers ready."""
    early = threading.Event()
    raised = FakeLedger.raise_fence
    pair.servers["a"].tokens["vfr", "run"], pair.servers["a"].holdings["vfr", "run"] = 5, None

    def late(ledger: FakeLedger, token: int) -> None:
        if ledger.store == "a" and not early.is_set():
            early.set()
            pair.up(MoveRequest(targets=("a/001",)), use_lease=False)
        raised(ledger, token)

    monkeypatch.setattr(FakeLedger, "raise_fence", late)

    report = pair.up()

    assert [each.step.id for each in report.done] == ["b/001", "a/002", "b/002"]
    assert sorted(pair.sent()) == ["+a1", "+a2", "+a3", "+b1", "+b3", "+b4", "~b2"]


def test_move_plan_that_turns_to_a_further_store_fences_that_one_too(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first plan is blind to store b, as where something was undone there between the two looks."""
    pair.up(MoveRequest(targets=("a/001",)))
    fenced: list[str] = []
    raised, planned = FakeLedger.raise_fence, planning.planned
    plans: list[Plan] = []

    def noted(ledger: FakeLedger, token: int) -> None:
        fenced.append(ledger.store)
        raised(ledger, token)

    def blind(*arguments: Any) -> Plan:
        plans.append(planned(*arguments))
        if len(plans) == 1:
            return replace(plans[0], steps=tuple(each for each in plans[0].steps if each.revision.store == "a"))
        return plans[-1]

    monkeypatch.setattr(FakeLedger, "raise_fence", noted)
    for module in (planning, migrate):
        monkeypatch.setattr(module, "planned", blind)

    report = pair.up()

    assert (fenced, len(plans)) == (["a", "b"], 3)
    assert [each.step.id for each in report.done] == ["b/001", "a/002", "b/002"]


def test_move_lock_asked_back_stops_every_lane_before_its_next_statement(pair: Pair) -> None:
    asked = threading.Event()
    server = pair.servers["a"]

    def hear(happening: RunEvent) -> None:
        pair.told.append(happening)
        if isinstance(happening, Done) and not asked.is_set():
            asked.set()
            held = server.holdings["vfr", "run"]
            assert held is not None
            FakeLeases(server, "vfr").ask_back("run", held.owner, held.token, "anna@host (pid 3)")
            deadline = time.monotonic() + 10
            while server.holdings["vfr", "run"] is not None:
                assert time.monotonic() < deadline
                time.sleep(0.005)

    pair.hear = hear
    first = pair.up(seconds=0.5)
    sent = pair.sent()
    pair.hear = pair.told.append
    second = pair.up()

    assert {str(each.error) for each in first.failures} == {"lease-lost: anna@host (pid 3) asked for the run lock back"}
    assert sent == ["+a1", "+a2"]
    assert (second.failures, pair.things()) == ((), ALL)
    assert sorted(pair.sent()) == ["+a1", "+a2", "+a3", "+b1", "+b3", "+b4", "~b2"]
