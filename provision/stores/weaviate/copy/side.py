"""The objects of one collection, or of one tenant of it: read in the order of their ids, written and deleted."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

from provision.documents.refused import Refused
from provision.net.http import path_of
from provision.stores.weaviate.copy.form import Object
from provision.stores.weaviate.copy.grpc_pages import FEW
from provision.stores.weaviate.server import Server, refusal, said

# Ids alone are small; the server answers no more than 10,000 (QUERY_MAXIMUM_RESULTS).
IDS = 5000
DELETED = 200
REFUSED = (
    "cure the object and run again; or delete {0}, settle the revision with `provision resolve <id> --pending`,"
    " correct the class and run again"
)
_ABOVE = 1 << 128


class ObjectRefused(Refused):
    """Raised when the server refused an object for what it holds; the message names one."""


class CopySide:
    """`vectors`: the names of those that it may read over gRPC, with the objects; None: objects come over REST.

    Raises http.Unanswered, ConfigError for what cannot be read, Refused for what cannot be written.
    """

    def __init__(
        self, server: Server, name: str, tenant: str | None, size: int, vectors: Sequence[str] | None = None
    ) -> None:
        self._server, self.name, self.tenant, self.size = server, name, tenant, size
        self._vectors = vectors
        self._narrowed = {} if tenant is None else {"tenant": tenant}

    def __str__(self) -> str:
        return self.name if self.tenant is None else f"{self.name} (tenant {self.tenant})"

    def pages(self, after: str = "", *, vectors: bool = True) -> Iterator[list[Object]]:
        """Every object behind id `after`, in the order of ids; the next page is fetched while one is looked at."""
        size = self.size if vectors else IDS
        with ThreadPoolExecutor(1) as ahead:
            coming = ahead.submit(self.page, after, size, vectors=vectors)
            while page := coming.result():
                if len(page) == size:
                    coming = ahead.submit(self.page, page[-1]["id"], size, vectors=vectors)
                yield page
                if len(page) < size:
                    return

    def ids(self) -> Iterator[tuple[str, bytes]]:
        """Every id in order, with nothing beside it."""
        for page in self.pages(vectors=False):
            for each in page:
                yield each["id"], b""

    def last(self) -> str:
        """The highest id, found by halving; empty when there is no object."""
        found, low, high = "", 0, _ABOVE
        while True:
            middle = (low + high) // 2 if found else 0
            page = self.page(str(UUID(int=middle)) if found else "", 2, vectors=False)
            if page:
                found = page[-1]["id"]
                low = UUID(found).int
            else:
                high = middle
            if not found or len(page) == 1 or high - low <= 1:
                return found

    def get(self, key: str) -> Object | None:
        """One object, or None."""
        query = {"include": "vector", **self._narrowed}
        answer = self._server.ask("GET", path_of("objects", self.name, key), query=query)
        return None if answer is None else dict(answer.body)

    def count(self) -> int:
        """How many objects there are, exactly."""
        return self._server.count(self.name, self.tenant)

    def changed(self, since: int, low: str | None = None, high: str | None = None) -> dict[str, int]:
        """Ids of the objects written at or after `since` and when they were, in milliseconds of the server's clock.

        With `low` those from that id on, with `high` those before that one. The server pages nothing that is filtered
        beyond 10,000: a full answer is asked for again in two halves of ids.
        """
        found: dict[str, int] = {}
        ranges = [(low, high)]
        while ranges:
            low, high = ranges.pop()
            page = self._changed(since, low, high)
            if len(page) < IDS:
                found |= page
            else:
                middle = sorted(page)[len(page) // 2]
                ranges += [(low, middle), (middle, high)]
        return found

    def put(self, objects: Sequence[dict[str, Any]]) -> None:
        """Write objects over those with the same ids. Raises ObjectRefused when the server refuses any of them."""
        if not objects:
            return
        sent = {"objects": [{**each, **self._narrowed} for each in objects]}
        answer = self._server.send("POST", "/batch/objects", sent)
        wrong = [each for each in answer.body or () if (each.get("result") or {}).get("status") == "FAILED"]
        if wrong or len(answer.body or ()) != len(objects):
            listed = wrong[0]["result"]["errors"]["error"] if wrong else [{"message": "objects went missing"}]
            what = f"{len(wrong)} of {len(objects)} objects were refused by {self}, {wrong[0]['id'] if wrong else ''}"
            raise ObjectRefused(f"{what}: {listed[0]['message']}", REFUSED.format(self.name))

    def delete(self, keys: Sequence[str]) -> None:
        """Delete objects; those that are not there are passed by. Raises Refused."""
        for start in range(0, len(keys), DELETED):
            where = {"path": ["id"], "operator": "ContainsAny", "valueTextArray": keys[start : start + DELETED]}
            match = {"match": {"class": self.name, "where": where}}
            answer = self._server.send("DELETE", "/batch/objects", match, query=self._narrowed or None)
            failed = answer.body["results"]["failed"]
            if failed:
                raise Refused(f"{failed} objects of {self} could not be deleted: {said(answer)}")

    def between(self, after: str, last: str, *, vectors: bool = True) -> list[Object]:
        """Every object behind id `after` up to `last`; to the end where `last` is empty."""
        found: list[Object] = []
        size = self.size if vectors else IDS
        while True:
            page = self.page(found[-1]["id"] if found else after, size, vectors=vectors)
            found += [each for each in page if not last or each["id"] <= last]
            if len(page) < size or (last and page[-1]["id"] >= last):
                return found

    def page(self, after: str, size: int, *, vectors: bool = True) -> list[Object]:
        """At most so many objects behind id `after`, in the order of ids; without vectors, little but their ids."""
        found = self._over_grpc(after, size, vectors=vectors)
        return self._listed(after, size, vectors=vectors) if found is None else found

    def _over_grpc(self, after: str, size: int, *, vectors: bool) -> list[Object] | None:
        """The page over gRPC; None where REST has to be asked. Behind no id, gRPC promises no order: REST is first."""
        if size < FEW or (vectors and self._vectors is None) or (batches := self._server.batches) is None:
            return None
        first = [] if after or batches.why_not() else self._listed("", 1, vectors=vectors)
        behind = first[0]["id"] if first else after
        wanted = self._vectors if vectors else None
        found = batches.page(self.name, self.tenant, behind, size - len(first), wanted) if behind else None
        return None if found is None else [*first, *found]

    def _listed(self, after: str, size: int, *, vectors: bool) -> list[Object]:
        query = {"class": self.name, "limit": size, "after": after, **self._narrowed}
        if vectors:
            query["include"] = "vector"
        answer = self._server.ask("GET", "/objects", query=query)
        if answer is not None and answer.body is None:
            # Over gRPC the server takes NaN and infinity, which JSON has not; a page with one of them comes back empty.
            what = f"an object of {self} behind id {after or 'none'} holds a number that is not finite"
            raise Refused(what, "find it with `provision validate vectors`, correct it, run again")
        page = list((answer.body if answer else {}).get("objects") or ())
        ids = [each["id"] for each in page]
        if ids != sorted(ids) or (ids and ids[0] <= after):
            raise Refused(f"the server does not list {self} in the order of ids, so that nothing can be compared")
        return page

    def _changed(self, since: int, low: str | None, high: str | None) -> dict[str, int]:
        operands = [f'{{path:["_lastUpdateTimeUnix"],operator:GreaterThanEqual,valueText:"{since}"}}']
        if low is not None:
            operands.append(f'{{path:["id"],operator:GreaterThanEqual,valueText:"{low}"}}')
        if high is not None:
            operands.append(f'{{path:["id"],operator:LessThan,valueText:"{high}"}}')
        where = operands[0] if len(operands) == 1 else f"{{operator:And,operands:[{','.join(operands)}]}}"
        tenant = "" if self.tenant is None else f"tenant:{json.dumps(self.tenant)},"
        inner = f"{self.name}({tenant}limit:{IDS},where:{where}){{_additional{{id lastUpdateTimeUnix}}}}"
        answer = self._server.ask("POST", "/graphql", {"query": f"{{Get{{{inner}}}}}"})
        if answer is None or answer.body.get("errors"):
            raise refusal(answer, self._server.shown) if answer else Refused("the server has no GraphQL")
        listed = answer.body["data"]["Get"][self.name] or ()
        return {each["_additional"]["id"]: int(each["_additional"]["lastUpdateTimeUnix"]) for each in listed}
