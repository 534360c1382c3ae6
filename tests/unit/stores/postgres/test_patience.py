"""How long an attempt may wait for locks, by a clock that is handed in."""

from __future__ import annotations

import psycopg
import pytest

from provision.stores.postgres.migrate import patience
from provision.stores.postgres.migrate.patience import Limits, LockBudget, limits, lost


class Clock:
    now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(patience, "time", made)
    return made


def test_budget_begins_with_the_first_statement_and_is_told_when_less_is_left(clock: Clock) -> None:
    budget = LockBudget(0.75)
    clock.now += 60  # before anything was sent
    assert budget.to_tell(budget.left()) is None
    clock.now += 0.01
    assert budget.to_tell(budget.left()) is None
    clock.now += 0.3
    assert budget.to_tell(budget.left()) == "440ms"
    clock.now += 60
    assert budget.to_tell(budget.left()) == "1ms"
    budget.renew()
    assert budget.to_tell(budget.left()) == "750ms"


@pytest.mark.parametrize(
    ("given", "header", "expected"),
    [
        ({}, {}, Limits(0.75, None, 30)),
        ({"lock_timeout": "2s", "retries": "4"}, {}, Limits(2.0, None, 4)),
        ({"lock_timeout": "2s", "retries": 4}, {"lock_timeout": "100ms"}, Limits(0.1, None, 4)),
        ({"statement_timeout": "1m"}, {"statement_timeout": "0"}, Limits(0.75, 0.0, 30)),
    ],
)
def test_limits_of_the_head_go_before_those_of_the_store(
    given: dict[str, object], header: dict[str, object], expected: Limits
) -> None:
    assert limits(given, header, 1.0) == expected


def test_default_lies_below_the_servers_look_for_deadlocks_and_below_three_seconds() -> None:
    assert limits({}, {}, 0.2).lock < 0.2
    assert limits({}, {}, 60).lock == 3.0


@pytest.mark.parametrize(
    ("error", "canceled", "code"),
    [
        (psycopg.errors.LockNotAvailable(), False, "55P03"),
        (psycopg.errors.DeadlockDetected(), False, "40P01"),
        (psycopg.errors.SerializationFailure(), False, "40001"),
        (psycopg.errors.QueryCanceled(), False, ""),
        (psycopg.errors.QueryCanceled(), True, "57014"),
        (psycopg.errors.UndefinedTable(), True, ""),
        (KeyError("x"), True, ""),
    ],
)
def test_lost_races_are_told_from_other_errors(error: Exception, canceled: bool, code: str) -> None:
    assert lost(error, canceled=canceled) == code
    wrapped = RuntimeError("the revision's own words")
    wrapped.__cause__ = error
    assert lost(wrapped, canceled=canceled) == code
