"""An InfluxDB 2.x server, through the vendor's client: buckets `database/tier`, their mappings, and tasks."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from provision.documents.operation import Stopped
from provision.model import StoreOptions
from provision.model.stats import TableStats
from provision.net.guard import streamed
from provision.net.http import Address
from provision.stores.influx import annotated
from provision.stores.influx.migrate import flux
from provision.stores.influx.migrate.model import FIRST_TIER, Rollup, Tier, default_shard
from provision.stores.influx.names import OWN
from provision.stores.influx.server import LOG_MEASUREMENT, LOG_TIER, Point, Rows
from provision.stores.influx.session import InfluxSession, start

PAGE = 100
_WITH_ORG = timedelta(milliseconds=500)
# Begins the description of a task; the body of its operation follows.
_MARK = "made by provision: "
_PASSED = ("result", "table", "_start", "_stop", "_time")


def open_2(options: StoreOptions, address: Address, version: str) -> Server2:
    """The open server. Raises as `session.start` does."""
    return Server2(start(options, address, version), version)


class Server2:
    """Safe to use from several threads."""

    language = "flux"

    def __init__(self, session: InfluxSession, version: str) -> None:
        self._session, self.version, self.shown = session, version, session.shown

    def databases(self) -> Sequence[str]:
        return list(dict.fromkeys(each.name.split("/")[0] for each in self._buckets()))

    def tiers(self, database: str) -> Mapping[str, Tier] | None:
        buckets = self._buckets_of(database)
        if not buckets:
            return None
        defaults = {name: each.default for name, each in self._mappings(database).items()}
        return {name: _tier(database, name, each, defaults.get(name, False)) for name, each in buckets.items()}

    def unfinished(self, tier: Tier) -> str:
        if tier.name in self._mappings(tier.database):
            return ""
        return f"bucket {flux.bucket(tier.database, tier.name)} is there without its mapping"

    def ensure_none(self, database: str, tier: str = "") -> None:
        """A bucket that is not there is not found by its name; one that may not be seen is left out of the answer."""
        name = flux.bucket(database, tier or FIRST_TIER)
        if self._is_hidden(name):
            raise self._session.lacks(f"bucket {name} is there, and this token has no right to read it (read:buckets)")
        if not tier and (missing := self._missing_write("buckets")):
            raise self._session.lacks(f"{missing}: buckets of {database} that it may not see would count as deleted")

    def ensure_no_rollup(self) -> None:
        """A listing leaves out what may not be seen, and no answer tells a task that is not there from one left out."""
        if missing := self._missing_write("tasks"):
            raise self._session.lacks(f"{missing}: a task that it may not see would count as deleted")

    def create_database(self, name: str) -> None:
        self.create_tier(Tier(name, FIRST_TIER, 0, default_shard(0), default=True))

    def drop_database(self, name: str) -> None:
        for task in self.rollups(name):
            self.drop_rollup(name, task)
        for tier in self.tiers(name) or ():
            self.drop_tier(name, tier)

    def create_tier(self, tier: Tier) -> None:
        rule = self._session.api.BucketRetentionRules(
            every_seconds=tier.duration, shard_group_duration_seconds=tier.shard
        )
        bucket = self._buckets_of(tier.database).get(tier.name)
        with self._session.writing():
            if bucket is None:
                name = flux.bucket(tier.database, tier.name)
                made = {"bucket_name": name, "retention_rules": [rule], "org": self._session.org}
                bucket = self._session.client.buckets_api().create_bucket(**made)
        if tier.name not in self._mappings(tier.database):
            self._map(bucket, tier.database, tier.name, default=tier.default)

    def alter_tier(self, database: str, name: str, duration: int | None, shard: int | None, *, default: bool) -> None:
        bucket = self._buckets_of(database)[name]
        if duration is not None or shard is not None:
            before = _tier(database, name, bucket, default=False)
            bucket.retention_rules = [
                self._session.api.BucketRetentionRules(
                    every_seconds=before.duration if duration is None else duration,
                    shard_group_duration_seconds=before.shard if shard is None else shard,
                )
            ]
            with self._session.writing():
                self._session.client.buckets_api().update_bucket(bucket)
        mapping = self._mappings(database).get(name)
        if default and mapping is None:
            self._map(bucket, database, name, default=True)
        elif default and mapping is not None:
            with self._session.writing():
                self._dbrps().patch_dbrpid(
                    mapping.id, self._session.api.DBRPUpdate(default=True), org_id=self._session.org
                )

    def drop_tier(self, database: str, name: str) -> None:
        mapping, bucket = self._mappings(database).get(name), self._buckets_of(database).get(name)
        with self._session.writing():
            # The bucket last: while it is there, the tier is.
            if mapping is not None:
                self._dbrps().delete_dbrpid(mapping.id, org_id=self._session.org)
            if bucket is not None:
                self._session.client.buckets_api().delete_bucket(bucket.id)

    def rollups(self, database: str) -> Sequence[str]:
        return list(
            dict.fromkeys(each.name.removeprefix(flux.task(database, "")) for each in self._all_tasks(database))
        )

    def difference(self, rollup: Rollup) -> str | None:
        found = self._tasks(rollup.database, rollup.name)
        name = flux.task(rollup.database, rollup.name)
        if len(found) > 1:
            raise Stopped(f"there are {len(found)} tasks named {name}: {', '.join(each.id for each in found)}")
        if not found:
            return None
        if found[0].flux.split() != flux.create_rollup(rollup).split():
            return f"task {name} is there with another script"
        return "" if found[0].status != "inactive" else f"task {name} is there and inactive"

    def create_rollup(self, rollup: Rollup) -> None:
        asked = self._session.api.TaskCreateRequest(
            flux=flux.create_rollup(rollup),
            org_id=self._session.org,
            status="active",
            description=_MARK + json.dumps(rollup.body(), ensure_ascii=False),
        )
        with self._session.writing():
            made = self._session.client.tasks_api().create_task(task_create_request=asked)
        if not self._tasks(rollup.database, rollup.name):
            # Every run would make one more.
            self._delete_task(made.id)
            raise self._session.lacks(f"this token has no right read:tasks in organisation {self._session.client.org}")

    def drop_rollup(self, database: str, name: str) -> None:
        for each in self._tasks(database, name):
            self._delete_task(each.id)

    def rows(self, text: str) -> Rows:
        with self._session.reading():
            tables = self._session.client.query_api().query(text)
        records = (record for table in tables for record in table.records)
        return [[value for key, value in each.values.items() if key not in _PASSED] for each in records]

    def records(self, text: str, seconds: float) -> Iterator[Mapping[str, Any]]:
        del seconds  # the client has one limit for all
        with self._session.reading():
            with streamed():
                found = self._session.client.query_api().query_stream(text)
            for record in found:
                values = {name: annotated.as_written(value) for name, value in record.values.items()}
                yield {**values, "time": annotated.since_1970(record.values.get("_time"))}

    def run(self, text: str) -> None:
        with self._session.writing():
            self._session.client.query_api().query(text)

    def make_log(self, database: str) -> None:
        if LOG_TIER in self._buckets_of(database):
            return
        rule = self._session.api.BucketRetentionRules(every_seconds=0, shard_group_duration_seconds=default_shard(0))
        name = flux.bucket(database, LOG_TIER)
        with self._session.writing():
            self._session.client.buckets_api().create_bucket(
                bucket_name=name, retention_rules=[rule], org=self._session.org
            )

    def points(self, database: str, tags: Mapping[str, str], since: int) -> Sequence[Point]:
        if LOG_TIER not in self._buckets_of(database):
            return ()
        only = {"_measurement": LOG_MEASUREMENT, **tags}
        asked = f"from(bucket: {flux.text(flux.bucket(database, LOG_TIER))}) |> range(start: {annotated.time(since)})"
        for name, value in only.items():
            asked += f" |> filter(fn: (r) => r.{name} == {flux.text(value)})"
        with self._session.reading():
            return annotated.points(self._session.client.query_api().query_csv(asked))

    def write(self, database: str, line: str) -> None:
        from influxdb_client.client.write_api import SYNCHRONOUS

        with self._session.writing(), self._session.client.write_api(write_options=SYNCHRONOUS) as api:
            api.write(flux.bucket(database, LOG_TIER), record=line, write_precision=self._session.api.WritePrecision.NS)

    def made(self, database: str) -> Mapping[str, Rollup | str]:
        """Only those that carry the mark of their making: no document says a task of another shape."""
        found = ((each.name.removeprefix(flux.task(database, "")), _rollup(each)) for each in self._all_tasks(database))
        return {name: rollup for name, rollup in found if rollup is not None}

    def others(self) -> Sequence[str]:
        others = sorted(each.name for each in self._all_tasks() if _rollup(each) is None)
        return [f"tasks {', '.join(others)}: they are none that a file makes"] if others else []

    def strays(self) -> Mapping[str, str]:
        rollups = {f"task {each.name}": f"{each.status}\n{each.flux}" for each in self._all_tasks() if _is_stray(each)}
        buckets = {each.name: each for each in self._all_buckets()}
        others = {
            f"bucket {name}": json.dumps([rule.to_dict() for rule in each.retention_rules])
            for name, each in buckets.items()
            if "/" not in name and not self._came_with_org(each)
        }
        return {**rollups, **others, **self._stray_mappings({each.id: name for name, each in buckets.items()})}

    def _stray_mappings(self, buckets: Mapping[str, str]) -> dict[str, str]:
        """Mappings to another bucket than that of their names, and buckets that lack theirs."""
        with self._session.reading():
            found = self._dbrps().get_dbr_ps(org_id=self._session.org).content or ()
        mapped = {
            flux.bucket(each.database, each.retention_policy): buckets.get(each.bucket_id, each.bucket_id)
            for each in found
            if not each.virtual
        }
        wanted = {name for name in buckets.values() if "/" in name and not name.startswith(OWN)}
        strays = {f"mapping {name}": f"to bucket {to}" for name, to in mapped.items() if name != to}
        return strays | {f"mapping {name}": "there is none" for name in wanted - mapped.keys()}

    def _came_with_org(self, bucket: Any) -> bool:
        """Whether it is the bucket that a new organisation is given, which says so nowhere but in its time."""
        since = self._session.org_since
        return since is None or abs(bucket.created_at - since) < _WITH_ORG

    def missing_rights(self) -> str:
        self._buckets()
        self._mappings(LOG_TIER)
        self._all_tasks(LOG_TIER)
        missing = [each for each in (self._missing_write(kind) for kind in ("buckets", "tasks")) if each]
        return "; ".join(missing)

    def sizes(self) -> Mapping[str, TableStats] | None:
        return None  # only /metrics has them, which a server may not show

    def runs_rollups(self) -> bool | None:
        return None

    def close(self) -> None:
        self._session.close()

    def _all_buckets(self) -> list[Any]:
        """All but the server's own."""
        with self._session.reading():
            found = self._session.client.buckets_api().find_buckets_iter(org_id=self._session.org, limit=PAGE)
            return [each for each in found if each.type != "system"]

    def _buckets(self) -> list[Any]:
        """The buckets that are tiers of a database."""
        return [each for each in self._all_buckets() if "/" in each.name]

    def _buckets_of(self, database: str) -> dict[str, Any]:
        head = flux.bucket(database, "")
        return {each.name.removeprefix(head): each for each in self._buckets() if each.name.startswith(head)}

    def _mappings(self, database: str) -> dict[str, Any]:
        """Tier → its mapping, but for those that the server makes up of a bucket's name."""
        with self._session.reading():
            found = self._dbrps().get_dbr_ps(org_id=self._session.org, db=database).content or ()
        return {each.retention_policy: each for each in found if not each.virtual}

    def _map(self, bucket: Any, database: str, name: str, *, default: bool) -> None:
        asked = self._session.api.DBRPCreate(
            bucket_id=bucket.id, database=database, retention_policy=name, default=default, org_id=self._session.org
        )
        with self._session.writing():
            self._dbrps().post_dbrp(asked)

    def _tasks(self, database: str, name: str) -> list[Any]:
        with self._session.reading():
            asked = {"name": flux.task(database, name), "org_id": self._session.org, "limit": PAGE}
            return list(self._session.client.tasks_api().find_tasks(**asked) or ())

    def _delete_task(self, id: str) -> None:
        with self._session.writing():
            self._session.client.tasks_api().delete_task(id)

    def _all_tasks(self, database: str = "") -> list[Any]:
        """The tasks of a database, or every task."""
        begun = flux.task(database, "") if database else ""
        with self._session.reading():
            found = self._session.client.tasks_api().find_tasks_iter(org_id=self._session.org, limit=PAGE)
            return [each for each in found if each.name.startswith(begun)]

    def _is_hidden(self, bucket: str) -> bool:
        """Whether a bucket is there that the listing leaves out."""
        from influxdb_client.rest import ApiException

        with self._session.reading():
            try:
                found = self._session.client.buckets_api().find_buckets(name=bucket, org_id=self._session.org)
            except ApiException as error:
                if error.status == 404:
                    return False
                raise
        return not found.buckets

    def _missing_write(self, kind: str) -> str:
        """The right to make a bucket or a task anywhere in the organisation that this token lacks, as a sentence.

        It is tried with a name and a script that every server refuses.
        """
        client, org = self._session.client, self._session.org
        asked: Mapping[str, Callable[[], object]] = {
            "buckets": lambda: client.buckets_api().create_bucket(bucket_name="_", org=org),
            "tasks": lambda: client.tasks_api().create_task(
                task_create_request=self._session.api.TaskCreateRequest(flux="option task = {", org_id=org)
            ),
        }
        if self._session.may(asked[kind]):
            return ""
        return f"this token has no right write:{kind} in organisation {client.org}"

    def _dbrps(self) -> Any:
        return self._session.api.DBRPsService(self._session.client.api_client)


def _tier(database: str, name: str, bucket: Any, default: bool) -> Tier:
    rule = bucket.retention_rules[0] if bucket.retention_rules else None
    duration = int(rule.every_seconds or 0) if rule else 0
    shard = int(rule.shard_group_duration_seconds or 0) if rule else 0
    return Tier(database, name, duration, shard or default_shard(duration), default)


def _is_stray(task: Any) -> bool:
    return _rollup(task) is None or task.status == "inactive"


def _rollup(task: Any) -> Rollup | None:
    """The rollup that a task was made of, if it is still that."""
    description = str(task.description or "")
    if not description.startswith(_MARK):
        return None
    try:
        rollup = Rollup.of(json.loads(description.removeprefix(_MARK)))
    except (ValueError, KeyError, TypeError):
        return None  # somebody wrote over it
    return rollup if task.flux.split() == flux.create_rollup(rollup).split() else None
