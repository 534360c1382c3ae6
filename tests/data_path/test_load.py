"""Mixed load while every server is killed twice, for two minutes; `make load` is half an hour of it."""

from __future__ import annotations

from tests import load


def test_nothing_acknowledged_is_lost_while_servers_are_killed_again_and_again() -> None:
    kept = load.run(minutes=2)
    assert kept.unnamed == {}
    assert kept.errors["StorageError"] + kept.errors["PoolExhausted"] > 0
    assert kept.errors["EventsUnavailable"] > 0
    counts = (kept.features, kept.predictions, kept.actuals, kept.events, kept.points, kept.patterns, kept.feedback)
    assert all(len(each) > 50 for each in counts)
    assert kept.reads > 50
    assert len(kept.metrics) > 20
    assert len(kept.consumed & {*kept.events}) > 0.5 * len(kept.events)
