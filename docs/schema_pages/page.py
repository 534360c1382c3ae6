"""docs/schema.md from what the readers found."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .model import Relation, Routine
from .redis_keys import Entries

HEAD = """\
# Schema

Written by `docs/generate_schema.py` from the live stores after `provision up`, and from the documents for InfluxDB,
Weaviate and ArangoDB; `--check` tells when it is out of date.
Leaf partitions are left out: they are data, made by `create_monthly_partitions`.
What is mended of the two design documents, and where: [seed-defects.md](seed-defects.md).
"""


def page(
    postgres: tuple[Sequence[Relation], Sequence[Routine]],
    clickhouse: Sequence[Relation],
    redis: tuple[Entries, Entries],
    repeatables: Sequence[tuple[str, str]],
    documents: Sequence[str],
    domains: Sequence[str],
    figures: str,
) -> str:
    """The whole page."""
    relations, routines = postgres
    lines = [
        HEAD,
        "## Diagrams",
        "",
        "PK of a ClickHouse table is its sort key; the other lines of its diagram are views.",
        "",
    ]
    lines += [f"- [{domain}](erd/{domain}.mmd)" for domain in domains]
    lines += ["", "## PostgreSQL", "", *_contents(relations), ""]
    lines += [line for each in relations for line in _relation(each, null=True)]
    lines += ["### Functions", "", *table(("function", "returns", "meaning"), _routines(routines)), ""]
    if repeatables:
        note = "Applied after the revisions, again whenever the file changes; skipped where what it needs is absent."
        lines += ["### Repeatables", "", note, "", *table(("file", "what it makes"), repeatables), ""]
    lines += ["## ClickHouse", "", *_contents(clickhouse), ""]
    lines += [line for each in clickhouse for line in _relation(each, null=False)]
    lines += ["## Redis", "", *_families(redis[0]), *_streams(redis[1]), *documents]
    return "\n".join(lines).rstrip("\n") + "\n" + (f"\n{figures}" if figures else "")


def _contents(relations: Sequence[Relation]) -> list[str]:
    return table(("name", "kind", "meaning"), [(f"[{r.name}](#{r.name})", r.kind, r.comment) for r in relations])


def _relation(relation: Relation, *, null: bool) -> Iterator[str]:
    yield f"### {relation.name}\n\n{_sentence(relation)}\n"
    yield from (f"{fact}\n" for fact in relation.facts)
    source = _source(relation.comment)
    rows = [
        (
            f"`{c.name}`",
            f"`{c.type}`",
            *(("yes" if c.null else "",) if null else ()),
            _code(c.default),
            c.comment.removesuffix(source),
        )
        for c in relation.columns
    ]
    yield from table(("column", "type", *(("null",) if null else ()), "default", "meaning"), rows)
    yield ""
    for title, entries in relation.parts:
        yield f"{title}:\n"
        yield from (f"- `{name}`: `{_flat(text)}`" for name, text in entries)
        yield ""


def _sentence(relation: Relation) -> str:
    return f"{relation.kind.capitalize()}. {relation.comment}{'.' if relation.comment else ''}".strip()


def _source(comment: str) -> str:
    """The end of a table's comment that names its section, which each column repeats."""
    before, mark, section = comment.rpartition("; D")
    return f"{mark}{section}" if before else ""


def _routines(routines: Sequence[Routine]) -> list[tuple[str, str, str]]:
    return [(f"`{_flat(each.signature)}`", _code(each.returns), each.comment) for each in routines]


def _families(families: Entries) -> list[str]:
    rows = [
        (name, f"`{each['pattern']}`", each["type"], str(each["ttl"]), each.get("tenant", ""), each["owner"])
        for name, each in families
    ]
    lines = [
        "### Key families",
        "",
        *table(("family", "pattern", "type", "ttl, seconds", "tenant", "owner"), rows),
        "",
    ]
    return lines + [line for name, each in families for line in _fields(name, each["description"], each.get("fields"))]


def _streams(streams: Entries) -> list[str]:
    rows = [(f"`{key}`", str(each["maxlen"]), ", ".join(each["groups"]), each["owner"]) for key, each in streams]
    lines = ["### Streams", "", *table(("stream", "entries, about", "groups", "owner"), rows), ""]
    return lines + [line for key, each in streams for line in _fields(key, each["description"], each.get("fields"))]


def _fields(name: str, description: str, fields: dict[str, str] | None) -> Iterator[str]:
    yield f"#### {name}\n\n{description}.\n"
    if fields:
        yield from table(("field", "meaning"), [(f"`{field}`", text) for field, text in fields.items()])
        yield ""


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    body = [f"| {' | '.join(_flat(cell).replace('|', chr(92) + '|') for cell in row)} |" for row in rows]
    return [f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}", *body]


def _code(text: str) -> str:
    return f"`{_flat(text)}`" if text else ""


def _flat(text: str) -> str:
    return " ".join(text.split())
