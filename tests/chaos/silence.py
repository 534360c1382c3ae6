"""A store falls silent under a run, somebody releases the run lock, another run begins at once; the store is back."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from provision.embedded import process
from tests.chaos.ground import LEASE, UP, Ground, Ran
from tests.chaos.second import ENGINES, ORDERS
from tests.silent.proxy import before

HOME = "postgres"
# Every second time it is the home store.
STORES = tuple(each for store in (*ENGINES, "arango") if store != HOME for each in (HOME, store))
RELEASE = ("lock", "release", "--yes", "--output", "json")
LIFE = float(LEASE.removesuffix("s"))
assert ORDERS in STORES


class Way(StrEnum):
    """What becomes of what is sent to a store while it is silent."""

    HELD = "held"  # arrives when the store is back
    LOST = "lost"
    FROZEN = "frozen"  # the server itself stands still, for everybody


@dataclass(frozen=True)
class Instants:
    """Seconds from the first word of the run until the store is silent, the lock released, and the store back."""

    silent: float
    released: float
    back: float

    @classmethod
    def of(cls, chance: random.Random, work: float) -> Instants:
        silent = chance.uniform(0.1, 1.5) * work  # the proxies make it slower
        return cls(
            silent, max(0.0, silent + chance.uniform(-LIFE / 2, 2 * LIFE)), silent + chance.uniform(0.2, 3 * LIFE)
        )


@dataclass(frozen=True)
class Silenced:
    """How both runs ended, and what was done to them, in one line."""

    first: Ran
    second: Ran
    story: str


def silence(ground: Ground, command: tuple[str, ...], store: str, chance: random.Random, work: float) -> Silenced:
    """Let `command` run, its store fall silent, its lock be released, another `up` begin; both have ended then."""
    ways = [each for each in Way if each is not Way.FROZEN or store in ENGINES]
    way, at, through = chance.choice(ways), Instants.of(chance, work), chance.random() < 0.5
    with _on_the_way(ground, way) as (urls, silencers), ThreadPoolExecutor(1) as pool:
        quiet, speak = silencers[store] if way is not Way.FROZEN else _freezing(ground, store)
        ground.first.err.write_bytes(b"")
        first = pool.submit(ground.run, command, environment=urls)
        began = _begun(ground, first)
        timers = [
            threading.Timer(max(0.0, began + after - time.monotonic()), do)
            for after, do in ((at.silent, quiet), (at.back, speak))
        ]
        try:
            for each in timers:
                each.start()
            time.sleep(max(0.0, began + at.released - time.monotonic()))
            released = ground.beside.run(RELEASE)
            second = ground.beside.run(UP, environment=urls if through else {})
            ended = first.result()
        finally:
            for each in timers:
                each.join()
    path = "through the proxy" if through else "directly"
    story = (
        f"{store} {way} from {at.silent:.2f} s to {at.back:.2f} s, lock released at {at.released:.2f} s (exit"
        f" {released.code}), second {path}"
    )
    return Silenced(ended, second, story)


def _begun(ground: Ground, run: Future[Ran]) -> float:
    """When the run said its first word, or ended."""
    while not run.done() and not ground.first.err.stat().st_size:
        time.sleep(0.002)
    return time.monotonic()


Silencer = tuple[Callable[[], None], Callable[[], None]]


@contextmanager
def _on_the_way(ground: Ground, way: Way) -> Iterator[tuple[Mapping[str, str], Mapping[str, Silencer]]]:
    """Proxies before all stores: the variables that lead a run through them, and what silences each."""
    variables: dict[str, str] = {}
    silencers: dict[str, Silencer] = {}
    with ExitStack() as closing:
        for store, keys in ground.stores().items():
            proxy, url = before(keys["url"], holds=way is Way.HELD)
            closing.callback(proxy.close)
            variables[f"PROVISION_{store.upper()}__URL"] = url
            silencers[store] = proxy.silent.set, proxy.speak
        yield variables, silencers


def _freezing(ground: Ground, store: str) -> Silencer:
    """Stop the server and all that it started, by the pid that its folder records, and let them go on."""
    found = process.running(ground.folder / ".provision" / store)
    assert found is not None, f"{store} does not run"
    stopped: list[int] = []

    def freeze() -> None:
        for pid in _family(found.pid):
            os.kill(pid, signal.SIGSTOP)
            stopped.append(pid)

    def go_on() -> None:
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)

    return freeze, go_on


def _family(pid: int) -> list[int]:
    """A process and everything below it; the first is stopped first, so that it starts nothing more."""
    parents: dict[int, list[int]] = {}
    for place in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = place.read_text()
        except OSError:
            continue  # it has ended
        parents.setdefault(int(text[text.rindex(")") + 2 :].split()[1]), []).append(int(place.parent.name))
    found = [pid]
    for each in found:
        found += parents.get(each, ())
    return found
