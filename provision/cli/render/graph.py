"""Draws the revisions and what they require: as text, for Mermaid, for Graphviz, as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from provision.cli.render.paper import as_json as as_document
from provision.core.graph import Graph
from provision.model import Revision


def text(project: str, graph: Graph, stores: Sequence[str]) -> Iterator[str]:
    """One block a store; a branch is indented; `←` names what a revision requires beyond the one above it."""
    yield project
    for store in stores:
        mine = graph.of(store)
        yield f"  {store}{'' if mine else '  no revisions'}"
        width = max((len(each.number) for each in mine), default=0)
        depths = _depths(mine)
        above = None
        for each in mine:
            follows = each.parents if each.parents != ((above,) if above else ()) else ()
            pad = "  " * depths[each.id]
            arrows = f"  ← {', '.join((*follows, *each.requires))}" if follows or each.requires else ""
            yield f"    {pad}{each.number.ljust(width)}  {each.description}{_draft(each)}{arrows}".rstrip()
            above = each.id


def _draft(revision: Revision) -> str:
    return " (draft)" if revision.draft else ""


def mermaid(graph: Graph, stores: Sequence[str]) -> Iterator[str]:
    """A flowchart: solid arrows within a store, dotted ones for what is required of another."""
    yield "flowchart TD"
    shown = _shown_ids(graph, stores)
    for store in stores:
        yield f'  subgraph {node(store)}["{store}"]'
        yield from (f'    {node(each.id)}["{_label(each)}"]' for each in graph.of(store))
        yield "  end"
    for each in graph.order:
        yield from (f"  {node(parent)} --> {node(each.id)}" for parent in each.parents if shown >= {parent, each.id})
        yield from (f"  {node(need)} -.-> {node(each.id)}" for need in each.requires if shown >= {need, each.id})


def dot(project: str, graph: Graph, stores: Sequence[str]) -> Iterator[str]:
    """A digraph: solid edges within a store, dashed ones for what is required of another."""
    yield f"digraph {quoted(project)} {{"
    yield "  node [shape=box]"
    shown = _shown_ids(graph, stores)
    for store in stores:
        yield f"  subgraph {quoted(f'cluster_{store}')} {{"
        yield f"    label={quoted(store)}"
        yield from (f"    {quoted(each.id)} [label={quoted(_label(each))}]" for each in graph.of(store))
        yield "  }"
    for each in graph.order:
        for parent in each.parents:
            if shown >= {parent, each.id}:
                yield f"  {quoted(parent)} -> {quoted(each.id)}"
        for need in each.requires:
            if shown >= {need, each.id}:
                yield f"  {quoted(need)} -> {quoted(each.id)} [style=dashed]"
    yield "}"


def as_json(project: str, graph: Graph, stores: Sequence[str]) -> str:
    revisions = [
        {
            "id": each.id,
            "description": each.description,
            "path": each.path,
            "parents": list(each.parents),
            "requires": list(each.requires),
            "draft": bool(each.draft),
        }
        for each in graph.order
        if each.store in stores
    ]
    heads = {store: list(graph.heads(store)) for store in stores}
    return as_document({"project": project, "heads": heads, "revisions": revisions})


def _depths(mine: Sequence[Revision]) -> dict[str, int]:
    """How far each revision is indented: a fork starts a branch for all children but the first."""
    children: dict[str, int] = {}
    depths: dict[str, int] = {}
    for each in mine:
        first = each.parents[0] if each.parents else ""
        depths[each.id] = min((depths.get(parent, 0) for parent in each.parents), default=0)
        depths[each.id] += children.get(first, 0) if len(each.parents) < 2 else 0
        children[first] = children.get(first, 0) + 1
    return depths


def _shown_ids(graph: Graph, stores: Sequence[str]) -> frozenset[str]:
    return frozenset(name for name, each in graph.revisions.items() if each.store in stores)


def _label(each: Revision) -> str:
    return f"{each.number} {each.description}{_draft(each)}".replace('"', "'")


def node(name: str) -> str:
    """A name as Mermaid takes one for a node; injective, so that no two revisions fall together."""
    return "".join(char if char.isascii() and char.isalnum() else f"_{ord(char):x}_" for char in name)


def quoted(text: str) -> str:
    """A text as Graphviz takes one."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
