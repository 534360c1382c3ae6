"""A collection: its properties, its documents, its indexes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jsonschema import Draft4Validator
from jsonschema.exceptions import SchemaError

from tests.doubles.arango.errors import Refused
from tests.doubles.arango.names import Keys, Ticks

DOCUMENT, EDGE = 2, 3
LEVELS = ("none", "new", "moderate", "strict")
# What PUT …/properties may change; everything else in the body is passed over, as the server does.
CHANGEABLE = ("cacheEnabled", "computedValues", "replicationFactor", "schema", "waitForSync", "writeConcern")
_RESERVED = ("_key", "_id", "_rev", "_from", "_to")


class Collection:
    """`documents` is by key, in the order in which they came; `indexes` are as the server describes them.

    `entries` is what indexes have of documents: (id of the index, revision of the document) → its values there.
    """

    def __init__(self, name: str, body: Mapping[str, Any], ticks: Ticks, id: str = "") -> None:
        self.name, self.ticks = name, ticks
        self.kind = body.get("type", DOCUMENT)
        if self.kind not in (DOCUMENT, EDGE):
            raise Refused(1218)
        self.id = id or ticks.id()
        self.object_id = ticks.id()
        self.system = bool(body.get("isSystem", False))
        self.keys = Keys(dict(body.get("keyOptions") or {}), ticks)
        self.properties: dict[str, Any] = {
            "waitForSync": False,
            "cacheEnabled": False,
            "schema": None,
            "computedValues": None,
            "writeConcern": 1,
        }
        self.documents: dict[str, dict[str, Any]] = {}
        self.entries: dict[tuple[str, str], frozenset[str]] = {}
        self.indexes: list[dict[str, Any]] = [_built_in("0", "primary", ["_key"], name, True)]
        if self.kind == EDGE:
            self.indexes.append(_built_in("1", "edge", ["_from", "_to"], name, False))
        self.change(body)

    def change(self, body: Mapping[str, Any]) -> None:
        """Take over what may be changed. Raises Refused for a schema or a computed value that is none."""
        found = {name: body[name] for name in CHANGEABLE if name in body and name != "replicationFactor"}
        if found.get("schema"):
            found["schema"] = _schema(found["schema"])
        elif "schema" in found:
            found["schema"] = None
        if found.get("computedValues"):
            found["computedValues"] = [_computed(each) for each in found["computedValues"]]
        elif "computedValues" in found:
            found["computedValues"] = None
        self.properties |= found

    def rename(self, name: str) -> None:
        self.name = name
        for document in self.documents.values():
            document["_id"] = f"{name}/{document['_key']}"
        for index in self.indexes:
            index["id"] = f"{name}/{index['id'].split('/')[1]}"

    def brief(self) -> dict[str, Any]:
        unique = self.name if self.system else f"h5C3DDE5391BF/{self.id}"
        return {
            "id": self.id,
            "name": self.name,
            "status": 3,
            "type": self.kind,
            "isSystem": self.system,
            "globallyUniqueId": unique,
        }

    def described(self) -> dict[str, Any]:
        return {
            **self.brief(),
            **self.properties,
            "usesRevisionsAsDocumentIds": True,
            "syncByRevision": True,
            "supportsRBAC": True,
            "statusString": "loaded",
            "isSmartChild": False,
            "internalValidatorType": 0,
            "keyOptions": self.keys.described(),
            "objectId": self.object_id,
        }

    def index(self, id: str) -> dict[str, Any]:
        """The index of that number or name. Raises Refused (1212)."""
        for each in self.indexes:
            if id in (each["id"].split("/")[1], each["name"]):
                return each
        raise Refused(1212)


def _built_in(number: str, kind: str, fields: list[str], collection: str, unique: bool) -> dict[str, Any]:
    return {
        "fields": fields,
        "id": f"{collection}/{number}",
        "name": kind,
        "selectivityEstimate": 1,
        "sparse": False,
        "type": kind,
        "unique": unique,
    }


def _schema(given: Any) -> dict[str, Any]:
    """Raises Refused (1621)."""
    if not isinstance(given, dict) or not isinstance(given.get("rule"), dict):
        raise Refused(1621, "invalid schema validation parameter: expected an object with the attribute 'rule'")
    if given.get("level", "strict") not in LEVELS or given.get("type", "json") != "json":
        raise Refused(1621)
    try:
        Draft4Validator.check_schema(given["rule"])
    except SchemaError as error:
        raise Refused(1621, f"invalid schema validation parameter: {error.message}") from None
    return {
        "level": given.get("level", "strict"),
        "message": given.get("message", ""),
        "rule": given["rule"],
        "type": "json",
    }


def _computed(given: Any) -> dict[str, Any]:
    """Raises Refused (10)."""
    if not isinstance(given, dict) or not given.get("name") or given["name"] in _RESERVED:
        raise Refused(10, "invalid computedValues: illegal attribute name")
    if not isinstance(given.get("expression"), str) or not isinstance(given.get("overwrite"), bool):
        raise Refused(10, "invalid computedValues: 'expression' and 'overwrite' are required")
    return {
        "name": given["name"],
        "expression": given["expression"],
        "computeOn": given.get("computeOn", ["insert", "update", "replace"]),
        "overwrite": given["overwrite"],
        "failOnWarning": given.get("failOnWarning", False),
        "keepNull": given.get("keepNull", True),
    }
