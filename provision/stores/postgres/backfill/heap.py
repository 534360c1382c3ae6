"""Walks a heap from its first block to its last: chunk after chunk of blocks, and each chunk stripe by stripe.

A full page has no room for a row's new version. If a batch fills all rows of a page, each goes to another page and into
every index; if it fills a few, their places are free by the next batch, and most of the others stay in their page (HOT)
and out of the indexes. So a batch takes some lines of each page of a chunk, and the chunk, still in memory, is walked
again for the next lines. With 2 million rows that took half the time, with three quarters of the WAL and two thirds of
the heap.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

Block = tuple[int, int]
"""A place in the heap: block and line."""
STRIPES = 16
# The rows of the first stripes move to other pages, and take so many times as long as those of the others.
_DEAR = {0: 3, 1: 2}


@dataclass(frozen=True, slots=True)
class HeapPosition:
    """Where a part that ends before the block `end` goes on: at a line of a block, in one of the stripes of the chunk
    from block `low` to before `high`. A chunk without a block is none yet."""

    at: Block
    end: int
    low: int
    high: int
    stripe: int
    stripes: int

    @classmethod
    def of(cls, cursor: Mapping[str, Any]) -> HeapPosition:
        """The place of a cursor: `block`, `to`, and within a chunk also `chunk` and `stripe`, with how many it has."""
        block, line = cursor["block"]
        low, high = cursor.get("chunk", (block, block))
        stripe, stripes = cursor.get("stripe", (0, 1))
        return cls((block, line), cursor["to"], low, high, stripe, stripes)

    @property
    def cursor(self) -> Mapping[str, Any]:
        begun = {"chunk": [self.low, self.high], "stripe": [self.stripe, self.stripes]}
        return {"block": list(self.at), "to": self.end, **(begun if self.low < self.high else {})}

    @property
    def done(self) -> bool:
        return self.at[0] >= self.end

    def begun(self, rows: int, density: int) -> HeapPosition:
        """In a chunk of which each stripe has about so many rows; `density`: rows of a block."""
        if self.low < self.high:
            return self
        stripes = min(density, STRIPES)
        blocks = max(rows * stripes // density, 1)
        return replace(self, stripes=stripes, low=self.at[0], high=min(self.at[0] + blocks, self.end))

    def blocks(self, rows: int, density: int) -> int:
        """How many blocks a batch takes that lasts as long as so many rows of most stripes; 0: a part of one."""
        fit = rows * self.stripes // density // self._dear
        left = self.high - self.at[0]
        # Pieces of one size: a short one at the end would cost a transaction for little.
        return math.ceil(left / max(round(left / fit), 1)) if fit else 0

    def rows(self, blocks: int, density: int) -> int:
        """The opposite of `blocks`."""
        return blocks * density * self._dear // self.stripes

    def conditions(self, to: Block) -> list[str]:
        """Of this stripe's rows from here to before `to`."""
        stripe = f"mod((ctid::text::point)[1]::int, {self.stripes}) = {self.stripe}"
        limits = [f"ctid >= '({self.at[0]},{self.at[1]})'::tid", f"ctid < '({to[0]},{to[1]})'::tid"]
        return [*limits, stripe] if self.stripes > 1 else limits

    def moved(self, to: Block) -> HeapPosition:
        """The place after the rows before `to`: in this stripe, at the begin of the next, or behind the chunk."""
        if to[0] < self.high:
            return replace(self, at=to)
        if self.stripe + 1 < self.stripes:
            return replace(self, at=(self.low, 0), stripe=self.stripe + 1)
        return replace(self, at=(self.high, 0), low=self.high, stripe=0)

    @property
    def _dear(self) -> int:
        return _DEAR.get(self.stripe, 1) if self.stripes > 1 else 1
