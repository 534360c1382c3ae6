"""Waits, before anything is locked or sent, for those who have held for long what a plan needs."""

from __future__ import annotations

import time
from collections.abc import Sequence

from provision.errors import RefusedError
from provision.flows.connect import Reach, Site
from provision.flows.rules import Listeners
from provision.model import Note, Step
from provision.ports import Crowded

PAUSE = 1.0  # seconds


def wait_until_free(site: Site, steps: Sequence[Step], wait: float, watch: Listeners) -> None:
    """Return once nobody is in the way. Raises RefusedError (table-in-use) after `wait` seconds."""
    end, told = time.monotonic() + wait, set[tuple[str, str]]()
    while found := _found(site, steps):
        store = next(iter(found))[0]
        if time.monotonic() >= end:
            raise RefusedError(
                "table-in-use",
                "a transaction has held a table of the plan for long, and revisions would wait for it in vain",
                where=f"{store}: {'; '.join(found.values())}",
                fix="end it, or wait longer for it with --wait",
            )
        for (name, number), said in found.items():
            if (name, number) not in told:
                told.add((name, number))
                watch.happened(Note(name, f"waits until it is free: {said}"))
        watch.check()
        time.sleep(min(PAUSE, max(end - time.monotonic(), 0)))


def _found(site: Site, steps: Sequence[Step]) -> dict[tuple[str, str], str]:
    """Store and key of each → words."""
    found: dict[tuple[str, str], str] = {}
    for name in dict.fromkeys(step.revision.store for step in steps):
        reached = site.reached[name]
        if reached.reach is not Reach.ABSENT and isinstance(reached.store, Crowded):
            lane = [step for step in steps if step.revision.store == name]
            found.update(((name, key), said) for key, said in reached.store.hindrances(lane).items())
    return found
