"""Revisions, events and standings in a line each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from provision.core.graph import Graph
from provision.core.standing import StoreStanding, stand
from provision.errors import ProvisionError, Several
from provision.model import Event, EventKind, Revision

Told = list[tuple[str, str, str, str]]
AT = datetime(2026, 3, 2, 9, 14, tzinfo=UTC)


def revision(name: str, *parents: str, **fields: Any) -> Revision:
    """`a/1` after its parents; its checksum is forty times its number."""
    store, number = name.split("/")
    given = {"slug": "", "description": "", "path": f"{store}/{number}.sql", "checksum": number * 40, **fields}
    return Revision(store, number, parents=parents, **given)


def chain(store: str, count: int, **fields: Any) -> list[Revision]:
    """`store/1` … `store/count`, each after the one before; `requires` maps a number to what it requires."""
    requires: Mapping[int, tuple[str, ...]] = fields.pop("requires", {})
    return [
        revision(
            f"{store}/{number}",
            *([f"{store}/{number - 1}"] if number > 1 else []),
            requires=requires.get(number, ()),
            **fields,
        )
        for number in range(1, count + 1)
    ]


def event(name: str, kind: EventKind, n: int = 1, token: int = 1, **fields: Any) -> Event:
    """An event at AT plus n minutes; the checksum is that of `revision(name)`."""
    given = {"checksum": name.split("/")[1] * 40, "at": AT + timedelta(minutes=n), "actor": "ci@runner", **fields}
    return Event("vfr", name, kind, token=token, n=n, **given)


def applied(*names: str) -> list[Event]:
    return [event(name, EventKind.APPLIED, n) for n, name in enumerate(names, 1)]


def standings(
    graph: Graph, events: Iterable[Event] = (), peers: Mapping[str, Mapping[str, bool]] | None = None
) -> dict[str, StoreStanding]:
    """The standing of every store of the graph, from the events of all of them."""
    listed = list(events)
    stores = dict.fromkeys(each.store for each in graph.order)
    return {
        store: stand(
            store,
            graph.of(store),
            [each for each in listed if each.revision.split("/")[0] in (store, "backfill")],
            (peers or {}).get(store),
        )
        for store in stores
    }


def told(error: ProvisionError) -> Told:
    """Code, what, where and fix of every error in it."""
    parts = error.errors if isinstance(error, Several) else (error,)
    return [(each.code, each.what, each.where, each.fix) for each in parts]
