"""Operations on a real server: made, found as they are, different, undone."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from provision.errors import StatementFailed
from provision.model import Direction
from provision.model.statements import Outcome
from provision.stores.influx.store import InfluxStore
from tests.stores.influx.conftest import shown
from tests.stores.influx.moves import down, one, probed, statements, up
from tests.stores.influx.raw import Raw

Make = Callable[..., InfluxStore]

DATABASE = "  - create_database: {name: app}\n"
RAW = "  - create_retention_policy: {database: app, name: raw, duration: 24h}\n"
HOURLY = "  - create_retention_policy: {database: app, name: hourly, duration: 30d}\n"
ROLLUP = """\
  - create_rollup:
      database: app
      name: by hour
      from: {tier: raw, measurement: "the requests"}
      into: {tier: hourly, measurement: group}
      every: 60m
      late: 10m
      fields: {total: sum(bytes), share: sum(bytes) / count(select)}
      group_by: [host, "a b"]
"""
AS_WRITTEN = {"make the server as the file says, or write what it should be"}


def test_all_operations_up_and_down_leave_what_was(make: Make, raw: Raw) -> None:
    store = make(DATABASE, RAW.replace("24h", "24h, default: true") + HOURLY, ROLLUP)

    for number in (1, 2, 3):
        up(store, number)

    assert raw.tiers("app") == {
        "autogen": ("0s", "168h0m0s", False),
        "raw": ("24h0m0s", "1h0m0s", True),
        "hourly": ("720h0m0s", "24h0m0s", False),
    }
    assert raw.queries("app") == {
        "by hour": 'CREATE CONTINUOUS QUERY "by hour" ON app RESAMPLE FOR 2h BEGIN SELECT sum(bytes) AS total,'
        ' sum(bytes) / count("select") AS share INTO app.hourly."group" FROM app.raw."the requests"'
        ' GROUP BY time(1h), host, "a b" fill(none) END'
    }
    for number in (3, 2):
        down(store, number)
    assert (raw.tiers("app"), raw.queries("app")) == ({"autogen": ("0s", "168h0m0s", True)}, {})
    down(store, 1)
    assert raw.databases() == ["provision_vfr"]


def test_operations_that_are_there_already_are_taken_over(make: Make, raw: Raw) -> None:
    raw.ask("CREATE DATABASE app")
    raw.ask("CREATE RETENTION POLICY raw ON app DURATION 1d REPLICATION 1 SHARD DURATION 60m DEFAULT")
    raw.ask("CREATE RETENTION POLICY hourly ON app DURATION 30d REPLICATION 1")
    raw.ask(
        'CREATE CONTINUOUS QUERY "by hour" ON app RESAMPLE FOR 120m BEGIN SELECT sum("bytes") AS total, sum(bytes)'
        ' /count("select") AS share INTO hourly."group" FROM raw."the requests" GROUP BY time(1h), "host", "a b"'
        " fill(none) END"
    )
    before = (raw.tiers("app"), raw.queries("app"))

    store = make(DATABASE + RAW + HOURLY + ROLLUP)

    assert probed(store) == [
        (Outcome.DONE, "database app is there"),
        (Outcome.DONE, "tier raw of app is there"),
        (Outcome.DONE, "tier hourly of app is there"),
        (Outcome.DONE, "rollup by hour of app is there"),
    ]
    up(store)
    assert (raw.tiers("app"), raw.queries("app")) == before


@pytest.mark.parametrize(
    ("there", "operation", "difference"),
    [
        (
            "CREATE RETENTION POLICY raw ON app DURATION 2d REPLICATION 1",
            RAW,
            "tier raw of app is there with a duration of 2d, the file says 24h",
        ),
        (
            "CREATE RETENTION POLICY raw ON app DURATION 24h REPLICATION 1 SHARD DURATION 2h",
            RAW,
            "tier raw of app is there with a shard duration of 2h, the file says 1h",
        ),
        (
            "CREATE RETENTION POLICY raw ON app DURATION 24h REPLICATION 1",
            RAW.replace("24h", "24h, default: true"),
            "tier raw of app is there and is not the default, the file says it is",
        ),
    ],
)
def test_operation_that_is_there_otherwise_is_told_and_left(
    make: Make, raw: Raw, there: str, operation: str, difference: str
) -> None:
    raw.ask("CREATE DATABASE app")
    raw.ask(there)
    before = raw.tiers("app")
    store = make(DATABASE + operation)

    with pytest.raises(StatementFailed) as caught:
        up(store)

    (fix,) = AS_WRITTEN
    assert shown(caught.value) == f"{difference} | influx/0001_case.yaml:3 | {fix} [statement-failed 5]"
    assert raw.tiers("app") == before


def test_rollup_that_is_there_otherwise_is_told_with_its_text(make: Make, raw: Raw) -> None:
    raw.ask("CREATE DATABASE app")
    raw.ask(
        'CREATE CONTINUOUS QUERY "by hour" ON app BEGIN SELECT mean(v) INTO app.autogen.m FROM app.autogen.n GROUP BY'
        " time(1h) END"
    )
    store = make(DATABASE + RAW + HOURLY + ROLLUP)

    with pytest.raises(StatementFailed) as caught:
        up(store)

    (fix,) = AS_WRITTEN
    assert shown(caught.value) == (
        'rollup by hour of app is there as `CREATE CONTINUOUS QUERY "by hour" ON app BEGIN SELECT mean(v) INTO'
        f" app.autogen.m FROM app.autogen.n GROUP BY time(1h) END` | influx/0001_case.yaml:5 | {fix}"
        " [statement-failed 5]"
    )


def test_statement_the_server_refuses_is_told_in_its_words(make: Make) -> None:
    store = make(DATABASE + RAW)

    with pytest.raises(StatementFailed) as caught:
        one(store, 1, 2)

    assert shown(caught.value) == (
        "tier raw of app, kept for 24h: database not found: app | influx/0001_case.yaml:3 |  [statement-failed 5]"
    )


def test_default_tier_that_goes_leaves_autogen_as_default(make: Make, raw: Raw) -> None:
    store = make(DATABASE, RAW.replace("24h", "24h, default: true"))
    up(store, 1)
    up(store, 2)

    down(store, 2)

    assert raw.tiers("app") == {"autogen": ("0s", "168h0m0s", True)}
    raw.write("app", ["m v=1"])


def test_default_tier_that_nothing_can_replace_stays(make: Make, raw: Raw) -> None:
    store = make(DATABASE, RAW.replace("24h", "24h, default: true") + HOURLY)
    up(store, 1)
    up(store, 2)
    raw.ask("DROP RETENTION POLICY autogen ON app")

    with pytest.raises(StatementFailed) as caught:
        one(store, 2, 2, Direction.DOWN)

    assert caught.value.what == "tier raw is the default of app; make one of hourly the default first"
    assert raw.tiers("app")["raw"][2] is True


def test_influxql_runs_probes_and_goes_back(make: Make, raw: Raw) -> None:
    store = make(
        DATABASE,
        "  - influxql:\n"
        "      statement: CREATE RETENTION POLICY odd ON app DURATION 3h REPLICATION 1 SHARD DURATION 2h\n"
        "      probe: {query: SHOW RETENTION POLICIES ON app, contains: [odd, 3h0m0s, 2h0m0s, 1, false]}\n"
        "      down: DROP RETENTION POLICY odd ON app\n",
    )
    up(store, 1)
    assert [outcome for outcome, _ in probed(store, 2)] == [Outcome.NOT_DONE]

    up(store, 2)

    assert raw.tiers("app")["odd"] == ("3h0m0s", "2h0m0s", False)
    (back,) = statements(store, 2, Direction.DOWN)
    assert back.destructive == "DROP RETENTION POLICY odd ON app can lose what is there"
    down(store, 2)
    assert list(raw.tiers("app")) == ["autogen"]
