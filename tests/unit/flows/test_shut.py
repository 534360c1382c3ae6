"""What an earlier run has in flight in a store that nobody has written to yet does not come behind the plan."""

from __future__ import annotations

from pathlib import Path

from provision.core.plan import MoveRequest
from provision.flows.connect import Access, NoEngine, open_site
from provision.flows.migrate import move
from provision.flows.rules import Listeners, Rules
from provision.model import Direction, Owner, Report, StoreOptions
from provision.model.statements import Mark, Running
from provision.settings import Environment, ProjectFile, Secret, StorePlace
from provision.testing.fake_store import FakeServer, FakeStore

ANNA = Owner("anna@host", 3, "")


def run(root: Path, servers: dict[str, FakeServer], direction: Direction, wanted: MoveRequest) -> Report:
    options = tuple(StoreOptions(name, "fake", "p", root / name, root) for name in servers)
    project = ProjectFile(root / "provision.toml", "p", "a", options, {}, lease_seconds=1.0)
    site = open_site(
        project,
        Environment("test", False, {name: StorePlace(Secret(f"fake://{name}")) for name in servers}),
        lambda each: FakeStore(each, servers[each.name], leases=each.name == "a"),
        lambda *_: NoEngine(),
        Access.WRITE,
    )
    rules = Rules(ANNA, allow_destructive=True, wait=1.0)
    return move(site, direction, wanted, rules, Listeners(lambda _: None, lambda *_: None))


def test_down_shuts_an_earlier_run_out_of_a_store_that_it_was_about_to_write_to_first(tmp_path: Path) -> None:
    servers = {name: FakeServer() for name in "ab"}
    for name in "ab":
        (tmp_path / name).mkdir()
        (tmp_path / name / "001_x.fake").write_text("requires:\nup:\n+x\ndown:\n-x\n")
    assert not run(tmp_path, servers, Direction.UP, MoveRequest(targets=("a/001",))).failures
    assert not servers["b"].things
    late = Running(Mark("p", 1, "b/001", None), 0.0, "commit", "its transaction", idle=True)
    servers["b"].running.append(late)

    assert not run(tmp_path, servers, Direction.DOWN, MoveRequest(everything=True)).failures

    assert servers["b"].running == []
    assert servers["b"].fences == {("p", "b"): 2}
    assert not servers["a"].things
