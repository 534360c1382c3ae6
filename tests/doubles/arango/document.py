"""The vendor's document, and the few places where the double must say more than it does."""

from __future__ import annotations

from typing import Any

from tests.doubles.served.contract import Contract, document

FILE = "arangodb-openapi-calibrated.json"
_ERROR = {
    "type": "object",
    "required": ["error", "code", "errorNum", "errorMessage"],
    "properties": {
        "error": {"type": "boolean", "enum": [True]},
        "code": {"type": "integer"},
        "errorNum": {"type": "integer"},
        "errorMessage": {"type": "string"},
    },
}
# A server answers these wherever they fit; the document lists them for some operations only.
_EVERYWHERE = ("400", "401", "403", "404", "501", "503")
# A duplicate name (1207) or value (1210), which the document does not mention for these.
_CONFLICTS = (
    ("/_db/{database-name}/_api/cursor", "post"),
    ("/_db/{database-name}/_api/collection", "post"),
    ("/_db/{database-name}/_api/collection/{collection-name}/rename", "put"),
    ("/_db/{database-name}/_api/view/{view-name}/rename", "put"),
)


def contract() -> Contract:
    """The document with an error body for every error status. Raises MissingDocument."""
    loaded = document(FILE)
    for path, operations in loaded["paths"].items():
        for method, operation in operations.items():
            if method == "parameters":
                continue
            _errors(operation["responses"], method, _EVERYWHERE + (("409",) if (path, method) in _CONFLICTS else ()))
            if "/_api/collection" in path:
                _removable(operation)
            if "gharial" in path:
                _single_server(operation["responses"], method)
    return Contract(loaded)


def _errors(responses: dict[str, Any], method: str, statuses: tuple[str, ...]) -> None:
    for status in statuses:
        responses.setdefault(status, {"description": "an error"})
    for status, response in responses.items():
        if int(status) >= 400 and method != "head":
            response.setdefault("content", {"application/json": {"schema": _ERROR}})


def _removable(operation: dict[str, Any]) -> None:
    """`null` takes a schema or the computed values away, says the vendor's page on each."""
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    for name in ("schema", "computedValues"):
        if name in body.get("properties", {}):
            body["properties"][name] = {
                "anyOf": [{"type": "null"}, {"type": "object", "maxProperties": 0}, body["properties"][name]]
            }


def _single_server(responses: dict[str, Any], method: str) -> None:
    """A single server tells of no shards, nor of the ends of an edge it has written: recorded for 202, taken for 201.

    An edge that is read has both of its ends.
    """
    for response in responses.values():
        _relaxed(response.get("content", {}).get("application/json", {}).get("schema", {}), method)


_SHARDS = ("numberOfShards", "replicationFactor", "isSmart", "isDisjoint", "isSatellite")


def _relaxed(schema: dict[str, Any], method: str) -> None:
    for part, hidden in (("graph", _SHARDS), ("edge", ("_from", "_to") if method != "get" else ())):
        inner = schema.get("properties", {}).get(part, {})
        if "required" in inner:
            inner["required"] = [name for name in inner["required"] if name not in hidden]
