"""The walk through a heap: every row is met once, whatever the sizes of the batches and of the rows."""

from __future__ import annotations

import random
import re
from collections import Counter

import pytest

from provision.stores.postgres.backfill.heap import Block, HeapPosition

_CONDITIONS = re.compile(r".*'\((\d+),(\d+)\)'.*'\((\d+),(\d+)\)'::tid(?:.*, (\d+)\) = (\d+))?$")


def _rows(conditions: list[str], density: int, end: int) -> list[Block]:
    """The rows that a server finds, of a heap of `end` blocks with so many lines each."""
    match = _CONDITIONS.match(" ".join(conditions))
    assert match is not None
    low, high = (int(match[1]), int(match[2])), (int(match[3]), int(match[4]))
    stripes, stripe = int(match[5] or 1), int(match[6] or 0)
    blocks = range(low[0], min(high[0] + 1, end))
    rows = [(block, line) for block in blocks for line in range(1, density + 1)]
    return [row for row in rows if low <= row < high and row[1] % stripes == stripe]


@pytest.mark.parametrize("seed", range(200))
def test_every_row_is_met_once_whatever_the_sizes(seed: int) -> None:
    chance = random.Random(seed)
    begin, blocks, density = chance.randint(0, 5), chance.randint(1, 40), chance.randint(1, 60)
    sizes = [chance.choice([1, 7, 60, 900]) for _ in range(chance.randint(1, 8))]
    end = begin + blocks
    cursor = HeapPosition((begin, 0), end, begin, begin, 0, 1).cursor
    met: Counter[Block] = Counter()
    for n in range(100_000):
        place = HeapPosition.of(cursor).begun(sizes[n % len(sizes)], density)
        some = place.blocks(sizes[n % len(sizes)], density)
        to = (place.at[0] + (some or 1), 0)
        met.update(_rows(place.conditions(to), density, end))
        place = place.moved(to)
        cursor = place.cursor
        if place.done:
            break
    assert met == Counter({(block, line): 1 for block in range(begin, end) for line in range(1, density + 1)})


def test_a_few_lines_of_a_block_are_a_batch_of_their_own() -> None:
    place = HeapPosition.of({"block": [3, 0], "to": 9}).begun(1, 40)

    assert place.blocks(1, 40) == 0
    after = place.moved((3, 17))
    assert after.cursor == {"block": [3, 17], "to": 9, "chunk": [3, 4], "stripe": [0, 16]}
    assert HeapPosition.of(after.cursor) == after


@pytest.mark.parametrize(("stripe", "blocks"), [(0, 34), (1, 50), (2, 100), (15, 100)])
def test_batches_of_the_first_stripes_are_smaller(stripe: int, blocks: int) -> None:
    place = HeapPosition((0, 0), 1000, 0, 100, stripe, 16)

    assert place.blocks(250, 40) == blocks
    assert place.rows(blocks, 40) == pytest.approx(250, rel=0.02)


def test_a_short_piece_at_the_end_is_no_batch_of_its_own() -> None:
    assert HeapPosition((0, 0), 1000, 0, 110, 5, 16).blocks(250, 40) == 110
    assert HeapPosition((0, 0), 1000, 0, 160, 5, 16).blocks(250, 40) == 80
