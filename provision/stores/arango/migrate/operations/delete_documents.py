"""`delete_documents`: documents by their keys, each as it was when it was looked at."""

from __future__ import annotations

from provision.documents.operation import Body, Earlier, mapping
from provision.model.statements import Fate
from provision.net.http import path_of
from provision.stores.arango.migrate.operations.base import NAME, ArangoOperation, Live, done, not_done, request
from provision.stores.arango.migrate.operations.insert_documents import PAGE, refuse, there
from provision.stores.arango.server import NO_DOCUMENT

_KEYS = {
    "type": "array",
    "minItems": 1,
    "items": {"type": "string", "description": "the _key of a document"},
    "description": "a list of the documents' _key",
}


class DeleteDocuments(ArangoOperation):
    name = "delete_documents"
    schema = mapping(["collection", "keys"], collection=NAME, keys=_KEYS)

    def summary(self, body: Body) -> str:
        return f"delete {len(body['keys'])} of {body['collection']}: {', '.join(body['keys'][:3])}" + (
            ", …" if len(body["keys"]) > 3 else ""
        )

    def text(self, body: Body) -> str:
        return request("DELETE", "/_api/document" + path_of(body["collection"]), body["keys"])

    def probe(self, body: Body, live: Live) -> Fate:
        found = there(body["collection"], body["keys"], live)
        return not_done(f"{', '.join(sorted(found)[:3])} is there") if found else done("none of them is there")

    def run(self, body: Body, live: Live) -> None:
        found = list(there(body["collection"], body["keys"], live).values())
        query = {"waitForSync": "true", "ignoreRevs": "false"}
        for start in range(0, len(found), PAGE):
            page = [{"_key": each["_key"], "_rev": each["_rev"]} for each in found[start : start + PAGE]]
            path = "/_api/document" + path_of(body["collection"])
            refuse(page, live.server.ask("DELETE", path, page, query=query), besides=NO_DOCUMENT)

    def destructive(self, body: Body, _earlier: Earlier = ()) -> str:
        count = len(body["keys"])
        lost = "1 document is" if count == 1 else f"{count} documents are"
        return f"{lost} lost from {body['collection']}, whatever was changed there since"
