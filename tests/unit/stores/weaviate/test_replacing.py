"""What a replacement says when it cannot follow the writers."""

from __future__ import annotations

from typing import cast

import pytest

from provision.documents.refused import Refused
from provision.stores.weaviate.copy.objects import Copy
from provision.stores.weaviate.migrate.operations import replacing


class Clock:
    """Time that passes when it is told to."""

    now = 0.0

    def monotonic(self) -> float:
        return self.now


class Followed:
    """A source that is compared in three seconds, and whose 900 changed objects take half a minute to bring over."""

    def __init__(self, clock: Clock) -> None:
        self._clock, self.mending = clock, 0.0

    def look(self, _since: int | None) -> dict[str | None, tuple[int, dict[str, int]]]:
        self._clock.now += 3
        return {}

    def level(self, _since: int | None, _seen: object) -> int:
        self._clock.now += 29
        self.mending += 29
        return 900


def test_catch_up_that_is_too_slow_says_what_takes_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr(replacing, "time", clock)

    with pytest.raises(Refused) as caught:
        replacing.catch_up(cast(Copy, Followed(clock)), 0, {"pause": "30s"}, "Signals_v1")

    assert str(caught.value) == (
        "the last look at Signals_v1 lasts longer than the 30s for which it may refuse writes:"
        " comparing takes 3s, bringing over 900 changed objects 29s"
    )
