"""The way back of `replace_collection`: the alias moves to the old collection, which is brought level first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from provision.documents.operation import Body, Earlier, Stopped
from provision.model.statements import Fate, Outcome
from provision.net.http import path_of
from provision.stores.weaviate.copy.form import Form
from provision.stores.weaviate.copy.freeze import thaw
from provision.stores.weaviate.copy.marks import CopyMark, Stage, mark_of, write
from provision.stores.weaviate.copy.objects import Copy
from provision.stores.weaviate.copy.plan import timed
from provision.stores.weaviate.migrate.compare import by_name
from provision.stores.weaviate.migrate.operations.base import Live
from provision.stores.weaviate.migrate.operations.delete_collection import refuse_dangling
from provision.stores.weaviate.migrate.operations.replacing import (
    BATCH,
    KEEP,
    UNDER_WAY_MS,
    ReplacementState,
    ReplacePart,
    alias_guard,
    catch_up,
    deadline,
    frozen,
    point,
    settle,
    stand,
)
from provision.text.durations import seconds


class ReplaceReturn(ReplacePart):
    name = "replace_return"

    def summary(self, body: Body) -> str:
        return f"alias {body['alias']} back to what {body['class']['class']} replaced, with what was written since"

    def requests(self, body: Body) -> Sequence[tuple[str, str, Any]]:
        return [("DELETE", path_of("schema", body["class"]["class"]), None)]

    def destructive(self, body: Body, earlier: Earlier = ()) -> str | None:
        new = body["class"]
        made = [each.body for each in earlier if each.name == "create_collection"]
        made += [each.body["class"] for each in earlier if each.name == "replace_collection"]
        old = next((each for each in reversed(made) if each["class"] == body.get("from")), None)
        if old is None:
            return f"what {new['class']} holds and the collection before it has no place for is lost"
        lost = sorted(by_name(new.get("properties") or ()).keys() - by_name(old.get("properties") or ()).keys())
        return f"{', '.join(lost)} of {new['class']} is lost: {old['class']} has no place for it" if lost else None

    def probe(self, body: Body, live: Live) -> Fate:
        standing = stand(body, live)
        alias, new = body["alias"], body["class"]["class"]
        if standing.alias == new:
            return self.reached(standing, body, live)
        if standing.new is None:
            left = standing.mark is not None
            return Fate(Outcome.NOT_DONE if left else Outcome.DONE, f"{alias} stands for {standing.alias}")
        if _left(standing):
            return Fate(Outcome.NOT_DONE, f"{alias} stands for {standing.alias}, {new} is there still")
        raise Stopped(f"{alias} stands for {standing.alias}, not for {new}, which may hold what was written through it")

    def reached(self, standing: ReplacementState, body: Body, _live: Live) -> Fate:
        if standing.old is None:
            raise Stopped(
                f"there is no way back: what {body['class']['class']} replaced was kept for {body.get('keep', KEEP)}"
                " and is removed"
            )
        return Fate(Outcome.NOT_DONE, f"{body['alias']} stands for {standing.alias}")

    def run(self, body: Body, live: Live) -> None:
        standing = stand(body, live)
        name, new = standing.name, body["class"]["class"]
        if standing.alias == new:
            _go_back(standing, body, live)
        thaw(live.server, name)
        write(live.server, name, None)
        if live.server.collection(new) is not None:
            refuse_dangling(live, new)
            live.server.send("DELETE", path_of("schema", new))


def _go_back(standing: ReplacementState, body: Body, live: Live) -> None:
    if standing.old is None or standing.new is None:
        raise Stopped(f"{body['class']['class']}, or what it replaced, is gone")
    server, name, new = live.server, standing.name, body["class"]["class"]
    since = None
    if standing.mark is not None and timed(standing.new, body):
        since = round(standing.mark.due.timestamp() - seconds(body.get("keep", KEEP))) * 1000 - UNDER_WAY_MS
    for each in (name, new):
        thaw(server, each)
    guard = alias_guard(body, live, new)
    copy = Copy(server, Form.between(standing.new, standing.old), body.get("batch", BATCH), guard)
    if since is not None:
        catch_up(copy, since, body, new)
    write(server, new, CopyMark(body["alias"], name, Stage.RETURNING, since or 0))
    with frozen(live, body, new):
        if since is not None:
            copy.guard = deadline(body, new, guard)
        settle(copy, since)
        point(live, body["alias"], name)


def _left(standing: ReplacementState) -> bool:
    """Whether the new collection holds nothing that the old one lacks: never switched to, or left on purpose."""
    if standing.mark is not None and standing.mark.stage in (Stage.COPYING, Stage.COPIED):
        return True
    returning = mark_of(standing.new) if standing.new else None
    return returning is not None and replace(returning, seen=0) == CopyMark(
        returning.alias, standing.name, Stage.RETURNING, 0
    )
