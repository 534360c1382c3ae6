"""Altering a tier: what it deletes is said, and the server's traps are stepped around in one statement."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from provision.kinds import build
from provision.model import Direction, Step
from provision.model.statements import Outcome
from provision.stores.influx.store import InfluxStore
from tests.stores.influx.conftest import Write
from tests.stores.influx.moves import probed, statements, up
from tests.stores.influx.raw import Raw

Make = Callable[..., InfluxStore]

TIER = "  - create_database: {{name: app}}\n  - create_retention_policy: {{database: app, name: raw, duration: {}}}\n"
ALTER = "up:\n  - alter_retention_policy: {{database: app, name: raw, {}}}\ndown: {{irreversible: x}}\n"


@pytest.mark.parametrize(
    ("before", "change", "text", "after"),
    [
        # The old shard duration, a week, would be longer than the new duration: it becomes the server's own for that.
        ("2555d", "duration: 3d", "DURATION 3d", ("72h0m0s", "24h0m0s", False)),
        ("30d", "duration: 5h", "DURATION 5h", ("5h0m0s", "1h0m0s", False)),
        ("30d", "duration: inf", "DURATION INF", ("0s", "24h0m0s", False)),
        ("30d, shard_duration: 2d", "duration: 60d", "DURATION 60d", ("1440h0m0s", "48h0m0s", False)),
        ("30d", "shard_duration: 7d", "SHARD DURATION 7d", ("720h0m0s", "168h0m0s", False)),
        ("30d", "default: true", "DEFAULT", ("720h0m0s", "24h0m0s", True)),
        (
            "30d",
            "duration: 60d, shard_duration: 2d, default: true",
            "DURATION 60d SHARD DURATION 2d DEFAULT",
            ("1440h0m0s", "48h0m0s", True),
        ),
    ],
)
def test_alter_is_one_statement_that_the_server_takes(
    make: Make, raw: Raw, before: str, change: str, text: str, after: tuple[str, str, bool]
) -> None:
    store = make(TIER.format(before), ALTER.format(change))
    up(store, 1)
    assert [outcome for outcome, _ in probed(store, 2)] == [Outcome.NOT_DONE]

    (statement,) = statements(store, 2)
    up(store, 2)

    assert statement.text == f'ALTER RETENTION POLICY "raw" ON "app" {text}'
    assert raw.tiers("app")["raw"] == after


@pytest.mark.parametrize(
    ("before", "change", "loss"),
    [
        ("30d", "duration: 10d", "points of tier raw of app older than 10d are lost; it keeps them for 30d now"),
        ("inf", "duration: 10d", "points of tier raw of app older than 10d are lost; it keeps them for ever now"),
        ("30d", "duration: 30d", None),
        ("30d", "duration: 60d", None),
        ("30d", "duration: inf", None),
        ("30d", "shard_duration: 1h", None),
        ("30d", "default: true", None),
    ],
)
def test_alter_that_shortens_says_what_it_deletes(write: Write, before: str, change: str, loss: str | None) -> None:
    store = build(write(TIER.format(before), ALTER.format(change)))

    losses = [loss] if loss else []
    assert list(store.losses(Step(store.revisions()[1]))) == losses
    assert store.revisions()[1].destructive == bool(loss)


def test_alter_knows_of_the_alteration_before_it(write: Write) -> None:
    store = build(write(TIER.format("30d"), ALTER.format("duration: 60d"), ALTER.format("duration: 45d")))

    assert [list(store.losses(Step(each))) for each in store.revisions()] == [
        [],
        [],
        ["points of tier raw of app older than 45d are lost; it keeps them for 60d now"],
    ]


def test_alter_back_in_a_down_says_what_it_deletes(write: Write) -> None:
    up_and_down = (
        "up:\n  - alter_retention_policy: {database: app, name: raw, duration: 60d}\n"
        "down:\n  - alter_retention_policy: {database: app, name: raw, duration: 30d}\n"
    )
    store = build(write(TIER.format("30d"), up_and_down))

    assert list(store.losses(Step(store.revisions()[1], Direction.DOWN))) == [
        "points of tier raw of app older than 30d are lost; it keeps them for 60d now"
    ]


def test_alter_of_a_tier_that_is_gone_cannot_tell(make: Make, raw: Raw) -> None:
    store = make(TIER.format("30d"), ALTER.format("duration: 60d"))
    up(store, 1)
    raw.ask("DROP RETENTION POLICY raw ON app")

    assert probed(store, 2) == [(Outcome.CANNOT_TELL, "there is no tier raw in app")]
