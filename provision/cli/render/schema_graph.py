"""Draws the tables of a database and what refers to what: as text, for Mermaid, for Graphviz, as JSON."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping

from provision.cli.render.graph import node, quoted
from provision.cli.render.paper import as_json as as_document
from provision.model.diagram import Diagram, DiagramColumn, DiagramReference
from provision.text.visible import visible

Drawn = Mapping[str, Diagram]
"""Store → its diagram."""


def text(project: str, drawn: Drawn) -> Iterator[str]:
    """A block a table; `→` names what a foreign key refers to."""
    yield project
    for store, each in drawn.items():
        yield f"  {store}{'' if each.tables else '  no tables'}"
        for table in each.tables:
            yield f"    {visible(table.name)}"
            width = max((len(visible(column.name)) for column in table.columns), default=0)
            for column in table.columns:
                yield f"      {visible(column.name).ljust(width)}  {_told(column)}"
            for to in each.references:
                if to.child == table.name:
                    yield f"      → {visible(to.parent)}  {visible(to.name)}"


def _told(column: DiagramColumn) -> str:
    return " ".join([visible(column.type), *(["not null"] if column.required else []), *column.marks])


def mermaid(drawn: Drawn) -> Iterator[str]:
    """An entity diagram. Mermaid allows few letters in a name: an odd one is written beside, as a comment."""
    yield "erDiagram"
    for store, each in drawn.items():
        for table in each.tables:
            yield f'  {_id(store, table.name, drawn)}["{_label(table.name)}"] {{'
            for column in table.columns:
                word, kind = _word(column.name), _word(column.type)
                told = [name for name, short in ((column.name, word), (column.type, kind)) if name != short]
                marks = f" {', '.join(column.marks)}" if column.marks else ""
                yield f"    {kind} {word}{marks}" + (f' "{_label(", ".join(told))}"' if told else "")
            yield "  }"
        for to in each.references:
            ends = f"{'|o' if to.optional else '||'}--{'o|' if to.single else 'o{'}"
            yield (f'  {_id(store, to.parent, drawn)} {ends} {_id(store, to.child, drawn)} : "{_label(to.name)}"')


def dot(project: str, drawn: Drawn) -> Iterator[str]:
    """A digraph: a table a box with a line a column, an arrow a foreign key, dashed where it may be null."""
    yield f"digraph {quoted(project)} {{"
    yield "  node [shape=plain]"
    for store, each in drawn.items():
        yield f"  subgraph {quoted(f'cluster_{store}')} {{"
        yield f"    label={quoted(store)}"
        for table in each.tables:
            rows = "".join(
                f'<tr><td align="left">{_html(column.name)}</td><td align="left">{_html(_told(column))}</td></tr>'
                for column in table.columns
            )
            head = f'<tr><td colspan="2"><b>{_html(table.name)}</b></td></tr>'
            label = f'<table border="0" cellborder="1" cellspacing="0">{head}{rows}</table>'
            yield f"    {quoted(f'{store}/{table.name}')} [label=<{label}>]"
        yield "  }"
        yield from (_arrow(store, to) for to in each.references)
    yield "}"


def _arrow(store: str, to: DiagramReference) -> str:
    ends = f"{quoted(f'{store}/{to.child}')} -> {quoted(f'{store}/{to.parent}')}"
    return f"  {ends} [label={quoted(to.name)}{', style=dashed' if to.optional else ''}]"


def as_json(project: str, environment: str, drawn: Drawn) -> str:
    stores = {
        store: {
            "tables": [
                {"name": table.name, "columns": [column._asdict() for column in table.columns]} for table in each.tables
            ],
            "references": [to._asdict() for to in each.references],
        }
        for store, each in drawn.items()
    }
    return as_document({"project": project, "environment": environment, "stores": stores})


def _id(store: str, table: str, drawn: Drawn) -> str:
    return node(f"{store}/{table}" if len(drawn) > 1 else table)


def _word(name: str) -> str:
    """A name in the letters that Mermaid allows for types and attributes."""
    word = re.sub(r"[^A-Za-z0-9_]+", "_", name).strip("_")
    return word if re.match(r"[A-Za-z]", word) else f"n_{word}"


def _label(name: str) -> str:
    return visible(name).replace('"', "'")


def _html(name: str) -> str:
    return html.escape(visible(name)) or " "
