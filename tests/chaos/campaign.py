"""Which rounds there are, and who plays them: two grounds at a time, each with its own engines."""

from __future__ import annotations

import os
import queue
import random
import sys
import threading
import time
from collections.abc import Callable, Sequence

from tests.chaos.ground import DOWN, UP, Ground, Ran, ground
from tests.chaos.rounds import Clocks, Round, Times, Verdict, play
from tests.chaos.second import ENGINES
from tests.chaos.silence import STORES

WORKERS = min(2, os.cpu_count() or 1)


def rehearse(on: Ground) -> tuple[Clocks, dict[bool, list[str]]]:
    """Undisturbed runs: how long they take, and the boundaries they pass (False: up, True: down)."""
    on.empty()
    clocks = {bare: _timed(on.run(UP, bare=bare), on.run(DOWN, bare=bare)) for bare in (True, False)}
    points: dict[bool, list[str]] = {}
    for command in (UP, DOWN):
        file = on.folder / f"points-{command[0]}"
        _undisturbed(on.run(command, record=file))
        points[command is DOWN] = sorted(file.read_text().split(), key=_place)  # the same in every run: lanes race
    on.full = False
    return clocks, points


def _place(point: str) -> tuple[str, int, bool]:
    store, number, side = point.split(":")
    return store, int(number), side == "after"


def _timed(up: Ran, down: Ran) -> Times:
    up, down = _undisturbed(up), _undisturbed(down)
    return Times(up.begun, up.seconds - up.begun, down.seconds - down.begun)


def _undisturbed(ran: Ran) -> Ran:
    if ran.code:
        raise RuntimeError(f"an undisturbed run failed: {ran.told()}")
    return ran


def all_rounds(points: dict[bool, list[str]], instants: int) -> list[Round]:
    """Every round, ups and downs in turn: what a down leaves is what an up is compared with, and the next begins on."""
    sides: dict[bool, list[Round]] = {False: [], True: []}
    for down, side in sides.items():
        word = "down" if down else "up"
        side += [Round(f"boundary {word}", down, number, point) for number, point in enumerate(points[down], 1)]
        side += [Round(f"random {word}", down, number) for number in range(1, instants + 1)]
        side += [Round(f"twice {word}", down, number) for number in range(1, instants // 8 + 1)]
        side += [Round(f"silent {word}", down, n, STORES[n % len(STORES)]) for n in range(1, instants // 2 + 1)]
        for store in ENGINES:
            count = max(1, instants // 12)
            for what in ("engine", "restart"):
                side += [Round(f"{what} {store} {word}", down, number, store) for number in range(1, count + 1)]
    ups, downs = sides[False], sides[True]
    shared = min(len(ups), len(downs))
    return [each for pair in zip(ups, downs, strict=False) for each in pair] + ups[shared:] + downs[shared:]


def sample(rounds: Sequence[Round], size: int, seed: int) -> list[Round]:
    """`size` rounds, as evenly over the kinds as can be."""
    chance = random.Random(f"{seed}/sample")
    kinds: dict[str, list[Round]] = {}
    for each in rounds:
        kinds.setdefault(each.kind, []).append(each)
    for listed in kinds.values():
        chance.shuffle(listed)
    names = sorted(kinds, key=lambda kind: (not kind.startswith(("boundary", "random", "silent")), kind))
    chosen: list[Round] = []
    while len(chosen) < min(size, len(rounds)):
        for name in names:
            if kinds[name] and len(chosen) < size:
                chosen.append(kinds[name].pop())
    return _in_turn(chosen)


def _in_turn(rounds: Sequence[Round]) -> list[Round]:
    ups, downs = [each for each in rounds if not each.down], [each for each in rounds if each.down]
    paired = [each for pair in zip(ups, downs, strict=False) for each in pair]
    return [*paired, *ups[len(downs) :], *downs[len(ups) :]]


class Campaign:
    """Plays rounds on several grounds at once until they are done, time is up or somebody stops it."""

    def __init__(self, seed: int, seconds: float, happened: Callable[[Verdict], None]) -> None:
        self._seed, self._end, self._happened = seed, time.monotonic() + seconds, happened
        self._stop = threading.Event()
        self._ready = threading.Event()
        self._left: queue.SimpleQueue[tuple[Round, ...]] = queue.SimpleQueue()
        self._clocks: Clocks | None = None
        self.errors: list[str] = []
        self.verdicts: list[Verdict] = []

    def run(self, choose: Callable[[dict[bool, list[str]]], Sequence[Round]]) -> None:
        """Play what `choose` makes of the boundaries. Returns early, grounds cleaned up, on KeyboardInterrupt."""
        threads = [threading.Thread(target=self._work, args=(number, choose)) for number in range(WORKERS)]
        try:
            for thread in threads:
                thread.start()
            for thread in threads:
                while thread.is_alive():
                    thread.join(0.2)
        finally:
            self._stop.set()
            self._ready.set()
            for thread in threads:
                thread.join()

    @property
    def stopped_early(self) -> bool:
        return not self._left.empty()

    def _work(self, number: int, choose: Callable[[dict[bool, list[str]]], Sequence[Round]]) -> None:
        try:
            with ground() as here:
                if number == 0:
                    self._clocks, points = rehearse(here)
                    self._deal(choose(points))
                self._ready.wait()
                while not self._stop.is_set() and time.monotonic() < self._end:
                    self._play(here, self._left.get_nowait())
        except queue.Empty:
            return
        except Exception as error:  # a ground that cannot be had is told at the end, the other one stops
            self.errors.append(f"{type(error).__name__}: {error}")
            self._stop.set()
            self._ready.set()

    def _deal(self, rounds: Sequence[Round]) -> None:
        """Two rounds belong together: an up that starts from nothing, then a down that starts from what it left."""
        for at in range(0, len(rounds), 2):
            self._left.put(tuple(rounds[at : at + 2]))
        print(f"{len(rounds)} rounds; undisturbed: {self._clocks}", file=sys.stderr, flush=True)
        self._ready.set()

    def _play(self, here: Ground, rounds: tuple[Round, ...]) -> None:
        assert self._clocks is not None
        for each in rounds:
            if self._stop.is_set():
                return
            verdict = play(here, each, self._seed, self._clocks)
            self.verdicts.append(verdict)
            self._happened(verdict)
