"""Brings the objects of one collection into another and keeps the other level with it while both are in use.

Everything here may be stopped anywhere and done again: objects are put under their own ids, and what is there and
equal is passed by.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from email.utils import parsedate_to_datetime
from itertools import chain, takewhile
from typing import Any
from uuid import UUID

from provision.documents.refused import Refused
from provision.stores.weaviate.copy.form import Form
from provision.stores.weaviate.copy.merge import Entry, Sum, differing, summed
from provision.stores.weaviate.copy.side import CopySide
from provision.stores.weaviate.copy.tenants import same_tenants
from provision.stores.weaviate.server import Server

WRITERS = 2
READERS = 4
# Up to so many changed objects, or one in `SHARE`, are fetched one by one; for more, all is held against all.
FEW = 2000
SHARE = 5
# Two writes of one object within a millisecond carry one stamp: a stamp this young proves nothing yet.
YOUNG_MS = 2000

# Of each tenant (None without tenants): how many objects, and which were changed when.
Look = dict[str | None, tuple[int, dict[str, int]]]


def clock(server: Server) -> int:
    """The server's clock, in milliseconds, rounded down to the second. Raises Refused, http.Unanswered."""
    answer = server.ask("GET", "/.well-known/live")
    said = answer.headers.get("date") if answer else None
    if said is None:
        raise Refused("the server's answers carry no Date", "let the proxy before it pass the header on")
    return round(parsedate_to_datetime(said).timestamp()) * 1000


class Copy:
    """`guard` is asked before every write and every page, and may raise to stop it.

    Raises Refused, http.Unanswered, ConfigError (not-allowed, server-refused).
    """

    def __init__(self, server: Server, form: Form, size: int, guard: Callable[[], None]) -> None:
        self._server, self.form, self.size, self.guard = server, form, size, guard
        # What this run itself has seen to be level: tenant and id → the stamp it had in the source.
        self._known: dict[tuple[str | None, str], int] = {}
        # Seconds spent on objects that were not level, all told: what is slow is said by name.
        self.mending = 0.0

    def fill(self) -> Sum:
        """Copy what is behind the last object that is there, then read all of it back.

        Returns number and checksum of what the target holds.
        """
        total = Sum()
        for source, target in self._sides():
            start = target.last()
            notes = self._pour(source, target, start)
            wanted, found = Sum(), Sum()
            entries = summed(chain(self._earlier(source, start), notes), wanted)
            unlike = list(differing(entries, summed(self._digests(target), found)))
            if not unlike and wanted != found:
                raise Refused(
                    f"{target} holds {found.objects} objects ({found}), {wanted.objects} ({wanted}) were sent"
                )
            self.mend(source, target, unlike)
            total.join(found)
        return total

    def look(self, since: int | None) -> Look:
        """What the source holds; without `since`, none of it as changed."""
        return {
            source.tenant: (source.count(), {} if since is None else source.changed(since))
            for source, _ in self._sides()
        }

    def level(self, since: int | None, seen: Look) -> int:
        """Make the target as the source is, given a look at it; without `since`, by holding all against all.

        Returns how many objects were not.
        """
        mended = 0
        now = clock(self._server)
        for source, target in self._sides():
            count, changed = seen.get(source.tenant, (0, {}))
            fresh = [key for key, stamp in changed.items() if self._known.get((source.tenant, key)) != stamp]
            if since is None or len(fresh) > max(FEW, count // SHARE):
                unlike = list(differing(self._expected(source), self._digests(target)))
            else:
                unlike = sorted({*fresh, *differing(source.ids(), target.ids())})
            mended += self.mend(source, target, unlike)
            self._known |= {(source.tenant, key): changed[key] for key in fresh if changed[key] < now - YOUNG_MS}
        return mended

    def same_counts(self) -> None:
        """Raises Refused unless both hold as many objects."""
        for source, target in self._sides():
            here, there = source.count(), target.count()
            if here != there:
                raise Refused(f"{source} holds {here} objects and {target} {there}", "run the same command again")

    def sides(self, tenant: str | None) -> tuple[CopySide, CopySide]:
        """Source and target, of one tenant where there are tenants."""
        form = self.form
        return (
            CopySide(self._server, form.source, tenant, self.size, form.source_vectors),
            CopySide(self._server, form.target, tenant, self.size, form.target_vectors),
        )

    def tenants(self) -> list[str | None]:
        """The tenants of the source in order, which the target then has too; None alone where there are none."""
        if not self.form.tenants:
            return [None]
        return [*same_tenants(self._server, self.form.source, self.form.target)]

    def _sides(self) -> Iterator[tuple[CopySide, CopySide]]:
        for tenant in self.tenants():
            yield self.sides(tenant)

    def _pour(self, source: CopySide, target: CopySide, start: str) -> Iterator[Entry]:
        """Copy what is behind `start`; returns each id and the digest it must have, for the time after."""
        notes = bytearray()
        under_way: deque[Future[None]] = deque()
        with ThreadPoolExecutor(WRITERS) as writers:
            for page in source.pages(start):
                self.guard()
                made = [self.form.made(each) for each in page]
                under_way.append(writers.submit(self.pour, source, target, made))
                for each in page:
                    notes += UUID(each["id"]).bytes + self.form.expected(each)
                if len(under_way) > WRITERS:
                    under_way.popleft().result()
            for future in under_way:
                future.result()
        return _entries(bytes(notes))

    def pour(self, source: CopySide, target: CopySide, objects: list[dict[str, Any]]) -> None:
        """Write objects of the source, over gRPC where that is proved to be the same server; they are read back after.

        Raises as `CopySide.put` does.
        """
        batches = self._server.batches
        same = batches is not None and objects and batches.holds(source.name, source.tenant, objects[0]["id"])
        if batches is None or not same or not batches.put(target.name, target.tenant, objects):
            target.put(objects)

    def _expected(self, source: CopySide) -> Iterator[Entry]:
        for page in source.pages():
            self.guard()
            for each in page:
                yield each["id"], self.form.expected(each)

    def _earlier(self, source: CopySide, start: str) -> Iterator[Entry]:
        """What an earlier run copied, by the source as it is now."""
        return takewhile(lambda each: each[0] <= start, self._expected(source)) if start else iter(())

    def _digests(self, target: CopySide) -> Iterator[Entry]:
        for page in target.pages():
            for each in page:
                yield each["id"], self.form.digest(each)

    def mend(self, source: CopySide, target: CopySide, keys: Sequence[str]) -> int:
        """Bring these objects over, or take them away where the source has none. Returns how many were not level."""
        began = time.monotonic()
        try:
            return self._mended(source, target, keys)
        finally:
            self.mending += time.monotonic() - began

    def _mended(self, source: CopySide, target: CopySide, keys: Sequence[str]) -> int:
        mended = 0
        with ThreadPoolExecutor(READERS) as readers:
            for start in range(0, len(keys), self.size):
                portion = keys[start : start + self.size]
                here, there = list(readers.map(source.get, portion)), list(readers.map(target.get, portion))
                self.guard()
                wanted = {}
                gone = []
                for key, new, old in zip(portion, here, there, strict=True):
                    if new is None and old is not None:
                        gone.append(key)
                    elif new is not None and (old is None or self.form.expected(new) != self.form.digest(old)):
                        wanted[key] = new, old
                target.put([self.form.made(new, old) for new, old in wanted.values()])
                target.delete(gone)
                for (key, (new, _)), back in zip(wanted.items(), readers.map(target.get, wanted), strict=True):
                    if back is None or self.form.digest(back) != self.form.expected(new):
                        raise Refused(f"object {key} of {target} reads back other than it was written")
                mended += len(wanted) + len(gone)
        return mended


def _entries(notes: bytes) -> Iterator[Entry]:
    for at in range(0, len(notes), 32):
        yield str(UUID(bytes=notes[at : at + 16])), notes[at + 16 : at + 32]
