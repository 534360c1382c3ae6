"""The same promises of a history in every home store."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
import redis

from provision.kinds import build
from provision.model import StoreOptions
from provision.model.checks import CheckSeverity, Result, Status, ValidationRun
from provision.ports import Store
from provision.ports.validate import History

AT = datetime(2026, 3, 2, 9, 14, 7, 123456, tzinfo=UTC)
RUN = ValidationRun("20260302T091407123456-a", AT, "test", "since 24h", "anna@desk")
GOOD = Result("people", "short", "bad", "postgres", "users", CheckSeverity.HIGH, Status.PASS, total=3, duration_ms=12)
BAD = replace(GOOD, check="long", status=Status.FAIL, bad=2**40, total=2**41, message="längér 'than'")


@pytest.fixture(params=["postgres", "redis"])
def history(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[History]:
    """The empty history of project `shop` in a home store of each kind."""
    kind = str(request.param)
    url = str(request.getfixturevalue({"postgres": "postgres_18", "redis": "redis_6"}[kind]))
    store: Store = build(StoreOptions(kind, kind, "shop", tmp_path, tmp_path))
    store.open(url)
    assert store.history is not None
    yield store.history
    store.close()
    if kind == "redis":
        with redis.Redis.from_url(url) as client:
            client.delete("provision:shop:validation")
        return
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("drop table if exists provision.validation")


def test_history_of_nothing_is_empty_and_stays_unmade(history: History) -> None:
    assert list(history.read()) == []


def test_results_come_back_as_they_were(history: History) -> None:
    history.create()
    history.create()
    history.add(RUN, [GOOD, BAD])

    assert [(kept.run, kept.result) for kept in history.read()] == [(RUN, GOOD), (RUN, BAD)]


def test_samples_are_not_kept(history: History) -> None:
    history.create()
    history.add(RUN, [replace(BAD, samples=({"email": "anna@example"},), new=True, place="checks/a.yaml:1:1")])

    assert history.read()[0].result == BAD


def test_newest_run_comes_first_and_can_be_asked_for(history: History) -> None:
    history.create()
    later = replace(RUN, id="20260303T091407123456-b", at=AT + timedelta(days=1))
    history.add(RUN, [GOOD, BAD])
    history.add(later, [BAD, replace(GOOD, suite="other")])

    def seen(**asked: object) -> list[tuple[str, str, str]]:
        return [(kept.run.id[-1], kept.result.suite, kept.result.check) for kept in history.read(**asked)]  # type: ignore[arg-type]  # each by its name

    assert seen() == [
        ("b", "people", "long"),
        ("b", "other", "short"),
        ("a", "people", "short"),
        ("a", "people", "long"),
    ]
    assert seen(limit=2) == [("b", "people", "long"), ("b", "other", "short")]
    assert seen(suite="other") == [("b", "other", "short")]
    assert seen(check="long") == [("b", "people", "long"), ("a", "people", "long")]
    assert seen(since=AT + timedelta(hours=1)) == [("b", "people", "long"), ("b", "other", "short")]
    assert seen(suite="nothing") == []
