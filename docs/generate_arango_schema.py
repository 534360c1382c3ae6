"""Writes provision/stores/arango/migrate/body_schemas.json from ArangoDB's OpenAPI document.

`.venv/bin/python docs/generate_arango_schema.py [OPENAPI.json] [--check]`. The vendor keeps the document in pieces in
its manual (site/content/arangodb/<version>/develop/http-api of github.com/arangodb/docs-hugo); the script reads them
put together. With `--check` nothing is written: exit code 1 when the file is not what would be written.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vendor_schema import ROOT, SPECS, main

OPENAPI = SPECS / "arangodb-openapi-calibrated.json"
SHIPPED = ROOT / "provision/stores/arango/migrate/body_schemas.json"
API = "/_db/{database-name}/_api"
REQUESTS = {
    "database": ("/_db/_system/_api/database", "post"),
    "collection": (f"{API}/collection", "post"),
    "properties": (f"{API}/collection/{{collection-name}}/properties", "put"),
    "graph": (f"{API}/gharial", "post"),
    "analyzer": (f"{API}/analyzer", "post"),
    "view": (f"{API}/view", "post"),
    "index": (f"{API}/index", "post"),
}
# Request and key of the vendor's document that a migration has no use for: passwords, and what is not ours to make.
LEFT_OUT = {("database", "users"), ("collection", "isSystem")}
# Types that the vendor keeps for old clients alone: the same as persistent and mdi.
OLD_TYPES = ("hash", "skiplist", "zkd")
KEPT = ("type", "enum", "required", "minItems", "maxItems", "uniqueItems", "minimum", "maximum")


def generated(openapi: Path) -> str:
    """The text of the shipped file. Raises OSError and ValueError."""
    document = json.loads(openapi.read_text(encoding="utf-8"))
    made: dict[str, Any] = {
        "$comment": f"Made by docs/generate_arango_schema.py from the {document['info']['title']}"
        f" {document['info']['version']}; see NOTICE."
    }
    for name, (path, method) in REQUESTS.items():
        schema = document["paths"][path][method]["requestBody"]["content"]["application/json"]["schema"]
        made[name] = _by_type(schema["anyOf"]) if "anyOf" in schema else _converted(name, schema)
    return json.dumps(made, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def _by_type(choices: list[Mapping[str, Any]]) -> dict[str, Any]:
    """Type of an index or a view → the schema of its body."""
    found = {}
    for each in choices:
        for kind in each["properties"]["type"]["enum"]:
            if kind not in OLD_TYPES:
                found[kind] = _converted("", each)
                found[kind]["properties"]["type"] = {"const": kind}
    return found


def _converted(name: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    """A schema of OpenAPI 3.1 with nothing but the keys that are named."""
    kept = {key: schema[key] for key in KEPT if key in schema}
    if "properties" in schema:
        kept["additionalProperties"] = False
        kept["properties"] = {
            key: _converted("", each) for key, each in schema["properties"].items() if (name, key) not in LEFT_OUT
        }
    if "items" in schema:
        kept["items"] = _converted("", schema["items"])
    if "anyOf" in schema:
        kept["anyOf"] = [_converted("", each) for each in schema["anyOf"]]
    if "description" in schema:
        # Editors show this one; `description` would be part of an error's text.
        kept["markdownDescription"] = schema["description"].split("\n\n")[0].replace("\n", " ")
    return kept


if __name__ == "__main__":
    sys.exit(main(__doc__, OPENAPI, SHIPPED, generated))
