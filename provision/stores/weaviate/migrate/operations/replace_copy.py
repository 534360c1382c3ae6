"""The second part of `replace_collection`: every object is copied and read back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from provision.documents.operation import Body, Stopped
from provision.model.statements import Fate, Outcome
from provision.stores.weaviate.copy.form import Form
from provision.stores.weaviate.copy.freeze import thaw
from provision.stores.weaviate.copy.marks import Stage, write
from provision.stores.weaviate.copy.objects import Copy
from provision.stores.weaviate.migrate.operations.base import Live
from provision.stores.weaviate.migrate.operations.replacing import (
    BATCH,
    ReplacementState,
    ReplacePart,
    alias_guard,
    stand,
)


class ReplaceCopy(ReplacePart):
    name = "replace_copy"

    def summary(self, body: Body) -> str:
        return f"copy the objects behind {body['alias']} to {body['class']['class']} and read them back"

    def requests(self, body: Body) -> Sequence[tuple[str, str, Any]]:
        listed = f"/objects?class={body['alias']}&include=vector&after=…"
        return [("GET", listed, None), ("POST", "/batch/objects", {"objects": f"… of class {body['class']['class']}"})]

    def reached(self, standing: ReplacementState, body: Body, _live: Live) -> Fate:
        if standing.mark is None or standing.new is None:
            raise Stopped(f"the collection {body['class']['class']} or the mark on {standing.name} is gone")
        done = standing.mark.stage in (Stage.COPIED, Stage.KEPT)
        return Fate(Outcome.DONE if done else Outcome.NOT_DONE, f"{standing.name} is marked as {standing.mark.stage}")

    def run(self, body: Body, live: Live) -> None:
        standing = stand(body, live)
        if standing.old is None or standing.new is None or standing.mark is None:
            raise Stopped(f"{body['class']['class']}, or what it replaces, is gone")
        form = Form.between(standing.old, standing.new)
        guard = alias_guard(body, live, standing.name)
        total = Copy(live.server, form, body.get("batch", BATCH), guard).fill()
        thaw(live.server, standing.name)
        mark = replace(standing.mark, stage=Stage.COPIED, objects=total.objects, checksum=str(total))
        write(live.server, standing.name, mark)
