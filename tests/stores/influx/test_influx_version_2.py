"""InfluxDB 2: buckets, mappings and tasks as the API shows them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from provision.errors import ConfigError, ProvisionError, StatementFailed
from provision.kinds import build
from provision.model import Direction, StoreOptions
from provision.model.statements import Outcome
from provision.stores.influx.setup import health, live
from provision.stores.influx.store import InfluxStore
from tests.stores.influx.api import Api
from tests.stores.influx.conftest import Write, shown
from tests.stores.influx.moves import down, one, probed, up

ROOT = Path(__file__).parents[3]
KEYS = {"org": "vfr", "token": "word"}
DATABASE = "  - create_database: {name: app}\n"
RAW = "  - create_retention_policy: {database: app, name: raw, duration: 24h, default: true}\n"
HOURLY = "  - create_retention_policy: {database: app, name: hourly, duration: 30d}\n"
ROLLUP = """\
  - create_rollup:
      database: app
      name: by_hour
      from: {tier: raw, measurement: requests}
      into: {tier: hourly, measurement: requests_1h}
      every: 1h
      late: 10m
      fields: {total: sum(bytes), share: sum(bytes) / count(bytes)}
      group_by: [host]
"""
HOUR = 3600


@pytest.fixture
def make(write: Write, api: Api) -> Iterator[Callable[..., InfluxStore]]:
    """Makes an open store over documents given as `write` takes them."""
    made: list[InfluxStore] = []

    def one(*texts: str) -> InfluxStore:
        store = build(write(*texts, **KEYS))
        assert isinstance(store, InfluxStore)
        store.open(api.url)
        store.ledger.create()
        made.append(store)
        return store

    yield one
    for store in made:
        store.close()


Make = Callable[..., InfluxStore]


def test_all_operations_up_and_down_leave_what_was(make: Make, api: Api) -> None:
    store = make(DATABASE, RAW + HOURLY, ROLLUP)
    empty = (api.mappings(), api.tasks())

    for number in (1, 2, 3):
        up(store, number)

    ledger = {"provision_vfr/ledger": (0, 604800)}
    assert api.buckets() == ledger | {
        "app/autogen": (0, 604800),
        "app/raw": (86400, 3600),
        "app/hourly": (2592000, 86400),
    }
    assert api.mappings() == {"app/autogen": False, "app/raw": True, "app/hourly": False}
    (task,) = api.tasks().values()
    assert (task["name"], task["every"], task["offset"], task["status"]) == ("app/by_hour", "1h", "1m", "active")
    for number in (3, 2):
        down(store, number)
    assert (api.mappings(), api.tasks()) == ({"app/autogen": True}, {})
    down(store, 1)
    assert (api.buckets(), api.mappings(), api.tasks()) == (ledger, *empty)


def test_drop_database_takes_tasks_mappings_and_buckets(make: Make, api: Api) -> None:
    store = make(DATABASE + RAW + HOURLY + ROLLUP, "up:\n  - drop_database: {name: app}\ndown: {irreversible: x}\n")
    up(store, 1)

    up(store, 2)

    assert (list(api.buckets()), api.mappings(), api.tasks()) == (["provision_vfr/ledger"], {}, {})


def test_alter_changes_bucket_and_default(make: Make, api: Api) -> None:
    change = "duration: 3d, default: true"
    altered = f"up:\n  - alter_retention_policy: {{database: app, name: hourly, {change}}}\ndown: {{irreversible: x}}\n"
    store = make(DATABASE + RAW + HOURLY, altered)
    up(store, 1)

    up(store, 2)

    assert api.buckets()["app/hourly"] == (259200, 86400)
    assert api.mappings() == {"app/autogen": False, "app/raw": False, "app/hourly": True}


def test_alter_keeps_the_shard_duration_that_it_does_not_name(make: Make, api: Api) -> None:
    tier = "  - create_retention_policy: {database: app, name: raw, duration: 30d, shard_duration: 2d}\n"
    alter = "up:\n  - alter_retention_policy: {database: app, name: raw, duration: 60d}\ndown: {irreversible: x}\n"
    store = make(DATABASE + tier, alter)
    up(store, 1)

    up(store, 2)

    assert api.buckets()["app/raw"] == (5184000, 172800)


def test_tier_half_made_is_completed(make: Make, api: Api) -> None:
    store = make(DATABASE + HOURLY)
    up(store)
    org = api.ask("GET", "/api/v2/orgs?org=vfr")["orgs"][0]["id"]
    listed = api.ask("GET", "/api/v2/dbrps?org=vfr&rp=hourly")["content"]
    (mapping,) = [each for each in listed if not each.get("virtual")]
    api.ask("DELETE", f"/api/v2/dbrps/{mapping['id']}?orgID={org}")
    assert probed(store)[1] == (Outcome.NOT_DONE, "bucket app/hourly is there without its mapping")

    one(store, 1, 2)

    assert api.mappings()["app/hourly"] is False


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        (
            {"flux": 'option task = {name: "app/by_hour", every: 1h}\nx = 1'},
            "task app/by_hour is there with another script",
        ),
        ({"status": "inactive"}, "task app/by_hour is there and inactive"),
    ],
)
def test_task_that_is_there_otherwise_is_told_and_left(
    make: Make, api: Api, change: dict[str, str], difference: str
) -> None:
    store = make(DATABASE + RAW + HOURLY, ROLLUP)
    up(store, 1)
    up(store, 2)
    api.ask("PATCH", f"/api/v2/tasks/{api.tasks()['app/by_hour']['id']}", change)
    before = api.tasks()

    with pytest.raises(StatementFailed) as caught:
        up(store, 2)

    assert caught.value.what == difference
    assert api.tasks() == before


def test_task_named_twice_is_told(make: Make, api: Api) -> None:
    store = make(DATABASE + RAW + HOURLY, ROLLUP)
    up(store, 1)
    up(store, 2)
    task = api.tasks()["app/by_hour"]
    again = api.ask("POST", "/api/v2/tasks", {"flux": task["flux"], "orgID": task["orgID"]})

    ((outcome, reason),) = probed(store, 2)

    assert outcome is Outcome.CANNOT_TELL
    assert reason == f"there are 2 tasks named app/by_hour: {task['id']}, {again['id']}"


def test_task_run_by_the_server_writes_what_a_continuous_query_would(make: Make, api: Api) -> None:
    store = make(DATABASE + RAW + HOURLY, ROLLUP)
    up(store, 1)
    up(store, 2)
    end = int(datetime.now(UTC).timestamp()) // HOUR * HOUR
    lines = [
        f"requests,host=a,path=/x bytes=10 {end - 2 * HOUR + 5}",  # in the window before: late points are counted too
        f"requests,host=a,path=/x bytes=1 {end - HOUR}",
        f"requests,host=a,path=/y bytes=4 {end - HOUR + 5}",
        f"requests,host=b,path=/x bytes=7 {end - 1}",
        f"requests,host=a,path=/x bytes=99 {end}",
    ]
    api.ask("POST", "/api/v2/write?org=vfr&bucket=app/raw&precision=s", "\n".join(lines))

    at = datetime.fromtimestamp(end, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    api.roll("app/by_hour", at)

    found = {(each["host"], each["_field"], each["_time"]): float(each["_value"]) for each in api.rolled("app/hourly")}
    early, late = (datetime.fromtimestamp(end - hours * HOUR, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") for hours in (2, 1))
    assert found == {
        ("a", "total", early): 10,
        ("a", "share", early): 10,
        ("a", "total", late): 5,
        ("a", "share", late): 2.5,
        ("b", "total", late): 7,
        ("b", "share", late): 7,
    }
    assert {each["_measurement"] for each in api.rolled("app/hourly")} == {"requests_1h"}
    assert all("path" not in each for each in api.rolled("app/hourly"))


def test_shipped_documents_are_taken_imported_and_healthy(api: Api) -> None:
    options = StoreOptions("influx", "influx", "vfr", ROOT / "influx", ROOT, KEYS)
    store = build(options)
    assert isinstance(store, InfluxStore)
    store.open(api.url)
    store.ledger.create()
    numbers = range(1, len(store.revisions()) + 1)
    try:
        for number in numbers:
            up(store, number)

        documents = live.found(options, api.url)
        found = [name for each in documents for name, _ in each.operations]
        assert found == ["create_database", *["create_retention_policy"] * 4, *["create_rollup"] * 6]
        told = [(each.rule, each.message) for each in health.look(options, api.url, home=False) if each.rule != "clock"]
        assert told == [
            ("privileges", "this login may read all that is needed"),
            ("ledger", "the ledger provision_vfr is kept for ever"),
        ]
        for number in reversed(numbers):
            down(store, number)
        assert list(api.buckets()) == ["provision_vfr/ledger"]
    finally:
        store.close()


def test_shipped_chain_run_by_the_server_weighs_every_point_the_same(api: Api) -> None:
    store = build(StoreOptions("influx", "influx", "vfr", ROOT / "influx", ROOT, KEYS))
    assert isinstance(store, InfluxStore)
    store.open(api.url)
    store.ledger.create()
    for number in range(1, len(store.revisions()) + 1):
        up(store, number)
    store.close()
    minute = int(datetime.now(UTC).timestamp()) // 60 * 60
    tags = "model_id=m,prediction_horizon=1h"
    lines = [
        f"predictions,ticker=A,{tags} abs_error=3,squared_error=9,direction_correct=1i {minute - 600}",
        f"predictions,ticker=A,{tags} abs_error=1,squared_error=1,direction_correct=0i {minute - 50}",
        f"predictions,ticker=A,{tags} abs_error=1,squared_error=1,direction_correct=0i {minute - 40}",
        f"predictions,ticker=B,{tags} abs_error=5,squared_error=25 {minute - 30}",
        f"predictions,ticker=B,{tags} predicted_value=5,confidence_score=0.5 {minute - 20}",
    ]
    api.ask("POST", "/api/v2/write?org=vfr&bucket=vfr_ml/real_time&precision=s", "\n".join(lines))

    for name, window in (
        ("downsample_predictions_1m", 60),
        ("downsample_predictions_1h", HOUR),
        ("calculate_prediction_accuracy", 24 * HOUR),
    ):
        end = min(-(-minute // window) * window, minute)  # the server waits for what is yet to come
        at = datetime.fromtimestamp(end, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        api.roll(f"vfr_ml/{name}", at)

    found: dict[str, float] = {}
    for each in api.rolled("vfr_ml/daily_data"):
        assert (each["model_id"], each["_measurement"]) == ("m", "model_performance_daily")
        if each["_field"].startswith(("n_", "sum_")):
            found[each["_field"]] = found.get(each["_field"], 0) + float(each["_value"])
    assert (found["n_actual"], found["sum_abs_error"], found["sum_squared_error"]) == (4, 10, 36)
    assert (found["n_direction_total"], found["n_direction_correct"], found["n_predictions"]) == (3, 1, 1)
    if minute // (24 * HOUR) == (minute - 600) // (24 * HOUR):  # all of them in one day
        means = {each["_field"]: float(each["_value"]) for each in api.rolled("vfr_ml/daily_data")}
        assert (means["mae"], means["mse"], means["rmse"]) == (2.5, 9, 3)
        assert means["direction_accuracy"] == pytest.approx(1 / 3)


def test_flux_runs_probes_and_goes_back(make: Make, api: Api) -> None:
    store = make(
        DATABASE,
        "  - flux:\n"
        '      script: from(bucket:"app/autogen") |> range(start:0) |> set(key:"_measurement", value:"n")'
        ' |> to(bucket:"app/autogen")\n'
        "      probe:\n"
        '        query: from(bucket:"app/autogen") |> range(start:0) |> filter(fn:(r) => r._measurement == "n")'
        ' |> keep(columns:["_value"])\n'
        "        equals: [[1]]\n"
        '      down: from(bucket:"app/autogen") |> range(start:0)\n',
    )
    up(store, 1)
    api.ask("POST", "/api/v2/write?org=vfr&bucket=app/autogen&precision=s", "m v=1i 1000")
    assert [outcome for outcome, _ in probed(store, 2)] == [Outcome.NOT_DONE]

    up(store, 2)

    assert {each["_measurement"] for each in api.rolled("app/autogen")} == {"m", "n"}
    assert [outcome for outcome, _ in probed(store, 2, Direction.DOWN)] == [Outcome.NOT_DONE]


def refusal(write: Write, url: str, **extra: object) -> str:
    with pytest.raises(ProvisionError) as caught:
        build(write(DATABASE, **extra)).open(url)
    assert "secret-word" not in shown(caught.value)
    return shown(caught.value)


def test_open_wrong_token_is_told(write: Write, api: Api) -> None:
    assert refusal(write, api.url, org="vfr", token="secret-word") == (
        f"the server refused the login: unauthorized access | influx: {api.url} |"
        " set influx.token to one that this server knows, or user and password in the url [wrong-password 2]"
    )


def test_open_unknown_organisation_is_told(write: Write, api: Api) -> None:
    assert refusal(write, api.url, org="nobody", token="word") == (
        "the server has no organisation nobody, or this login may not see it |"
        f" influx: {api.url} | correct influx.org [no-such-org 2]"
    )


def test_open_operation_in_the_language_of_1x_is_refused(write: Write, api: Api) -> None:
    text = "  - influxql: {statement: x, probe: {query: SHOW x, equals: []}, down: y}\n"

    with pytest.raises(ConfigError) as caught:
        build(write(text, **KEYS)).open(api.url)

    assert shown(caught.value).endswith("| influx/0001_case.yaml:2 | write it as the operation flux [wrong-language 2]")


def test_token_that_may_only_read_is_told_before_anything_is_made(write: Write, api: Api) -> None:
    store = build(write(DATABASE, org="vfr", token=api.token("read:buckets", "read:dbrp", "read:tasks")))
    try:
        store.open(api.url)
        assert list(store.ledger.read()) == []
        with pytest.raises(ConfigError) as caught:
            store.ledger.create()
    finally:
        store.close()

    assert caught.value.code == "not-allowed"
    assert caught.value.what.startswith("the ledger's database provision_vfr cannot be made: ")
    assert caught.value.fix == "give the token that right"
    assert api.buckets() == {}


def test_import_names_tasks_of_another_making(tmp_path: Path, api: Api) -> None:
    org = api.ask("GET", "/api/v2/orgs?org=vfr")["orgs"][0]["id"]
    flux = 'option task = {name: "nightly", every: 1h}\nfrom(bucket: "_monitoring") |> range(start: -1h)'
    api.ask("POST", "/api/v2/tasks", {"orgID": org, "flux": flux})

    [others] = live.found(StoreOptions("influx", "influx", "vfr", tmp_path, tmp_path, KEYS), api.url)

    assert (others.operations, others.left_out) == ((), ("tasks nightly: they are none that a file makes",))
