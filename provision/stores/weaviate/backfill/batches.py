"""Backfills in Weaviate: a collection is copied for a changed schema beside its writers, and its alias then moves.

The same copy as `replace_collection` makes inside a migration, in paced steps that can be paused and watched, and that
hold no run lease.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from provision.backfill import advice
from provision.backfill.log import LoggedBatches, LoggedRuns, LoggedWork, Stepped
from provision.documents.operation import Body, Stopped
from provision.documents.refused import Refused
from provision.errors import BatchFailed, FailedError, ProvisionError
from provision.model import StoreOptions
from provision.model.backfills import SMALL, Backfill, Left
from provision.model.statements import Outcome
from provision.stores.weaviate.backfill.refused import refused
from provision.stores.weaviate.backfill.runs import RunEntries
from provision.stores.weaviate.backfill.steps import At, Do, Steps
from provision.stores.weaviate.copy.form import tenanted
from provision.stores.weaviate.copy.objects import clock
from provision.stores.weaviate.copy.side import ObjectRefused
from provision.stores.weaviate.migrate import CLASS_SCHEMA
from provision.stores.weaviate.migrate.operations.base import Live
from provision.stores.weaviate.migrate.operations.replace_collection import ReplaceCollection
from provision.stores.weaviate.migrate.operations.replacing import PAUSE, stand
from provision.stores.weaviate.names import Names
from provision.stores.weaviate.server import Server

_HERE = "#/properties/class/$defs/"


def _class_schema() -> dict[str, Any]:
    """The vendor's own definition of a class, whole in its place: a key of a backfill brings all that it refers to."""
    text = CLASS_SCHEMA.read_text(encoding="utf-8")
    there = json.loads(text.replace('"#/$defs/', f'"{_HERE}'))["$defs"]
    description = "a mapping, the new class as the vendor's JSON says it"
    return {"$ref": f"{_HERE}Class", "description": description, "$defs": there}


_SHARED = ("alias", "class", "keep", "pause", "writers", "drop")
KEYS: Mapping[str, Mapping[str, Any]] = {
    **{name: ReplaceCollection.schema["properties"][name] for name in _SHARED},
    "class": _class_schema(),
}
REQUIRED = ("alias", "class")


class WeaviateBatches(LoggedBatches):
    """`provision.ports.backfill.Batches`."""

    def __init__(self, names: Names, options: StoreOptions, server: Callable[[], Server]) -> None:
        self._names, self._options, self._server = names, options, server
        self._ahead: timedelta | None = None
        self.runs = LoggedRuns(RunEntries(names, server), self.now, options.name)

    def work(self, backfill: Backfill) -> WeaviateWork:
        return WeaviateWork(self.runs, backfill, lambda: Live(self._server(), self._names, self._options))

    def now(self) -> datetime:
        """The server says its time in whole seconds: ours, moved by as many as the two are apart."""
        if self._ahead is None:
            server = self._server()
            with server.reading():
                theirs = clock(server) / 1000 + 0.5
            apart = round(theirs - datetime.now(UTC).timestamp())
            self._ahead = timedelta(seconds=apart if abs(apart) > 1 else 0)
        return datetime.now(UTC) + self._ahead


class WeaviateWork(LoggedWork):
    """`provision.ports.backfill.Work`: one part, from the new collection to the alias."""

    def __init__(self, runs: LoggedRuns, backfill: Backfill, live: Callable[[], Live]) -> None:
        super().__init__(runs)
        self._backfill, self._live = backfill, live
        self._body: Body = backfill.body

    def refused(self) -> Sequence[ProvisionError]:
        live = self._live()
        with live.server.reading():
            return refused(self._backfill, live)

    def warnings(self) -> Sequence[str]:
        alias, drop, batches = self._body["alias"], self._body.get("drop", ()), self._live().server.batches
        said = [f"objects are written over REST: {why}"] if batches and (why := batches.why_not()) else []
        said += [f"writes through {alias} are refused for at most {self._body.get('pause', PAUSE)} while it moves"]
        lost = f"{', '.join(drop)} of every object behind {alias} is left behind"
        return [*said, lost] if drop else said

    def total(self) -> int | None:
        return sum(self._counts())

    def size(self) -> int | None:
        found = 0
        for count in self._counts():
            found += count
            if found >= SMALL:
                return SMALL
        return found

    def cursors(self, _parts: int) -> Sequence[object]:
        return [At(Do.CREATE).cursor()]

    def left(self, _run: str) -> Left:
        """Nothing once the alias has moved; all of it while it has not, or was moved back."""
        live = self._live()
        with self._explained(live):
            moved = stand(self._body, live).alias == self._body["class"]["class"]
        return Left(0 if moved else max(sum(self._counts()), 1))

    def verified(self) -> str:
        live = self._live()
        with self._explained(live):
            fate = ReplaceCollection().probe(self._body, live)
        return "" if fate.outcome is Outcome.DONE else fate.reason

    def step(self, cursor: object, rows: int) -> Stepped:
        assert isinstance(cursor, dict)
        live = self._live()
        with self._explained(live):
            return Steps(self._body, live).one(At.of(cursor), rows)

    def _counts(self) -> Iterator[int]:
        """Objects of each tenant of what is to be replaced; of nothing once it is."""
        live = self._live()
        with self._explained(live):
            standing = stand(self._body, live)
            if standing.old is None or standing.alias != standing.name:
                return
            tenants = live.server.tenants(standing.name) if tenanted(standing.old) else {None: "ACTIVE"}
            for tenant, status in tenants.items():
                if status == "ACTIVE":
                    yield live.server.count(standing.name, tenant)

    @contextmanager
    def _explained(self, live: Live) -> Iterator[None]:
        """Raises UnreachableError, as a step may be done again, BatchFailed, FailedError (schema-changed, …)."""
        name, where = self._backfill.name, self._backfill.shown
        try:
            with live.server.reading():
                yield
        except ObjectRefused as error:
            fix = advice.resume(name, "correct the object")
            raise BatchFailed(str(error), rows=1, where=where, fix=fix) from None
        except Refused as error:
            fix = error.fix or advice.resume(name, "remove the cause")
            raise FailedError("batch-refused", str(error), where=where, fix=fix) from None
        except Stopped as error:
            cancel, run = f"`provision backfill cancel {name}`", f"`provision backfill run {name}`"
            fix = f"{advice.resume(name, 'set it right')}; else {cancel}, then {run} begins anew"
            raise FailedError("schema-changed", str(error), where=where, fix=fix) from None
