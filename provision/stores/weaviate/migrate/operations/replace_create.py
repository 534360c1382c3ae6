"""The first part of `replace_collection`: everything is looked at, the new collection is made, the old one marked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from provision.documents.operation import Body, Stopped
from provision.documents.refused import Refused
from provision.model.statements import Fate, Outcome
from provision.stores.weaviate.copy.form import tenanted
from provision.stores.weaviate.copy.freeze import thaw
from provision.stores.weaviate.copy.marks import CopyMark, Stage, write
from provision.stores.weaviate.copy.objects import clock
from provision.stores.weaviate.copy.plan import hindrances
from provision.stores.weaviate.copy.tenants import refuse_inactive
from provision.stores.weaviate.migrate.defaults import filled
from provision.stores.weaviate.migrate.operations.base import Live
from provision.stores.weaviate.migrate.operations.create_collection import CreateCollection
from provision.stores.weaviate.migrate.operations.replacing import UNDER_WAY_MS, ReplacementState, ReplacePart, stand
from provision.stores.weaviate.server import Class

_CREATE = CreateCollection()


class ReplaceCreate(ReplacePart):
    name = "replace_create"

    def summary(self, body: Body) -> str:
        return f"collection {body['class']['class']}, to replace what {body['alias']} stands for"

    def requests(self, body: Body) -> Sequence[tuple[str, str, Any]]:
        return _CREATE.requests(body["class"])

    def reached(self, standing: ReplacementState, body: Body, live: Live) -> Fate:
        fate = _CREATE.probe(body["class"], live)
        if fate.outcome is not Outcome.DONE or standing.mark is not None:
            return fate
        name = body["class"]["class"]
        if not tenanted(standing.new or {}) and live.server.count(name):
            return Fate(Outcome.DIFFERENT, f"the collection {name} holds objects already")
        return Fate(Outcome.NOT_DONE, f"{standing.name} is not marked as being replaced")

    def run(self, body: Body, live: Live) -> None:
        standing = stand(body, live)
        if standing.old is None:
            raise Stopped(f"nothing is there that {body['class']['class']} could replace")
        for _, what, fix in refusals(standing.old, body, live):
            raise Refused(what, fix)  # nothing was changed yet
        if _CREATE.probe(body["class"], live).outcome is not Outcome.DONE:
            _CREATE.run(body["class"], live)
        thaw(live.server, standing.name)
        seen = clock(live.server) - UNDER_WAY_MS
        mark = CopyMark(body["alias"], body["class"]["class"], Stage.COPYING, seen, by=live.names.owner)
        write(live.server, standing.name, mark)


def refusals(old: Class, body: Body, live: Live) -> Iterator[tuple[str, str, str]]:
    """What stands against it: the part of the body, what is wrong, and what to do."""
    yield from hindrances(old, filled(body["class"]), body)
    yield from _referring(old["class"], live)
    if tenanted(old):
        try:
            refuse_inactive(old["class"], live.server.tenants(old["class"]))
        except Refused as refused:
            yield "alias", str(refused), refused.fix


def _referring(name: str, live: Live) -> Iterator[tuple[str, str, str]]:
    for other, found in live.server.collections().items():
        for each in found.get("properties") or ():
            if name in each["dataType"]:
                what = f"{other}.{each['name']} refers to objects of {name}, and references do not follow an alias"
                yield "class", what, "keep the collection, or write the references anew by a program of your own"
