"""Which rows a batch takes: asked without a lock, from where a part goes on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from provision.stores.postgres.backfill.cut import density, not_skipped
from provision.stores.postgres.backfill.heap import Block, HeapPosition
from provision.stores.postgres.backfill.sql import Shape
from provision.stores.postgres.server import Connection

Key = Sequence[str]


@dataclass(frozen=True, slots=True)
class FillStep:
    """The rows of a batch as conditions, and where the part goes on after it; `row` names the only one.

    `looked_at` is 0 where nobody can tell. `rest`: they were filled before, or came behind the cursor.
    """

    conditions: Sequence[str]
    looked_at: int
    cursor: Mapping[str, Any]
    done: bool
    row: Key | None = None
    rest: bool = False


class NextRows:
    """Finds the steps of one worker; `trips` counts how often it waited for the server."""

    def __init__(self, connection: Connection, shape: Shape, owner: Mapping[str, object]) -> None:
        self._connection, self._shape, self._owner = connection, shape, owner
        self._density = density(connection, shape)
        self.trips = 0

    def step(self, cursor: Mapping[str, Any], rows: int, run: str) -> FillStep:
        if cursor.get("rest"):
            return self._rest(cursor, rows, run)
        return self._by_block(cursor, rows) if "block" in cursor else self._by_key(cursor, rows)

    def _by_key(self, cursor: Mapping[str, Any], rows: int) -> FillStep:
        after, to = cursor["after"], cursor["to"]
        found = self._asked(self._shape.boundary(after, to, rows))
        if not found:
            only = None if rows > 1 else ()
            return FillStep(self._shape.window(after, to), 0, {"after": to, "to": to}, done=True, row=only)
        high = list(found[0])
        following = {**cursor, "after": high}
        return FillStep(self._shape.window(after, high), rows, following, high == to, high if rows == 1 else None)

    def _by_block(self, cursor: Mapping[str, Any], rows: int) -> FillStep:
        place = HeapPosition.of(cursor).begun(rows, self._density)
        blocks = place.blocks(rows, self._density)
        if not blocks:
            return self._within_block(place, rows)
        return self._step_to(place, (place.at[0] + blocks, 0), place.rows(blocks, self._density))

    def _within_block(self, place: HeapPosition, rows: int) -> FillStep:
        """A few rows of one block, which others may be too many of."""
        following = (place.at[0] + 1, 0)
        found = self._asked(
            self._shape.select(
                place.conditions(following),
                f"ctid::text as provision_place, {self._shape.texts}",
                f" order by ctid limit {rows}",
            )
        )
        if len(found) < rows:
            return self._step_to(place, following, len(found))
        block, line = (int(part) for part in found[-1][0].strip("()").split(","))
        step = self._step_to(place, (block, line + 1), rows)
        return replace(step, row=list(found[0][1:])) if rows == 1 else step

    def _step_to(self, place: HeapPosition, to: Block, looked_at: int) -> FillStep:
        after = place.moved(to)
        return FillStep(place.conditions(to), looked_at, after.cursor, after.done)

    def _rest(self, cursor: Mapping[str, Any], rows: int, run: str) -> FillStep:
        """Rows that came or moved behind the cursors, or were locked: found first, then filled by their keys."""
        without = not_skipped(self._shape, {**self._owner, "run": run})
        conditions = [*self._shape.window(cursor["after"], None), without]
        query = self._shape.select(conditions, self._shape.texts, f" order by {self._shape.keys} limit {rows}")
        keys = [list(row) for row in self._asked(query, scan=True)]
        following = {"rest": True, "after": keys[-1] if keys else cursor["after"]}
        among = [self._shape.among(keys)] if keys else ["false"]
        row = keys[0] if rows == 1 and keys else None
        return FillStep(among, len(keys), following, len(keys) < rows, row, rest=True)

    def _asked(self, query: str, *, scan: bool = False) -> list[tuple[Any, ...]]:
        """What the server answers; a bad estimate must not make it read the whole table, unless that is meant."""
        self.trips += 1
        with self._connection.pipeline():
            self._connection.execute("begin read only")
            self._connection.execute(f"set local enable_seqscan = {'on' if scan else 'off'}".encode())
            found = self._connection.execute(query.encode())
            self._connection.execute("commit")
        return found.fetchall()
