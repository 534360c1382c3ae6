"""`--only`: the stores that a move must know are reached, the others may be away."""

from __future__ import annotations

import json

import pytest

from tests.servers.command_line import Provision

# In `small`, redis/0002 requires clickhouse/001, and clickhouse/002 postgres/0002; postgres is the home store.
AWAY = {
    "postgres": "postgresql://127.0.0.1:1/x",
    "clickhouse": "clickhouse://127.0.0.1:1/x",
    "redis": "redis://127.0.0.1:1",
}


def _away(monkeypatch: pytest.MonkeyPatch, *stores: str) -> None:
    for store in stores:
        monkeypatch.setenv(f"SMALL_{store.upper()}", AWAY[store])


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(
    ("command", "only", "away"),
    [
        (("status",), "postgres", ("clickhouse", "redis")),
        (("plan",), "postgres", ("clickhouse", "redis")),
        (("history",), "postgres", ("clickhouse", "redis")),
        (("up", "--dry-run"), "postgres", ("clickhouse", "redis")),
        (("up", "--allow-destructive"), "postgres", ("clickhouse", "redis")),
        (("up",), "clickhouse", ("redis",)),
        (("down", "--all"), "clickhouse", ()),
        (("down", "--all", "--dry-run"), "redis", ()),
    ],
)
def test_stores_that_a_command_need_not_know_may_be_away(
    command: tuple[str, ...], only: str, away: tuple[str, ...], provision: Provision, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert provision("up", "postgres/0002").code == 0
    _away(monkeypatch, *away)

    ran = provision(*command, "--only", only, "--output", "json")

    assert (ran.code, [each for each in away if each in ran.err]) == (0, [])


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(
    ("command", "only", "away"),
    [
        (("up",), "redis", "clickhouse"),  # required
        (("up",), "redis", "postgres"),  # the home store
        (("plan",), "clickhouse", "postgres"),
        (("down", "--all"), "clickhouse", "redis"),  # stands on it
        (("down", "--all"), "postgres", "clickhouse"),
        (("status",), "redis", "redis"),
    ],
)
def test_stores_that_a_command_must_know_have_to_answer(
    command: tuple[str, ...], only: str, away: str, provision: Provision, monkeypatch: pytest.MonkeyPatch
) -> None:
    _away(monkeypatch, away)

    ran = provision(*command, "--only", only)

    assert ran.code == 4
    assert away in ran.err


@pytest.mark.usefixtures("small")
def test_a_store_that_was_left_out_is_in_no_line(provision: Provision, monkeypatch: pytest.MonkeyPatch) -> None:
    _away(monkeypatch, "clickhouse", "redis")

    ran = provision("up", "--only", "postgres", "--allow-destructive")

    assert (ran.code, [each for each in ("clickhouse", "redis") if each in ran.out]) == (0, [])


@pytest.mark.usefixtures("small")
def test_a_saved_plan_of_some_stores_is_carried_out_whatever_became_of_the_others(provision: Provision) -> None:
    assert provision("plan", "--only", "clickhouse", "--only", "postgres", "--out", "plan.json").code == 0
    assert provision("up", "redis/0001").code == 0

    ran = provision("up", "--plan", "plan.json", "--allow-destructive", "--output", "json")

    applied = [each["id"] for each in json.loads(ran.out)["applied"]]
    assert (ran.code, {each.split("/")[0] for each in applied}, len(applied)) == (0, {"postgres", "clickhouse"}, 5)
