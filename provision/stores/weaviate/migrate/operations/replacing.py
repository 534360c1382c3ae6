"""What the parts of `replace_collection` share: how far it is, what must hold before it, and the last, exact step."""

from __future__ import annotations

import contextlib
import time
from abc import abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from provision.documents.operation import Body, Stopped
from provision.documents.refused import Refused
from provision.model.statements import Fate, Outcome
from provision.net.http import Unanswered, path_of
from provision.stores.weaviate.copy.freeze import freeze, thaw
from provision.stores.weaviate.copy.marks import CopyMark, Stage, mark_of
from provision.stores.weaviate.copy.objects import Copy
from provision.stores.weaviate.migrate.operations.base import Live, WeaviateOperation
from provision.stores.weaviate.server import Class
from provision.text.durations import seconds

BATCH = 500
KEEP, PAUSE = "7d", "30s"
# A request that was let in may still be at work when its shard is made read-only.
QUIET_SECONDS = 0.3
# Between the instant a write is stamped with and its being there lies what a vectorizer takes.
UNDER_WAY_MS = 60_000
ROUNDS = 5
CALM = 100


@dataclass(frozen=True, slots=True)
class ReplacementState:
    """Where a replacement stands: what the alias stands for, the old collection with its mark, and the new one."""

    alias: str
    old: Class | None
    new: Class | None
    mark: CopyMark | None

    @property
    def name(self) -> str:
        return str(self.old["class"]) if self.old else ""


class ReplacePart(WeaviateOperation):
    """A part of `replace_collection`; its body is the whole body.

    What it is recorded to have sent leaves out `batch`, `pause` and the like, which may be changed between two tries.
    """

    inner = True

    @abstractmethod
    def reached(self, standing: ReplacementState, body: Body, live: Live) -> Fate:
        """Whether this part is done, while the alias still stands for the old collection."""

    def probe(self, body: Body, live: Live) -> Fate:
        standing = stand(body, live)
        alias, new = body["alias"], body["class"]["class"]
        if standing.alias == new:
            kept = standing.mark is not None and standing.mark.stage is Stage.KEPT
            if standing.old is None or kept:
                return Fate(Outcome.DONE, f"{alias} stands for {new}")
            raise Stopped(f"{alias} stands for {new} already, and {standing.name} was not copied to the end")
        return self.reached(standing, body, live)


def stand(body: Body, live: Live) -> ReplacementState:
    """Where the replacement stands. Raises Stopped when the alias is not there, or stands for something else."""
    server, alias, new = live.server, body["alias"], body["class"]["class"]
    target = server.alias(alias)
    if target is None:
        raise Stopped(f"there is no alias {alias}: `create_alias` comes first")
    name = target if target != new else body.get("from") or marked(body, live)
    if body.get("from", name) != name:
        raise Stopped(f"{alias} stands for {target}, the file says {body['from']}")
    old = server.collection(name) if name else None
    if old is None and target != new:
        raise Stopped(f"{alias} stands for {name}, which is not there")
    mark = mark_of(old) if old else None
    ours = mark is not None and (mark.alias, mark.into) == (alias, new)
    return ReplacementState(target, old, server.collection(new), mark if ours else None)


def marked(body: Body, live: Live) -> str | None:
    """The collection whose mark says that it goes, or went, by this replacement."""
    for name, found in live.server.collections().items():
        mark = mark_of(found)
        if mark is not None and (mark.alias, mark.into) == (body["alias"], body["class"]["class"]):
            return name
    return None


def alias_guard(body: Body, live: Live, name: str) -> Callable[[], None]:
    """Stops a process that was frozen meanwhile and overtaken: once the alias moved, its copies are old."""
    before = live.server.alias(body["alias"])

    def check() -> None:
        now = live.server.alias(body["alias"])
        if now != before:
            raise Refused(f"{body['alias']} was moved to {now} while {name} was copied", "see which run moved it")

    return check


@contextlib.contextmanager
def frozen(live: Live, body: Body, name: str) -> Iterator[None]:
    """Inside, the collection takes no writes; it takes them again if that fails and the alias still stands for it."""
    freeze(live.server, name)
    try:
        yield
    except BaseException:
        # A server that is gone has forgotten it, and what went wrong first is what must be told.
        with contextlib.suppress(Unanswered, Refused):
            if live.server.alias(body["alias"]) == name:
                thaw(live.server, name)
        raise


def settle(copy: Copy, since: int | None) -> None:
    """Level out the last differences of a source that takes no writes, until a look at it shows nothing new."""
    time.sleep(QUIET_SECONDS)
    before = copy.look(since)
    while True:
        copy.level(since, before)
        now = copy.look(since)
        if now == before:
            break
        before = now
    copy.same_counts()
    copy.guard()


def catch_up(copy: Copy, since: int, body: Body, name: str) -> None:
    """Follow a source in use until little is left. Raises Refused when the last look would outlast `pause`."""
    for _ in range(ROUNDS):
        began, mending = time.monotonic(), copy.mending
        left = copy.level(since, copy.look(since))
        took, mending = time.monotonic() - began, copy.mending - mending
        if left <= CALM:
            break
    if took > pause(body):
        parts = f"comparing takes {took - mending:.0f}s, bringing over {left:,} changed objects {mending:.0f}s"
        raise Refused(f"{too_long(body, name)}: {parts}", LONGER)


def deadline(body: Body, name: str, guard: Callable[[], None]) -> Callable[[], None]:
    """A guard that also ends what lasts longer than writes may be refused."""
    end = time.monotonic() + pause(body)

    def check() -> None:
        guard()
        if time.monotonic() > end:
            raise Refused(f"{too_long(body, name)}; it takes them again, nothing was moved", LONGER)

    return check


def pause(body: Body) -> int:
    """Seconds for which writes may be refused."""
    return seconds(body.get("pause", PAUSE))


def too_long(body: Body, name: str) -> str:
    return f"the last look at {name} lasts longer than the {body.get('pause', PAUSE)} for which it may refuse writes"


LONGER = "write a longer `pause`, or stop the writers and write `writers: stopped`; then run again"


def point(live: Live, alias: str, name: str) -> None:
    """Make the alias stand for the collection."""
    live.server.send("PUT", path_of("aliases", alias), {"class": name})
