"""The vendor's document, and the few places where the double must say more than it does."""

from __future__ import annotations

from typing import Any

from tests.doubles.served.contract import Contract, document

FILE = "influxdb2-openapi.json"


def contract() -> Contract:
    """The document, relaxed where the vendor's own client or server goes beyond it. Raises MissingDocument."""
    loaded = document(FILE)
    paths, schemas = loaded["paths"], loaded["components"]["schemas"]
    # A PATCH that says only the shard duration: the server's own type has both optional.
    schemas["PatchRetentionRule"].pop("required", None)
    # The vendor's client names a type of content with its charset, with other writing, or none at all.
    for path in ("/api/v2/write", "/api/v2/query"):
        post = paths[path]["post"]
        post["parameters"] = [each for each in post["parameters"] if each.get("name") not in ("Content-Type", "Accept")]
    _body(paths["/api/v2/write"]["post"])
    # The version is no integer.
    for method in ("get", "head"):
        paths["/ping"][method]["responses"]["204"]["headers"]["X-Influxdb-Version"]["schema"] = {"type": "string"}
    # Links are paths in every answer of the server, where the document says that they are URIs.
    schemas["Link"].pop("format", None)
    return Contract(loaded)


def _body(operation: dict[str, Any]) -> None:
    """The server looks at no type of content of what is written."""
    schema = operation["requestBody"]["content"]["text/plain"]
    for kind in ("text/plain; charset=utf-8", "application/octet-stream", "application/json"):
        operation["requestBody"]["content"].setdefault(kind, schema)
