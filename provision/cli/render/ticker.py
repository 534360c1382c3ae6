"""Says what is still running: one line that rewrites itself at a terminal, a line now and then in a log."""

from __future__ import annotations

import threading
import time

from provision.cli.render.paper import Paper

FIRST, IN_A_LOG = 1.0, 30.0  # seconds


class Ticker:
    """Watches the running steps of a move from a thread of its own."""

    def __init__(self, paper: Paper) -> None:
        self._paper = paper
        self._running: dict[str, float] = {}
        self._doing: dict[str, str] = {}  # store → what its statement is about
        self._ended = threading.Event()
        self._starting = threading.Lock()  # every lane says when a step began, all at once at the start
        self._thread = threading.Thread(target=self._tick, name="ticker", daemon=True)

    def start(self) -> None:
        with self._starting:
            if not self._thread.is_alive() and not self._ended.is_set():
                self._thread.start()

    def began(self, name: str) -> None:
        self._running[name] = time.monotonic()

    def doing(self, store: str, text: str) -> None:
        """What the statement in hand of a store is about now; empty when it is over."""
        self._doing[store] = text

    def ended(self, name: str) -> None:
        self._running.pop(name, None)
        self._doing.pop(name.partition("/")[0], None)

    def stop(self) -> None:
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()
        self._paper.transient("")

    def _about(self, name: str) -> str:
        text = self._doing.get(name.partition("/")[0])
        return f", {text}" if text else ""

    def _tick(self) -> None:
        pause = FIRST if self._paper.terminal else IN_A_LOG
        while not self._ended.wait(pause):
            now = time.monotonic()
            running = self._running.copy()  # at once: a list of its items may be interrupted by lanes that add some
            ages = [(name, now - began) for name, began in running.items() if now - began >= pause]
            shown = " · ".join(f"{name} {age:.0f} s{self._about(name)}" for name, age in ages)
            if self._paper.terminal:
                self._paper.transient(f"  ▸ {shown}" if shown else "")
            elif shown:
                self._paper.write(f"  … still running: {shown}")
