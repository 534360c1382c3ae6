"""Operations over every key of a pattern: page by page with SCAN, each page in one short script.

Stopped half-way they are simply sent again: a page that is done holds nothing more to do. The event comes at the end.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator

from provision.documents.operation import Body
from provision.model import Event
from provision.model.statements import Fate, Outcome
from provision.stores.redis.migrate.operations.base import Live, RedisOperation
from provision.stores.redis.names import OWN


class Loop(RedisOperation):
    def pages(self, body: Body, live: Live) -> Iterator[list[str]]:
        """The keys it means, provision's own left out."""
        for page in live.server.pages(body["pattern"]):
            mine = [key for key in page if not key.startswith(OWN)]
            if mine:
                yield mine

    @abstractmethod
    def page(self, body: Body, live: Live, keys: list[str], event: Event) -> None:
        """Do it to these keys. Raises Stopped, CommandRefused, LeaseLost."""

    @abstractmethod
    def left(self, body: Body, live: Live, keys: list[str]) -> list[str]:
        """Those of the keys that it still has to be done to."""

    def run(self, body: Body, live: Live, event: Event) -> None:
        for keys in self.pages(body, live):
            self.page(body, live, keys, event)
        live.fence.apply((), event)

    def probe(self, body: Body, live: Live) -> Fate:
        for keys in self.pages(body, live):
            left = self.left(body, live, keys)
            if left:
                return Fate(Outcome.NOT_DONE, f"{left[0]} is still to do; what is done is passed by")
        return Fate(Outcome.DONE, f"no key of {body['pattern']} is left to do")
