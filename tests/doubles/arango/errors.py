"""What ArangoDB refuses, with its own numbers and words."""

from __future__ import annotations

from typing import Any

# errorNum → (HTTP status, words), from the vendor's errors.dat.
_KNOWN = {
    9: (501, "not implemented"),
    10: (400, "bad parameter"),
    11: (403, "forbidden"),
    400: (400, "bad parameter"),
    401: (401, "unauthorized"),
    404: (404, "not found"),
    405: (405, "method not supported"),
    600: (400, "VPackError error: invalid JSON object"),
    1004: (403, "server is in read-only mode"),
    1005: (400, "duplicate value for `id` or `name`"),
    1200: (412, "conflict, _rev values do not match"),
    1202: (404, "document not found"),
    1203: (404, "collection or view not found"),
    1205: (400, "illegal document identifier"),
    1207: (409, "duplicate name"),
    1208: (400, "illegal name"),
    1210: (409, "unique constraint violated"),
    1212: (404, "index not found"),
    1213: (400, "cross collection request not allowed"),
    1214: (400, "illegal index identifier"),
    1218: (400, "collection type invalid"),
    1221: (400, "illegal document key"),
    1222: (400, "unexpected document key"),
    1226: (400, "missing document key"),
    1227: (400, "invalid document type"),
    1228: (404, "database not found"),
    1229: (400, "database name invalid"),
    1230: (403, "operation only allowed in system database"),
    1233: (
        400,
        "expecting both `_from` and `_to` attributes to be defined in the edge document and have the format"
        " `<collectionName>/<vertexKey>`",
    ),
    1470: (501, "this operation is only valid on a coordinator in a cluster"),
    1501: (400, "syntax error"),
    1502: (400, "query is empty"),
    1512: (400, "unknown variable"),
    1540: (400, "usage of unknown function"),
    1541: (400, "invalid number of arguments for function"),
    1551: (400, "no value specified for declared bind parameter"),
    1552: (400, "bind parameter was not declared in the query"),
    1553: (400, "bind parameter has an invalid value or type"),
    1563: (400, "array expected"),
    1569: (400, "FAIL() called"),
    1600: (404, "cursor not found"),
    1620: (400, "schema validation failed"),
    1621: (400, "invalid schema validation parameter"),
    1700: (400, "invalid user name"),
    1702: (409, "duplicate user"),
    1703: (404, "user not found"),
    1906: (400, "invalid edge"),
    1920: (400, "multi use of edge collection in edge def"),
    1921: (400, "edge collection already used in edge def"),
    1922: (400, "missing graph name"),
    1923: (400, "malformed edge definition"),
    1924: (404, "graph not found"),
    1925: (409, "graph already exists"),
    1926: (404, "vertex collection does not exist or is not part of the graph"),
    1927: (400, "collection not a vertex collection"),
    1928: (400, "collection is not in list of orphan collections"),
    1929: (400, "collection already used in edge def"),
    1930: (404, "edge collection not used in graph"),
    1938: (400, "collection used in orphans"),
    1939: (404, "edge collection does not exist or is not part of the graph"),
    1942: (403, "must not drop collection while part of graph"),
    1944: (400, "edge definition collection is a document collection"),
    1947: (400, "referenced vertex collection is not part of the graph"),
}


class Refused(Exception):
    """Raised for a request that ArangoDB refuses. `more` are further keys of the answer."""

    def __init__(self, number: int, said: str = "", *, status: int = 0, more: dict[str, Any] | None = None) -> None:
        usual, words = _KNOWN[number]
        self.number, self.said, self.status = number, said or words, status or usual
        self.more = more or {}
        super().__init__(f"{number} {self.said}")

    def body(self) -> dict[str, Any]:
        known = {"code": self.status, "error": True, "errorMessage": self.said, "errorNum": self.number}
        return {**known, **self.more}

    def item(self) -> dict[str, Any]:
        """What stands for the refused one among many."""
        return {"error": True, "errorNum": self.number, "errorMessage": self.said, **self.more}
