"""`insert_documents`: seed rows, each by its `_key`; one that is there otherwise is never written over."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from provision.documents.operation import Body, Problem
from provision.documents.refused import Refused
from provision.model.statements import Fate
from provision.net.http import path_of
from provision.stores.arango.migrate.bodies import body_of
from provision.stores.arango.migrate.compare import difference
from provision.stores.arango.migrate.name_rules import KEY_RULE, illegal_key
from provision.stores.arango.migrate.operations.base import (
    ArangoOperation,
    Live,
    different,
    done,
    not_done,
    request,
)
from provision.stores.arango.migrate.world import EDGE, ArangoWorld
from provision.stores.arango.server import NO_COLLECTION, NO_DOCUMENT

# Documents in one request.
PAGE = 500


class InsertDocuments(ArangoOperation):
    """Attributes that the document does not state, such as computed values, may differ."""

    name = "insert_documents"
    schema = body_of("insert_documents")

    def summary(self, body: Body) -> str:
        return f"{_count(len(body['documents']))} in {body['collection']}"

    def text(self, body: Body) -> str:
        return request("POST", "/_api/document" + path_of(body["collection"]), body["documents"])

    def probe(self, body: Body, live: Live) -> Fate:
        if live.collection(body["collection"]) is None:
            return different(f"there is no collection {body['collection']}")
        missing = 0
        for wanted, found in _pairs(body, live):
            if found is None:
                missing += 1
                continue
            differs = difference(f"{body['collection']}/{wanted['_key']}", wanted, found)
            if differs:
                return different(differs)
        return not_done(f"{_count(missing)} not there") if missing else done("every document is there")

    def run(self, body: Body, live: Live) -> None:
        missing = [wanted for wanted, found in _pairs(body, live) if found is None]
        path = "/_api/document" + path_of(body["collection"])
        for start in range(0, len(missing), PAGE):
            page = missing[start : start + PAGE]
            answers = live.server.ask("POST", path, page, query={"waitForSync": "true"})
            refuse(page, answers)

    def inverse(self, body: Body) -> tuple[str, Body]:
        keys = [each["_key"] for each in body["documents"]]
        return "delete_documents", {"collection": body["collection"], "keys": keys}

    def problems(self, body: Body) -> Iterable[Problem]:
        before: set[str] = set()
        for index, each in enumerate(body["documents"]):
            key, place = each["_key"], ("documents", index, "_key")
            if illegal_key(key):
                yield Problem(place, f"no document may have the _key {key}", KEY_RULE)
            if key in before:
                yield Problem(place, f"two documents have the _key {key}", "give one of them another")
            before.add(key)

    def effect(self, world: ArangoWorld, body: Body) -> Iterator[Problem]:
        """Refuses an edge without its two ends."""
        if world.type_of(body["collection"]) != EDGE:
            return
        for index, row in enumerate(body["documents"]):
            lacking = [end for end in ("_from", "_to") if end not in row]
            if lacking:
                what = f"{body['collection']} is an edge collection, and document {row['_key']} has no {lacking[0]}"
                fix = "write _from and _to as collection/key, or name a document collection"
                yield Problem(("documents", index, "_key"), what, fix)


def there(collection: str, keys: Sequence[str], live: Live) -> dict[str, Mapping[str, Any]]:
    """The documents of a collection that have one of the keys."""
    path = "/_api/document" + path_of(collection)
    found: dict[str, Mapping[str, Any]] = {}
    for start in range(0, len(keys), PAGE):
        page = list(keys[start : start + PAGE])
        answers = live.server.ask("PUT", path, page, query={"onlyget": "true"}, missing=(NO_COLLECTION,)) or ()
        refuse(page, answers, besides=NO_DOCUMENT)
        found |= {each["_key"]: each for each in answers if not each.get("error")}
    return found


def refuse(asked: Sequence[object], answers: Sequence[Mapping[str, Any]], besides: int = 0) -> None:
    """Raises Refused for the first document that the server refused with another number than `besides`."""
    for wanted, answer in zip(asked, answers, strict=False):
        if answer.get("error") and answer.get("errorNum") != besides:
            key = wanted["_key"] if isinstance(wanted, Mapping) else wanted
            raise Refused(f"document {key}: {answer.get('errorMessage')} (error {answer.get('errorNum')})")


def _pairs(body: Body, live: Live) -> list[tuple[Mapping[str, Any], Mapping[str, Any] | None]]:
    found = there(body["collection"], [each["_key"] for each in body["documents"]], live)
    return [(each, found.get(each["_key"])) for each in body["documents"]]


def _count(number: int) -> str:
    return f"{number} document{'' if number == 1 else 's'}"
