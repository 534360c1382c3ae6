"""A collection is replaced in steps of about a page: create, copy, follow, switch. A step done again does no harm.

What a step must know lies in its cursor and in the mark on the old collection, as in `replace_collection`, whose first
and last parts these are: one may bring to its end what the other began.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

from provision.backfill.log import Stepped
from provision.documents.operation import Body, Stopped
from provision.errors import ConfigError
from provision.model.statements import Outcome
from provision.stores.weaviate.copy.form import Form
from provision.stores.weaviate.copy.freeze import thaw
from provision.stores.weaviate.copy.marks import CopyMark, Stage, write
from provision.stores.weaviate.copy.merge import Sum
from provision.stores.weaviate.copy.objects import Copy, clock
from provision.stores.weaviate.copy.page import Page, follow_page, level_page
from provision.stores.weaviate.copy.plan import timed
from provision.stores.weaviate.copy.tenants import refuse_inactive
from provision.stores.weaviate.migrate.operations.base import Live
from provision.stores.weaviate.migrate.operations.replace_create import ReplaceCreate
from provision.stores.weaviate.migrate.operations.replace_switch import ReplaceSwitch
from provision.stores.weaviate.migrate.operations.replacing import (
    CALM,
    ROUNDS,
    UNDER_WAY_MS,
    ReplacementState,
    alias_guard,
    stand,
)
from provision.stores.weaviate.server import Class

# Objects in one request at most; and at least, as a step costs a dozen requests however few they are.
MOST, LEAST = 2000, 100
# A run that waited so long before its switch follows the source anew first: what lies behind has grown.
STALE_MS = 15 * 60_000


class Do(StrEnum):
    CREATE = "create"  # the new collection, and the mark on the old one
    COPY = "copy"  # every object, tenant by tenant in the order of ids, each page read back
    FOLLOW = "follow"  # what was written and deleted since, in rounds until little is left
    SWITCH = "switch"  # the last differences while nothing is written, and the alias
    DONE = "done"


@dataclass(frozen=True, slots=True)
class At:
    """Where a replacement goes on. `since` and `began`: milliseconds of the server's clock; `sum`: of what was copied.

    In a cursor, what is empty or 0 is left out.
    """

    do: Do
    tenant: str | None = None
    after: str = ""
    objects: int = 0
    sum: str = ""
    round: int = 0
    since: int = 0
    began: int = 0
    mended: int = 0

    @classmethod
    def of(cls, cursor: Mapping[str, Any]) -> At:
        return cls(**{**cursor, "do": Do(cursor["do"])})

    def cursor(self) -> dict[str, Any]:
        return {**{name: value for name, value in asdict(self).items() if value}, "do": self.do.value}


@dataclass(frozen=True, slots=True)
class Under:
    """A replacement under way: the old collection with its mark, and the copy to the new one."""

    old: Class
    mark: CopyMark
    copy: Copy


class Steps:
    """Raises Refused (ObjectRefused for one object), Stopped, ConfigError, http.Unanswered."""

    def __init__(self, body: Body, live: Live) -> None:
        self._body, self._live, self._server = body, live, live.server

    def one(self, at: At, rows: int) -> Stepped:
        """The next step, of about so many objects."""
        standing = stand(self._body, self._live)
        if standing.alias == self._body["class"]["class"]:
            ReplaceSwitch().probe(self._body, self._live)  # not by us, unless it was copied to the end
            return Stepped(At(Do.DONE).cursor(), True, 0, 0)
        if at.do is Do.CREATE:
            return self._create()
        under = self._under(standing, min(max(rows, LEAST), MOST))
        if at.do is Do.SWITCH:
            return self._switch(at, under)
        if at.do is Do.COPY:
            page = self._page(at, under, lambda: level_page(under.copy, at.tenant, at.after))
            return self._copied(at, under, page)
        page = self._page(at, under, lambda: follow_page(under.copy, at.tenant, at.after, at.since))
        return self._followed(at, under, page)

    def _create(self) -> Stepped:
        part = ReplaceCreate()
        if part.probe(self._body, self._live).outcome is not Outcome.DONE:
            part.run(self._body, self._live)
        under = self._under(stand(self._body, self._live), LEAST)
        at = At(Do.COPY)
        return Stepped((self._first(at, under) or self._all_copied(at, under)).cursor(), False, 0, 0)

    def _copied(self, at: At, under: Under, page: Page) -> Stepped:
        total = Sum(at.objects, int(at.sum or "0", 16))
        total.join(page.total)
        at = replace(at, after=page.last, objects=total.objects, sum=str(total))
        following = self._further(at, under) or self._all_copied(at, under)
        return Stepped(following.cursor(), False, page.looked_at, page.looked_at)

    def _all_copied(self, at: At, under: Under) -> At:
        self._note(under, replace(under.mark, stage=Stage.COPIED, objects=at.objects, checksum=at.sum))
        if not timed(under.old, self._body):
            return self._ready()  # nothing is written, and then all is held against all
        return self._round(under, under.mark.seen, 1)

    def _followed(self, at: At, under: Under, page: Page) -> Stepped:
        at = replace(at, after=page.last, mended=at.mended + page.mended)
        following = self._further(at, under) or self._level(at, under)
        return Stepped(following.cursor(), False, page.looked_at, page.mended)

    def _level(self, at: At, under: Under) -> At:
        """After a round: another while much was found, else the switch."""
        seen = at.began - UNDER_WAY_MS
        self._note(under, replace(under.mark, seen=seen))
        return self._ready() if at.mended <= CALM or at.round >= ROUNDS else self._round(under, seen, at.round + 1)

    def _switch(self, at: At, under: Under) -> Stepped:
        if timed(under.old, self._body) and clock(self._server) - at.began > STALE_MS:
            return Stepped(self._round(under, under.mark.seen, 1).cursor(), False, 0, 0)
        ReplaceSwitch().run(self._body, self._live)
        return Stepped(At(Do.DONE).cursor(), True, 0, 0)

    def _round(self, under: Under, since: int, number: int) -> At:
        at = At(Do.FOLLOW, since=since, began=clock(self._server), round=number)
        return self._first(at, under) or self._ready()

    def _ready(self) -> At:
        return At(Do.SWITCH, began=clock(self._server))

    def _first(self, at: At, under: Under) -> At | None:
        """The beginning of a pass; None where there is no tenant to look at."""
        tenants = under.copy.tenants()
        return replace(at, tenant=tenants[0]) if tenants else None

    def _further(self, at: At, under: Under) -> At | None:
        """Where the pass goes on: behind the page, else in the next tenant; None at its end."""
        if at.after or at.tenant is None:
            return at if at.after else None
        later = [tenant for tenant in under.copy.tenants() if tenant is not None and tenant > at.tenant]
        return replace(at, tenant=later[0]) if later else None

    def _page(self, at: At, under: Under, ask: Callable[[], Page]) -> Page:
        """The page; an empty one where its tenant is gone by now. Raises Refused for a tenant that went to sleep."""
        try:
            return ask()
        except ConfigError:
            tenants = self._server.tenants(under.old["class"]) if at.tenant is not None else {}
            if at.tenant is None or at.tenant in tenants:
                refuse_inactive(under.old["class"], tenants)
                raise
            return Page("", 0, 0)

    def _note(self, under: Under, mark: CopyMark) -> None:
        thaw(self._server, under.old["class"])
        write(self._server, under.old["class"], mark)

    def _under(self, standing: ReplacementState, size: int) -> Under:
        if standing.old is None or standing.new is None or standing.mark is None:
            raise Stopped(f"{self._body['class']['class']}, or the mark on what it replaces, is gone")
        guard = alias_guard(self._body, self._live, standing.name)
        form = Form.between(standing.old, standing.new)
        return Under(standing.old, standing.mark, Copy(self._server, form, size, guard))
