"""A change behind the tool's back: told alone, with what brings it back, which is a file that can be read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from provision import kinds
from provision.flows.rehearsal import differences
from provision.model import StoreOptions
from provision.ports.kind import Objects


def told(options: StoreOptions, taken: Callable[[], Objects], change: Callable[[], object], folder: Path) -> list[str]:
    """The objects that a change made another. What makes and what undoes it is written and read again."""
    before = taken()
    change()
    after = taken()
    part = kinds.named(options.kind, "a test").changes()
    assert part is not None
    up, down = part.changes(before, after), part.changes(after, before)
    found = [each.name for each in differences({"s": before}, {"s": after})]
    assert sorted(each.object for each in up) == sorted(each.object for each in down) == sorted(found)
    assert all(bool(each.statements) != bool(each.by_hand) for each in (*up, *down))
    made = [each for each in up if not each.by_hand]
    if made:
        folder.mkdir(exist_ok=True)
        for old in folder.iterdir():
            old.unlink()
        there = replace(options, path=folder, root=folder.parent)
        back = [each for each in down if each.object in {one.object for one in made}]
        part.write(there, "all before", [each for each in part.changes({}, before) if not each.by_hand], [])
        [path] = part.write(there, "by hand", made, back)
        *_, revision = kinds.build(there).revisions()
        assert revision.path.endswith(path.name)
    return found
