"""How large batches are: found under noise, through a network, and again when what a row costs has changed."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from provision.backfill.cost import BatchCost
from provision.backfill.pace import LEAST, BatchSize

TARGET = 0.1


@dataclass
class Server:
    """A server in a clock of its own: seconds of a batch, and those of the network around it."""

    fixed: float
    per_row: float
    away: float = 0.0
    noise: float = 0.0
    stalls: float = 0.0  # share of the batches that take five times as long
    chance: random.Random = field(default_factory=lambda: random.Random(1))

    def seconds(self, rows: int) -> float:
        stalled = 5 if self.chance.random() < self.stalls else 1
        return (self.fixed + self.per_row * rows) * self.chance.lognormvariate(0, self.noise) * stalled

    @property
    def allowed(self) -> float:
        """Rows a second with batches that last as long as the target."""
        return (TARGET - self.fixed) / self.per_row / (TARGET + self.away)


@dataclass
class Worked:
    rows: int = 0
    seconds: float = 0.0
    ended: int = 0
    longer: int = 0  # than the target
    longest: float = 0.0
    sizes: list[int] = field(default_factory=list)


def work(size: BatchSize, server: Server, batches: int) -> Worked:
    """So many batches as a worker does them; one that lasts too long is ended."""
    done = Worked()
    for _ in range(batches):
        done.sizes.append(size.rows)
        took, limit = server.seconds(size.rows), size.limit
        if limit and took > limit:
            took, done.ended = limit, done.ended + 1
            size.ended(size.rows, limit)
        else:
            done.rows += size.rows
            size.took(size.rows, took, held=True)
        done.seconds += took + server.away
        done.longest = max(done.longest, took)
        done.longer += took > TARGET
    return done


FIXED = st.floats(0.0, 0.4 * TARGET)
PER_ROW = st.floats(1e-6, 1e-3)
AWAY = st.sampled_from([0.0, 0.01, 0.06, 0.2])
SEEDS = st.integers(0, 10_000)


@given(FIXED, PER_ROW, AWAY)
@example(6.1e-05, 0.001, 0.06)  # every batch of its window was as small as a trial, for ever
@settings(max_examples=60, deadline=None)
def test_batches_reach_what_the_target_and_the_network_allow(fixed: float, per_row: float, away: float) -> None:
    size, server = BatchSize(500, TARGET), Server(fixed, per_row, away)
    work(size, server, 40)
    done = work(size, server, 50)

    assert done.rows / done.seconds >= 0.8 * server.allowed
    assert done.longest <= TARGET
    assert not done.ended


@given(FIXED, PER_ROW, SEEDS)
@settings(max_examples=60, deadline=None)
def test_noise_and_stalls_cost_little_and_nobody_waits_longer(fixed: float, per_row: float, seed: int) -> None:
    server = Server(fixed, per_row, noise=0.1, stalls=0.03, chance=random.Random(seed))
    size = BatchSize(500, TARGET)
    work(size, server, 40)
    done = work(size, server, 200)

    assert done.longer <= 2  # of 200: a stall behind one that was ended, at the floor
    assert done.rows / done.seconds >= 0.5 * server.allowed
    assert done.ended < 50


@given(FIXED, PER_ROW, FIXED, PER_ROW, SEEDS)
@settings(max_examples=60, deadline=None)
def test_batches_shrink_and_grow_again_when_the_costs_change(
    fixed: float, per_row: float, then_fixed: float, then_per_row: float, seed: int
) -> None:
    chance = random.Random(seed)
    size, before = BatchSize(500, TARGET), Server(fixed, per_row, noise=0.05, chance=chance)
    after = Server(then_fixed, then_per_row, noise=0.05, chance=chance)
    work(size, before, 40)
    work(size, after, 40)
    done = work(size, after, 60)
    assert done.rows / done.seconds >= 0.55 * after.allowed

    work(size, before, 40)
    back = work(size, before, 60)
    assert back.rows / back.seconds >= 0.55 * before.allowed


@pytest.mark.parametrize("fixed", [0.09, 0.15, 1.0])
def test_a_batch_that_takes_long_without_any_row_never_collapses(fixed: float) -> None:
    size, server = BatchSize(500, TARGET), Server(fixed, 1e-5)
    done = work(size, server, 60)

    assert done.sizes[-1] >= LEAST * TARGET / 1e-5 * 0.9
    assert done.rows > 0


@pytest.mark.parametrize("away", [0.03, 0.1, 0.5])
def test_a_network_in_the_time_of_a_batch_is_not_taken_for_the_cost_of_rows(away: float) -> None:
    """As in a store whose batches are requests: what is measured has the round trips in it, and locks nothing."""
    size, sizes = BatchSize(500, TARGET), list[int]()
    for _ in range(40):
        size.took(size.rows, away + size.rows * 1e-5)
        sizes.append(size.rows)

    assert max(sizes[-5:]) * 1e-5 == pytest.approx(TARGET, rel=0.15)  # one may be a trial of fewer


def test_batches_grow_no_faster_than_twice() -> None:
    size = BatchSize(100, TARGET)
    sizes = work(size, Server(0.0, 1e-5), 9).sizes

    assert sizes == [100, 200, 400, 800, 1600, 3200, 6400, 9500, 9500]


def test_a_batch_that_others_waited_for_too_long_is_believed_at_once() -> None:
    size = BatchSize(10_000, TARGET)
    size.took(10_000, 0.095, held=True)
    size.took(10_000, 0.5, held=True)

    assert size.rows == 2_000


def test_a_row_that_takes_longer_than_the_target_comes_alone_and_without_a_limit() -> None:
    size = BatchSize(500, TARGET)
    work(size, Server(0.0, 0.3), 20)

    assert (size.rows, size.limit) == (1, 0.0)


def test_wide_rows_limit_a_batch_whatever_its_time() -> None:
    size = BatchSize(500, TARGET)
    size.at_most(40)

    assert max(work(size, Server(0.0, 1e-6), 20).sizes) == 40


def test_the_short_end_of_a_part_teaches_nothing_at_first() -> None:
    size = BatchSize(1_000, TARGET)
    size.took(3, 0.09)
    size.took(0, 5.0)

    assert size.rows == 1_000


def test_locked_rows_halve_a_batch_down_to_one_row() -> None:
    size = BatchSize(3, TARGET)
    size.halve()
    size.halve()

    assert size.rows == 1


@pytest.mark.parametrize("outlier", [0.0, 30.0])
def test_the_fit_tells_fixed_from_row_and_one_that_stalled_turns_nothing(outlier: float) -> None:
    cost = BatchCost()
    for rows in (100, 200, 400, 800, 1600, 1500, 1400):
        cost.add(rows, 0.03 + rows * 1e-5)
    if outlier:
        cost.add(1500, outlier)

    assert cost.fixed == pytest.approx(0.03, rel=0.1)
    assert cost.per_row == pytest.approx(1e-5, rel=0.1)
