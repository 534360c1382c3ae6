"""Whether the servers that a run waits for are still there: one that is silent for too long is given up.

A statement may take hours, and nothing comes back until it ends. So a store that has been quiet for a while is looked
at from a second connection: any answer counts, a refusal too. Only time in which this process was awake counts: one
that was frozen has asked nobody.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from provision.errors import FellSilent
from provision.threads import Call

Clock = Callable[[], float]
Look = Callable[[], object]  # asks a server anything, on a connection of its own; what it raises is an answer

# Seconds.
ANSWER = 4.0  # that one look may take; every driver's time limit for reaching a server is longer
TICK = 1.0  # most that counts between two ticks; least that a home store is given after a run was frozen
# Shares of the lease's length.
QUIET = 0.2  # before the first look
GRACE = 0.1  # behind the last time that the home store kept the lease


class Silences:
    """How long the stores of a run's lanes, and its home store, have been silent."""

    def __init__(
        self,
        looks: Mapping[str, Look],
        home: str,
        seconds: float,
        unanswered: Callable[[], bool],
        clock: Clock = time.monotonic,
    ) -> None:
        self.seconds, self._name = seconds, home
        self._stores = {name: _Quiet(look, seconds, clock) for name, look in looks.items()}
        self._unanswered, self._clock = unanswered, clock
        self._home: float | None = None  # for how long it is seen not to answer
        self._last = clock()

    def tick(self, at_work: Mapping[str, object], hurried: bool) -> None:
        """Count the time since the last tick. `at_work`: store → what changes whenever something comes from it.

        `hurried`: the run is to end, so that a store is looked at now.
        """
        now = self._clock()
        passed, self._last = min(now - self._last, TICK), now
        if not self._unanswered():
            self._home = None
        else:
            self._home = 0.0 if self._home is None else self._home + passed
        for name, sign in at_work.items():
            self._stores[name].tick(passed, sign, hurried)

    @property
    def home(self) -> bool:
        """Whether the home store was silent for the whole life of the run lock."""
        return self._home is not None and self._home >= max(self.seconds * GRACE, TICK)

    def given_up(self, in_hand: Mapping[str, str], hurried: bool) -> dict[str, FellSilent]:
        """The stores that are not to be waited for any more; `in_hand`: store → what is at work there, for people.

        Without the run lock nothing may be sent to any of them.
        """
        if self.home:
            lost = FellSilent.home(self.seconds, "; ".join(in_hand.values()))
            return dict.fromkeys(in_hand, lost)
        return {name: self._silent(name, text) for name, text in in_hand.items() if self._stores[name].over(hurried)}

    def _silent(self, name: str, in_hand: str) -> FellSilent:
        seconds = self._stores[name].silent
        return FellSilent.home(seconds, in_hand) if name == self._name else FellSilent.other(name, seconds, in_hand)


class _Quiet:
    def __init__(self, look: Look, seconds: float, clock: Clock) -> None:
        self._look, self._seconds, self._clock = look, seconds, clock
        self._sign: object = None
        self._asked: Call[object] | None = None
        self._waited = 0.0  # for the look under way
        self.silent = 0.0
        self._unheard = 0  # looks that nothing came of, one after the other

    def tick(self, passed: float, sign: object, hurried: bool) -> None:
        if sign != self._sign:
            self._sign, self.silent, self._unheard = sign, 0.0, 0
        self.silent += passed
        if self._asked is not None:
            self._waited += passed
            self._hear(self._asked)
        if self._asked is None and (hurried or self.silent >= self._seconds * QUIET):
            self._asked, self._waited = Call(self._look, "look"), 0.0

    def _hear(self, asked: Call[object]) -> None:
        if asked.done() and self._waited < ANSWER:
            self.silent, self._unheard, self._asked = 0.0, 0, None
        elif self._waited >= ANSWER:
            self._unheard, self._asked = self._unheard + 1, None

    def over(self, hurried: bool) -> bool:
        return self._unheard > 0 and (hurried or self.silent >= self._seconds)
