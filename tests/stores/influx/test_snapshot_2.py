"""A snapshot of InfluxDB 2 has every change that is made by hand, and is the same again once that is undone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from provision.kinds import build
from provision.stores.influx.setup.snapshot import taken
from provision.stores.influx.store import InfluxStore
from tests.stores.by_hand import told
from tests.stores.influx.api import Api
from tests.stores.influx.conftest import Write
from tests.stores.influx.moves import up
from tests.stores.influx.test_influx_version_2 import DATABASE, HOURLY, KEYS, RAW, ROLLUP

TASK = 'option task = {name: "NAME", every: 1h} from(bucket: "app/raw") |> range(start: -1h) |> yield()'


class Hand:
    """What somebody does to a server by its API."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._org = api.ask("GET", "/api/v2/orgs?org=vfr")["orgs"][0]["id"]

    def bucket(self, name: str) -> dict[str, Any]:
        [found] = self._api.ask("GET", f"/api/v2/buckets?org=vfr&name={name}")["buckets"]
        return dict(found)

    def make_bucket(self, name: str, seconds: int = 0) -> None:
        rules = [{"type": "expire", "everySeconds": seconds}] if seconds else []
        self._api.ask("POST", "/api/v2/buckets", {"orgID": self._org, "name": name, "retentionRules": rules})

    def change_bucket(self, name: str, /, **changed: object) -> None:
        self._api.ask("PATCH", f"/api/v2/buckets/{self.bucket(name)['id']}", changed)

    def keep(self, name: str, seconds: int, shard: int) -> None:
        rule = {"type": "expire", "everySeconds": seconds, "shardGroupDurationSeconds": shard}
        self.change_bucket(name, retentionRules=[rule])

    def drop_bucket(self, name: str) -> None:
        self._api.ask("DELETE", f"/api/v2/buckets/{self.bucket(name)['id']}")

    def make_task(self, text: str) -> None:
        self._api.ask("POST", "/api/v2/tasks", {"orgID": self._org, "flux": text})

    def change_task(self, name: str, /, **changed: object) -> None:
        self._api.ask("PATCH", f"/api/v2/tasks/{self._api.tasks()[name]['id']}", changed)

    def drop_task(self, name: str) -> None:
        self._api.ask("DELETE", f"/api/v2/tasks/{self._api.tasks()[name]['id']}")

    def map(self, database: str, policy: str, bucket: str, *, default: bool = False) -> None:
        names = {"database": database, "retention_policy": policy, "default": default}
        self._api.ask("POST", "/api/v2/dbrps", {"orgID": self._org, "bucketID": self.bucket(bucket)["id"], **names})

    def mapping(self, database: str, policy: str) -> str:
        listed = self._api.ask("GET", f"/api/v2/dbrps?org=vfr&db={database}")["content"]
        return next(each["id"] for each in listed if each["retention_policy"] == policy and not each.get("virtual"))

    def unmap(self, database: str, policy: str) -> None:
        self._api.ask("DELETE", f"/api/v2/dbrps/{self.mapping(database, policy)}?org=vfr")

    def choose(self, database: str, policy: str) -> None:
        self._api.ask("PATCH", f"/api/v2/dbrps/{self.mapping(database, policy)}?org=vfr", {"default": True})


Change = Callable[[Hand], object]
DAY = 86400
CHANGES: tuple[tuple[Change, Change, str], ...] = (
    (lambda h: h.make_bucket("late"), lambda h: h.drop_bucket("late"), "bucket late"),
    (lambda h: h.make_bucket("late/x"), lambda h: h.drop_bucket("late/x"), "late"),
    (lambda h: h.keep("app/hourly", 60 * DAY, DAY), lambda h: h.keep("app/hourly", 30 * DAY, DAY), "hourly"),
    (lambda h: h.keep("app/hourly", 30 * DAY, 2 * DAY), lambda h: h.keep("app/hourly", 30 * DAY, DAY), "hourly"),
    (
        lambda h: h.change_bucket("app/spare", name="app/other"),
        lambda h: h.change_bucket("app/other", name="app/spare"),
        "spare app",
    ),
    (lambda h: h.choose("app", "hourly"), lambda h: h.choose("app", "raw"), "app"),
    (lambda h: h.unmap("app", "hourly"), lambda h: h.map("app", "hourly", "app/hourly"), "mapping app/hourly"),
    (lambda h: h.map("other", "raw", "app/raw"), lambda h: h.unmap("other", "raw"), "mapping other/raw"),
    (lambda h: h.make_task(TASK.replace("NAME", "late")), lambda h: h.drop_task("late"), "task late"),
    (
        lambda h: h.change_task("app/by_hour", status="inactive"),
        lambda h: h.change_task("app/by_hour", status="active"),
        "task app/by_hour",
    ),
    (
        lambda h: h.change_task("kept", flux=TASK.replace("NAME", "kept").replace("-1h", "-2h")),
        lambda h: h.change_task("kept", flux=TASK.replace("NAME", "kept")),
        "task kept",
    ),
)


def test_every_change_by_hand_is_told_and_silent_once_undone(write: Write, api: Api, tmp_path: Path) -> None:
    spare = "  - create_retention_policy: {database: app, name: spare, duration: 2d}\n"
    options = write(DATABASE, RAW + HOURLY + spare, ROLLUP, **KEYS)
    store = build(options)
    assert isinstance(store, InfluxStore)
    store.open(api.url)
    store.ledger.create()
    for number in (1, 2, 3):
        up(store, number)
    store.close()
    hand = Hand(api)
    hand.make_task(TASK.replace("NAME", "kept"))
    before = taken(options, api.url)
    for change, undo, object_ in CHANGES:
        found = told(options, lambda: taken(options, api.url), lambda change=change: change(hand), tmp_path / "m")
        assert any(object_ in each for each in found), (object_, found)
        undo(hand)
        assert taken(options, api.url) == before, object_
