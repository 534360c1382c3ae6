"""`stats` on real engines, and what `verify` makes of it."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema_rs
import psycopg

from provision.project import Project
from tests.cli.test_verify import ROOT, revision
from tests.cli.test_verify import shop as shop  # the fixture
from tests.servers.command_line import Provision

ROWS = 20_000


def test_stats_of_an_environment_make_a_forecast_of_what_it_has_not_applied(shop: Path, provision: Provision) -> None:
    assert provision("up", "--env", "local").code == 0
    with psycopg.connect(Project.open(shop, "local").url("postgres"), autocommit=True) as connection:
        connection.execute("insert into orders select i, 'old' from generate_series(1, %s) i", (ROWS,))
        connection.execute("analyze orders")

    ran = provision("stats", "--env", "local", "--out", "stats.json")

    assert (ran.code, ran.out.splitlines()[-1]) == (0, "stats.json is written")
    assert f"public.orders  {ROWS:,} rows, " in ran.out
    kept = json.loads((shop / "stats.json").read_text())
    schema = json.loads((ROOT / "docs" / "schemas" / "stats.json").read_text())
    jsonschema_rs.validator_for(schema).validate(kept)
    assert kept["stores"]["postgres"]["tables"]["public.orders"]["rows"] == ROWS
    assert kept["stores"]["postgres"]["tables"]["public.orders"]["writes_per_second"] > 0
    assert kept["stores"]["redis"]["tables"]["events"]["rows"] == 0
    assert sorted(kept["applied"]) == ["postgres/0001", "redis/0001"]

    revision(shop, 2, 'op.execute("create index by_status on orders (status)")', 'op.execute("drop index by_status")')
    told = json.loads(provision("verify", "--stats", "stats.json", "--output", "json").out)

    forecasts = {each["id"]: each for each in told["forecasts"]}
    assert {each["environment"] for each in told["forecasts"]} == {"local"}
    assert {id: each["basis"] for id, each in forecasts.items()} == {
        "postgres/0001": "history",
        "redis/0001": "history",
        "postgres/0002": "measured",
    }
    assert forecasts["postgres/0001"]["ms"] == kept["applied"]["postgres/0001"]
    assert (forecasts["postgres/0002"]["rows"], forecasts["postgres/0002"]["why"]) == (ROWS, "")
    assert not (shop / "temporary").exists() or not list((shop / "temporary").iterdir())


def test_statistics_that_cannot_be_read_say_how_they_are_made(shop: Path, provision: Provision) -> None:
    (shop / "stats.json").write_text('{"form": 9}')
    ran = provision("verify", "--stats", "stats.json")
    assert (ran.code, "error[bad-statistics]" in ran.err) == (2, True)
    assert "its form is 9" in ran.err
    assert "provision stats --env NAME --out FILE" in ran.err
