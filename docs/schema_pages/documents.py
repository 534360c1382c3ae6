"""InfluxDB, Weaviate and ArangoDB, from the documents: their servers are not at hand where this page is written."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from provision import settings
from provision.stores.arango.files import documents as arango
from provision.stores.influx.files import documents as influx
from provision.stores.weaviate.files import documents as weaviate

Operations = Mapping[str, Sequence[Mapping[str, Any]]]
Table = Callable[[Sequence[str], Sequence[Sequence[str]]], list[str]]


def lines(root: Path, table: Table) -> list[str]:
    """The three sections."""
    stores = {each.name: each for each in settings.load(root, {}).stores}
    return [
        *_influx(_operations(influx(stores["influx"])), table),
        *_weaviate(_operations(weaviate(stores["weaviate"])), table),
        *_arango(_operations(arango(stores["arango"])), table),
    ]


def _operations(documents: Any) -> Operations:
    """Operation → the bodies that the documents give it, in order."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for document in documents.all():
        for each in document.up:
            found.setdefault(each.name, []).append(each.body)
    return found


def _influx(made: Operations, table: Table) -> Iterator[str]:
    names = ", ".join(f"`{body['name']}`" for body in made["create_database"])
    yield from ("## InfluxDB", "", f"Database {names}.", "", "### Retention tiers", "")
    yield from table(
        ("tier", "kept for", "shards of", "default"),
        [
            (
                f"`{tier['name']}`",
                tier["duration"],
                tier.get("shard_duration", ""),
                "yes" if tier.get("default") else "",
            )
            for tier in made["create_retention_policy"]
        ],
    )
    yield ""
    for body in made["create_rollup"]:
        source, target = (f"`{body[side]['tier']}.{body[side]['measurement']}`" for side in ("from", "into"))
        late = f", points up to {body['late']} late included" if "late" in body else ""
        yield f"### {body['name']}\n\n{source} → {target} every {body['every']}{late}; kept tags: {_tags(body)}.\n"
        yield from table(("field", "holds"), [(f"`{name}`", f"`{text}`") for name, text in body["fields"].items()])
        yield ""


def _tags(body: Mapping[str, Any]) -> str:
    return "all" if body["group_by"] == "*" else ", ".join(f"`{tag}`" for tag in body["group_by"])


def _weaviate(made: Operations, table: Table) -> Iterator[str]:
    yield from ("## Weaviate", "")
    aliases = {body["class"]: body["alias"] for body in made["create_alias"]}
    for body in made["create_collection"]:
        name = body["class"]
        tenants = " A shard for each tenant." if body.get("multiTenancyConfig", {}).get("enabled") else ""
        yield f"### {name}\n\nAlias `{aliases[name]}`. {body['description']}.{tenants}\n"
        vectors = body["vectorConfig"].items()
        rows = [(f"`{key}`", each["vectorIndexType"], each["vectorIndexConfig"]["distance"]) for key, each in vectors]
        yield from table(("vector", "index", "distance"), rows)
        yield ""
        yield from table(
            ("property", "type", "tokenization", "meaning"),
            [
                (f"`{p['name']}`", f"`{', '.join(p['dataType'])}`", p.get("tokenization", ""), p.get("description", ""))
                for p in body["properties"]
            ],
        )
        yield ""


def _arango(made: Operations, table: Table) -> Iterator[str]:
    yield from ("## ArangoDB", "")
    for body in made["create_collection"]:
        rule = body["schema"]["rule"]
        kind = "Edges" if body.get("type") == 3 else "Documents"
        yield f"### {body['name']}\n\n{kind}: {body['schema']['message']}.\n"
        rows = [
            (f"`{name}`", "yes" if name in rule.get("required", ()) else "", _shape(each))
            for name, each in rule["properties"].items()
        ]
        yield from table(("attribute", "needed", "holds"), rows)
        yield ""
        for index in made["create_index"]:
            if index["collection"] == body["name"]:
                unique = "unique " if index.get("unique") else ""
                yield f"- index `{index['name']}`: {unique}{index['type']} on {', '.join(index['fields'])}"
        yield ""
    for body in made["create_graph"]:
        yield f"### Graph {body['name']}\n"
        for each in body["edgeDefinitions"]:
            yield f"- `{each['collection']}`: {', '.join(each['from'])} → {', '.join(each['to'])}"
        yield ""


def _shape(rule: Mapping[str, Any]) -> str:
    """A JSON Schema of an attribute in a few words."""
    if "enum" in rule:
        return ", ".join(f"`{value}`" for value in rule["enum"])
    if "minimum" in rule or "maximum" in rule:
        return f"{rule.get('type', 'value')} from {rule.get('minimum', '−∞')} to {rule.get('maximum', '∞')}"
    if "properties" in rule:
        return "; ".join(f"`{name}`: {_shape(each)}" for name, each in rule["properties"].items())
    if "pattern" in rule:
        return f"{rule['type']} like `{rule['pattern']}`"
    return str(rule["type"]) if isinstance(rule.get("type"), str) else json.dumps(rule)
