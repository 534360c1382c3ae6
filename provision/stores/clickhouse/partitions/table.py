"""The windows of ClickHouse's tables: `provision.ports.partitions.Partitions`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from provision.errors import FailedError, ProvisionError
from provision.model.partitions import PartitionSet, TableWindows, Window
from provision.ports.partitions import Say
from provision.stores.clickhouse.server import Client, ServerRefused

_TOO_LARGE = 359  # a partition beyond max_partition_size_to_drop

_ROWS = """
SELECT toInt64(sum(rows)) AS total FROM system.parts
WHERE active AND database = {database:String} AND table = {table:String}
    AND has(splitByChar(' ', {ids:String}), partition_id)
"""


class ClickhousePartitions:
    """Partitions come with their rows: none is made. They are dropped whole, at once, beside readers and writers; those
    that a tuple makes of one time one after the other."""

    def __init__(self, client: Client, cluster: str) -> None:
        self._client, self._cluster = client, cluster

    def look(self, sets: Sequence[PartitionSet], *, whole: bool = False) -> Mapping[str, TableWindows | ProvisionError]:
        del whole  # sizes cost nothing here
        from provision.stores.clickhouse.partitions.look import look

        return look(self._client, sets)

    def retire(self, wanted: PartitionSet, window: Window, found: TableWindows, say: Say) -> None:
        del wanted, say
        self._refuse_filled(window, found)
        table = ".".join("`{}`".format(each.replace("`", "``")) for each in found.place.split("."))
        on_cluster = f" ON CLUSTER `{self._cluster}`" if self._cluster else ""
        try:
            for each in window.place.split():
                self._client.command(f"ALTER TABLE {table}{on_cluster} DROP PARTITION ID '{each}'")
        except ServerRefused as error:
            fix = (
                "raise max_partition_size_to_drop, or drop it by hand"
                if error.number == _TOO_LARGE
                else "see its message"
            )
            what = f"{window.name} was not dropped: {error.what}"
            raise FailedError("window-refused", what, where=found.place, fix=fix) from None

    def _refuse_filled(self, window: Window, found: TableWindows) -> None:
        """Raises FailedError (window-filled) when it holds other rows than when it was looked at."""
        database, _, table = found.place.partition(".")
        names = {"database": database, "table": table, "ids": window.place}
        [row] = self._client.records(_ROWS, names)
        if (rows := int(row["total"])) != window.rows:
            what = f"{window.name} is written to while it is retired: {window.rows} rows are {rows}, and it is kept"
            fix = "look who writes rows of that time; the next run takes it out with them"
            raise FailedError("window-filled", what, where=found.place, fix=fix)
