"""Backfills in ClickHouse: the history that a materialized view did not see, partition by partition.

Each partition of the source is summed up into a table aside, and its parts are then moved to the target, which is one
atomic step. What was moved is not there any more, so that a run that ended in between neither loses nor doubles a row.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from provision.backfill import advice
from provision.backfill.log import LoggedBatches, LoggedRuns, LoggedWork, RunLogEntry, Stepped, schema_changed
from provision.errors import BatchFailed, ConfigError, FailedError, ProvisionError
from provision.model.backfills import Backfill, Left, ServerSignal
from provision.stores.clickhouse.policies import filtered
from provision.stores.clickhouse.server import UNKNOWN_DATABASE, UNKNOWN_TABLE, Client, ServerRefused

LOG = "provision_backfill"
MOST_PARTS = 300  # active parts of one partition; ClickHouse itself slows inserts down at 1,000
LEAST_DISK = "5%"  # of a disk that must stay free
KEYS: Mapping[str, Mapping[str, Any]] = {
    "view": {"type": "string", "minLength": 1, "description": "the name of a materialized view with TO"},
    "time": {"type": "string", "minLength": 1, "description": "the column of its source that `before` goes by"},
    "before": {"type": "string", "minLength": 1, "description": "a moment in UTC; else when the view was made"},
    "max_threads": {"type": "integer", "minimum": 1, "description": "threads of the server for one partition"},
    "yield": {
        "type": "object",
        "description": "what to give way to",
        "additionalProperties": False,
        "properties": {
            "parts": {"type": "integer", "minimum": 1, "description": "the most parts of a partition: 300"},
            "free_disk": {"type": "string", "pattern": "^[0-9]{1,2}%$", "description": "the least free space: 5%"},
        },
    },
}
REQUIRED = ("view", "time")
_CREATE = """
CREATE TABLE IF NOT EXISTS provision_backfill{on_cluster} (
    project String, store String, run String, n UInt32, version UInt64, at DateTime64(6, 'UTC') DEFAULT now64(6),
    body String
) ENGINE = {engine} ORDER BY (project, store, run, n, version)
COMMENT 'Backfills of this database; append-only, the newest version of an entry counts'
"""
_NEWEST = """
SELECT run, n, max(version), argMax(body, (version, at)) FROM provision_backfill
WHERE project = {project:String} AND store = {store:String} AND ({run:String} = '' OR run = {run:String})
GROUP BY run, n ORDER BY run, n
"""
_VIEW = """
SELECT as_select, create_table_query, engine, toString(metadata_modification_time, 'UTC') FROM system.tables
WHERE database = currentDatabase() AND name = {view:String}
"""
_COLUMNS = "SELECT name FROM system.columns WHERE database = currentDatabase() AND table = {table:String}"
_VIEWS = "SELECT name FROM system.tables WHERE database = currentDatabase() AND engine = 'MaterializedView'"


class ClickhouseBatches(LoggedBatches):
    """`provision.ports.backfill.Batches`."""

    def __init__(self, client: Client, project: str, store: str, cluster: str = "") -> None:
        self._client = client
        self.runs = LoggedRuns(_Log(client, project, store, cluster), self.now, store)

    def work(self, backfill: Backfill) -> ClickhouseWork:
        return ClickhouseWork(self.runs, backfill, self._client)

    def now(self) -> datetime:
        moment: datetime = self._client.rows("SELECT now64(6, 'UTC')")[0][0]
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


@dataclass(frozen=True, slots=True)
class View:
    """A materialized view: what it selects, from where, and the table that it feeds."""

    select: str
    source: str
    target: str
    made: str


class ClickhouseWork(LoggedWork):
    """`provision.ports.backfill.Work`: a cursor names the partitions left; `aside` once the first is summed up."""

    once = True

    def __init__(self, runs: LoggedRuns, backfill: Backfill, client: Client) -> None:
        super().__init__(runs)
        self._backfill, self._client = backfill, client
        self._body: Mapping[str, Any] = backfill.body
        self._aside = f"provision_fill_{backfill.name}"

    def refused(self) -> Sequence[ProvisionError]:
        try:
            view = self._view()
            columns = [row[0] for row in self._client.rows(_COLUMNS, {"table": view.source})]
            if self._body["time"] not in columns:
                what = f"{view.source} has no column {self._body['time']}"
                fix = f"its columns: {', '.join(columns)}"
                return [ConfigError("unknown-column", what, where=self._backfill.place("time"), fix=fix)]
            self._client.rows(f"SELECT 1 FROM `{view.source}` WHERE {self._history(self._before())} LIMIT 0")
            if hidden := filtered(self._client.rows, view.select):
                what = f"a row policy hides rows of {hidden} from this user: they would be missing in the sums, unsaid"
                fix = "use a user without a row policy in this store's url"
                return [ConfigError("row-security", what, where=self._backfill.place("view"), fix=fix)]
        except ConfigError as error:
            return [error]
        except ServerRefused as error:
            where = self._backfill.place("before")
            return [
                ConfigError("bad-expression", f"before: {error.what}", where=where, fix="write 2026-03-02 09:00:00")
            ]
        return []

    def warnings(self) -> Sequence[str]:
        time, before = self._body["time"], self._before()
        return [f"rows with {time} before {before} that were written after the view was made are counted twice"]

    def total(self) -> int | None:
        return self._count(f"SELECT count() FROM `{self._view().source}` WHERE {self._history(self._before())}")

    def cursors(self, _parts: int) -> Sequence[object]:
        before = self._before()
        query = f"SELECT DISTINCT _partition_id FROM `{self._view().source}` WHERE {self._history(before)} ORDER BY 1"
        # Kept with the run: a view that is altered meanwhile would seem to have been made later.
        return [{"partitions": [row[0] for row in self._client.rows(query)], "aside": False, "before": before}]

    def left(self, _run: str) -> Left:
        """Nothing, once every partition is done: what the target holds does not say which rows made it."""
        return Left(0)

    def step(self, cursor: object, _rows: int) -> Stepped:
        assert isinstance(cursor, dict)
        if not cursor["partitions"]:
            self._client.command(f"DROP TABLE IF EXISTS `{self._aside}` SYNC")
            return Stepped(cursor, True, 0, 0)
        try:
            return self._move(cursor) if cursor["aside"] else self._sum_up(cursor)
        except ServerRefused as error:
            raise self._explained(error) from None
        except ConfigError as error:  # the view was there when the run began
            raise schema_changed(error.what, self._backfill) from None

    def seen(self) -> ServerSignal:
        parts = self._count(
            "SELECT max(n) FROM (SELECT count() AS n FROM system.parts WHERE active AND database = currentDatabase()"
            f" AND table = '{self._view().target}' GROUP BY partition_id)"
        )
        given: Any = self._body.get("yield", {})
        if parts > given.get("parts", MOST_PARTS):
            return ServerSignal(f"{parts} parts to merge", 0.5, hold=True)
        free = self._client.rows("SELECT min(free_space / total_space) FROM system.disks WHERE total_space > 0")
        least = int(str(given.get("free_disk", LEAST_DISK)).rstrip("%"))
        if free and free[0][0] is not None and 100 * free[0][0] < least:
            return ServerSignal(f"{100 * free[0][0]:.0f} % of the disk is free", 1.0, hold=True)
        return ServerSignal()

    def _sum_up(self, cursor: Mapping[str, Any]) -> Stepped:
        view, partition = self._view(), str(cursor["partitions"][0])
        self._client.command(f"DROP TABLE IF EXISTS `{self._aside}` SYNC")
        self._client.command(f"CREATE TABLE `{self._aside}` AS `{view.target}`")
        condition = f"_partition_id = '{partition}' AND {self._history(cursor['before'])}"
        source = f"(SELECT * FROM `{view.source}` WHERE {condition}) AS `{view.source}`"
        select = re.sub(
            rf"(?<=FROM )(?:\S+\.)?`?{re.escape(view.source)}`?(?=\s|$)", lambda _: source, view.select, count=1
        )
        settings = {"max_threads": str(self._body["max_threads"])} if "max_threads" in self._body else {}
        columns = self._client.rows(f"DESCRIBE (SELECT * FROM ({select}) LIMIT 0)")
        names = ", ".join(f"`{row[0]}`" for row in columns)
        self._client.command(f"INSERT INTO `{self._aside}` ({names}) {select}", **settings)
        rows = self._count(f"SELECT count() FROM `{view.source}` WHERE {condition}")
        return Stepped({**cursor, "aside": True, "rows": rows}, False, 0, 0)

    def _move(self, cursor: Mapping[str, Any]) -> Stepped:
        """Move what is still aside; a partition that was moved before is not there any more."""
        target = self._view().target
        query = (
            "SELECT DISTINCT partition_id FROM system.parts WHERE active AND database = currentDatabase()"
            f" AND table = '{self._aside}'"
        )
        for (partition,) in self._client.rows(query):
            self._client.command(f"ALTER TABLE `{self._aside}` MOVE PARTITION ID '{partition}' TO TABLE `{target}`")
        rows = int(cursor["rows"])
        following = {**cursor, "partitions": cursor["partitions"][1:], "aside": False}
        return Stepped(following, False, rows, rows)

    def _before(self) -> str:
        return str(self._body.get("before") or self._view().made)

    def _history(self, before: str) -> str:
        moment = before.replace("\\", "\\\\").replace("'", "''")
        return f"`{self._body['time']}` < parseDateTime64BestEffort('{moment}', 3, 'UTC')"

    def _view(self) -> View:
        """Raises ConfigError (unknown-table, not-a-table)."""
        name = str(self._body["view"])
        rows = self._client.rows(_VIEW, {"view": name})
        if not rows:
            known = ", ".join(str(row[0]) for row in self._client.rows(_VIEWS))
            what = f"{self._backfill.store} has no materialized view {name}"
            fix = f"known: {known}" if known else "`provision up` makes those of the project"
            raise ConfigError("unknown-table", what, where=self._backfill.place("view"), fix=fix)
        select, created, engine, made = (str(each) for each in rows[0])
        target = re.search(r"\bTO (?:`?[\w-]+`?\.)?`?(\w+)`?", created)
        source = re.search(r"\bFROM (?:`?[\w-]+`?\.)?`?(\w+)`?", select)
        if engine != "MaterializedView" or target is None or source is None:
            what = f"{name} is not a materialized view that feeds a table of its own"
            fix = "name a view made with CREATE MATERIALIZED VIEW … TO table"
            raise ConfigError("not-a-table", what, where=self._backfill.place("view"), fix=fix)
        return View(select, source[1], target[1], made)

    def _count(self, query: str) -> int:
        rows = self._client.rows(query)
        return int(rows[0][0] or 0) if rows else 0

    def _explained(self, error: ServerRefused) -> FailedError:
        if error.number in (UNKNOWN_TABLE, 47, 16, 10, 8):  # tables and columns that are not there
            return schema_changed(error.what, self._backfill)
        if _is_full(error):
            return _disk_full(error, self._backfill.store, self._backfill.name)
        fix = advice.resume_or_anew(self._backfill.name, "remove the cause")
        return BatchFailed(error.what, rows=1, where=self._backfill.shown, fix=fix)


def _is_full(error: ServerRefused) -> bool:
    """True for a disk without room, whether that was known before the first byte (243) or met while writing."""
    return error.number == 243 or "No space left on device" in error.what or "errno: 28" in error.what


def _disk_full(error: ServerRefused, store: str, name: str = "NAME") -> FailedError:
    fix = advice.resume(name, "free some space")
    return FailedError("disk-full", f"{store} has no space left: {error.what}", where=store, fix=fix)


class _Log:
    """`provision.backfill.log.Entries` in a table beside the ledger."""

    def __init__(self, client: Client, project: str, store: str, cluster: str) -> None:
        self._client, self._cluster = client, cluster
        self._key = {"project": project, "store": store}

    def create(self) -> None:
        on_cluster = f" ON CLUSTER `{self._cluster}`" if self._cluster else ""
        engine = "ReplicatedMergeTree" if self._cluster else "MergeTree"
        self._client.command(_CREATE.format(on_cluster=on_cluster, engine=engine))

    def newest(self, run: str | None = None) -> Iterator[RunLogEntry]:
        try:
            rows = self._client.rows(_NEWEST, {**self._key, "run": run or ""})
        except ServerRefused as error:
            if error.number in (UNKNOWN_TABLE, UNKNOWN_DATABASE):
                return
            raise
        yield from (RunLogEntry(str(row[0]), int(row[1]), int(row[2]), json.loads(str(row[3]))) for row in rows)

    def add(self, entry: RunLogEntry) -> bool:
        row = {**self._key, "run": entry.run, "n": entry.n, "version": entry.version}
        try:
            self._client.insert_rows(LOG, [{**row, "body": json.dumps(dict(entry.body), ensure_ascii=False)}])
        except ServerRefused as error:
            raise _disk_full(error, self._client.store) if _is_full(error) else error from None
        return True
