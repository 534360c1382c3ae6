"""The last part of `replace_collection`: the rest is brought over while nothing is written, and the alias moves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from provision.documents.operation import Body, Stopped
from provision.model.statements import Fate, Outcome
from provision.net.http import path_of
from provision.stores.weaviate.copy.form import Form
from provision.stores.weaviate.copy.freeze import thaw
from provision.stores.weaviate.copy.marks import Stage, write
from provision.stores.weaviate.copy.objects import Copy
from provision.stores.weaviate.copy.plan import timed
from provision.stores.weaviate.migrate.operations.base import Live
from provision.stores.weaviate.migrate.operations.replacing import (
    BATCH,
    KEEP,
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


class ReplaceSwitch(ReplacePart):
    name = "replace_switch"

    def summary(self, body: Body) -> str:
        return f"alias {body['alias']} to {body['class']['class']}, level with what it stood for"

    def requests(self, body: Body) -> Sequence[tuple[str, str, Any]]:
        return [("PUT", path_of("aliases", body["alias"]), {"class": body["class"]["class"]})]

    def reached(self, standing: ReplacementState, body: Body, _live: Live) -> Fate:
        return Fate(Outcome.NOT_DONE, f"{body['alias']} stands for {standing.alias or 'nothing'}")

    def run(self, body: Body, live: Live) -> None:
        standing = stand(body, live)
        if standing.old is None or standing.new is None or standing.mark is None:
            raise Stopped(f"{body['class']['class']}, or what it replaces, is gone")
        server, name, size = live.server, standing.name, body.get("batch", BATCH)
        form = Form.between(standing.old, standing.new)
        guard = alias_guard(body, live, name)
        since = standing.mark.seen if timed(standing.old, body) else None
        copy = Copy(server, form, size, guard)
        thaw(server, name)
        if since is not None:
            catch_up(copy, since, body, name)
        until = datetime.now(UTC) + timedelta(seconds=seconds(body.get("keep", KEEP)))
        write(server, name, replace(standing.mark, stage=Stage.KEPT, until=until.isoformat(timespec="seconds")))
        with frozen(live, body, name):
            if since is not None:
                copy.guard = deadline(body, name, guard)
            settle(copy, since)
            point(live, body["alias"], body["class"]["class"])
