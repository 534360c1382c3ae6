"""Times pairs of commands in turn: ours and theirs next to each other, the order changing from round to round."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from statistics import median

Timed = Callable[[], float]


@dataclass
class Pair:
    """Two ways to do the same. `bound` is the highest ratio ours ÷ theirs that is accepted; None: only reported."""

    name: str
    ours: Timed
    theirs: Timed
    against: str
    rounds: int
    bound: float | None = None
    seconds: list[tuple[float, float]] = field(default_factory=list)

    @property
    def our_median(self) -> float:
        return median(ours for ours, _ in self.seconds)

    @property
    def their_median(self) -> float:
        return median(theirs for _, theirs in self.seconds)

    @property
    def ratio(self) -> float:
        """The median of the rounds' own ratios: what disturbs a round disturbs both of its sides."""
        return median(ours / theirs for ours, theirs in self.seconds)

    @property
    def spread(self) -> tuple[float, float]:
        """The lowest and the highest ratio of a round."""
        ratios = [ours / theirs for ours, theirs in self.seconds]
        return min(ratios), max(ratios)

    def once(self, number: int) -> None:
        if number % 2:
            theirs = self.theirs()
            self.seconds.append((self.ours(), theirs))
        else:
            ours = self.ours()
            self.seconds.append((ours, self.theirs()))


def run(pairs: Sequence[Pair], tell: Callable[[str], None]) -> None:
    """Every pair its number of rounds, all pairs in turn, so that a busy minute does not fall on one of them."""
    for number in range(max(pair.rounds for pair in pairs)):
        for pair in _due(pairs, number):
            pair.once(number)
            ours, theirs = pair.seconds[-1]
            tell(f"round {number + 1:>2}  {pair.name:<34} {ours:>8.3f} s {theirs:>8.3f} s  {ours / theirs:>5.2f}")


def _due(pairs: Iterable[Pair], number: int) -> Iterable[Pair]:
    return (pair for pair in pairs if number < pair.rounds)
