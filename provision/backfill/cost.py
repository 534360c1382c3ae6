"""What a batch costs: a fixed part, whatever its rows, and a part of each row, told apart from the last batches."""

from __future__ import annotations

from collections import deque
from itertools import combinations
from statistics import median

WINDOW = 24  # batches
APART = 0.2  # two sizes that differ by less tell nothing about the cost of a row
ENOUGH = 4  # pairs of sizes apart
STRAYS = 3  # batches in a row that are nothing like what was expected: the costs have changed
UNLIKE = 1.5  # × as long as expected, or as short
USUAL = 0.85  # of the batches should take no longer than expected times `noise`
NOISIEST = 2.0
LEAST = 1e-9  # seconds of a row: a clock that shows none at all


class BatchCost:
    """Seconds of a batch: `fixed`, `per_row` of its rows, and by how much most of them may exceed both: `noise`.

    The slope is the median of those between any two batches of different size, so that a few that met a checkpoint or
    a busy machine turn nothing. While all sizes are `alike`, the fixed part is taken as it was learnt before: somebody
    should try another size.
    """

    def __init__(self) -> None:
        self.fixed, self.per_row, self.noise = 0.0, 0.0, 1.0
        self.alike = False
        self._seen: deque[tuple[int, float]] = deque(maxlen=WINDOW)
        self._strays: deque[tuple[int, float]] = deque(maxlen=STRAYS)
        self._way = 0  # of the last one: 1 slower than expected, -1 faster

    @property
    def known(self) -> bool:
        return bool(self._seen)

    def expected(self, rows: int) -> float:
        return self.fixed + self.per_row * rows

    def add(self, rows: int, seconds: float) -> None:
        """Learn from a batch of at least one row."""
        self._stray(rows, seconds)
        self._seen.append((rows, seconds))
        slopes = [
            (much - little) / (many - few)
            for (few, little), (many, much) in combinations(sorted(self._seen), 2)
            if many - few > APART * many
        ]
        # Two of another size make so many pairs with the rest.
        self.alike = len(self._seen) >= ENOUGH and len(slopes) < 2 * (len(self._seen) - 2)
        if len(slopes) >= ENOUGH:
            self.per_row = max(median(slopes), LEAST)
            self.fixed = max(median(took - self.per_row * size for size, took in self._seen), 0.0)
        else:
            self.fixed = min(self.fixed, min(took for _, took in self._seen))
            self.per_row = max(median((took - self.fixed) / size for size, took in self._seen), LEAST)
        ratios = sorted(took / max(self.expected(size), LEAST) for size, took in self._seen)
        self.noise = min(max(ratios[int(USUAL * (len(ratios) - 1))], 1.0), NOISIEST)

    def _stray(self, rows: int, seconds: float) -> None:
        """Forget what was learnt under other costs, once some batches in a row say the same."""
        usual = self.expected(rows)
        way = (seconds > usual * UNLIKE * self.noise) - (seconds * UNLIKE < usual) if self.known else 0
        if not way or way != self._way:
            self._strays.clear()
        self._way = way
        if way:
            self._strays.append((rows, seconds))
        if len(self._strays) == STRAYS:
            self._seen.clear()
            self._seen.extend(list(self._strays)[:-1])
            self._strays.clear()
