"""A down that was begun is not gone on with beneath what a restored store calls applied again."""

from __future__ import annotations

import re
from copy import deepcopy
from pathlib import Path

import pytest

from provision.core.plan import MoveRequest
from provision.errors import RefusedError
from provision.flows.connect import Access, NoEngine, open_site
from provision.flows.migrate import move
from provision.flows.rules import Listeners, Rules
from provision.model import Direction, Owner, Report, StoreOptions
from provision.settings import Environment, ProjectFile, Secret, StorePlace
from provision.testing.fake_store import FakeServer, FakeStore, Killed

ANNA = Owner("anna@host", 3, "")


class Shop:
    """A revision in a, and one in b that requires it."""

    def __init__(self, root: Path) -> None:
        self.root, self.servers = root, {name: FakeServer() for name in "ab"}
        texts = {"a/001_x": "requires:\nup:\n+x\ndown:\n-x\n", "b/001_y": "requires:\na/001\nup:\n+y\ndown:\n-y\n"}
        for name, text in texts.items():
            (root / name).parent.mkdir(exist_ok=True)
            (root / f"{name}.fake").write_text(text)

    def move(self, direction: Direction, **wanted: object) -> Report:
        options = tuple(StoreOptions(name, "fake", "p", self.root / name, self.root) for name in self.servers)
        project = ProjectFile(self.root / "provision.toml", "p", "a", options, {}, lease_seconds=1.0)
        places = {name: StorePlace(Secret(f"fake://{name}")) for name in self.servers}
        site = open_site(
            project,
            Environment("test", False, places),
            lambda each: FakeStore(each, self.servers[each.name]),
            lambda *_: NoEngine(),
            Access.WRITE,
        )
        rules = Rules(ANNA, use_lease=False, allow_destructive=True)
        request = MoveRequest(**wanted)  # type: ignore[arg-type]
        return move(site, direction, request, rules, Listeners(lambda _: None, lambda *_: None))


@pytest.fixture
def half_down(tmp_path: Path) -> Shop:
    """b went down, a began to; then b was restored to what it was before that."""
    shop = Shop(tmp_path)
    assert not shop.move(Direction.UP).failures
    kept = deepcopy(shop.servers["b"])
    shop.servers["a"].fault("before-send", Killed("of the test"))
    assert shop.move(Direction.DOWN, everything=True).failures
    shop.servers["b"] = kept
    return shop


def test_up_does_not_go_on_with_a_down_beneath_what_is_applied(half_down: Shop) -> None:
    sent = [*half_down.servers["a"].sent]

    with pytest.raises(RefusedError) as refused:
        half_down.move(Direction.UP)

    assert (refused.value.code, refused.value.where) == ("required-by-others", "a/001")
    assert refused.value.what == "b/001 stands on what an earlier `down` began to revert"
    assert half_down.servers["a"].sent == sent


def test_its_fix_leads_on(half_down: Shop) -> None:
    with pytest.raises(RefusedError) as refused:
        half_down.move(Direction.UP)
    [steps] = re.findall(r"`provision down --steps (\d+)`, then run the same command again", refused.value.fix)

    assert not half_down.move(Direction.DOWN, steps=int(steps)).failures
    report = half_down.move(Direction.UP)

    assert not report.failures
    assert (half_down.servers["a"].things, half_down.servers["b"].things) == ({"x"}, {"y"})
