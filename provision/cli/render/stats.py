"""Every word that `stats` prints of its own."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from provision.cli.render.paper import Paper, print_document
from provision.cli.render.partitions import size
from provision.model.stats import EnvironmentStats, StoreStats
from provision.wiring.stats import as_json

LARGEST = 10


def told(found: EnvironmentStats, out: Path | None, form: str) -> None:
    """The largest tables of each store; the whole document as JSON."""
    if form == "json":
        print_document(as_json(found))
        return
    paper = Paper(sys.stdout)
    paper.write(f"{found.project}  {found.environment}")
    for name, each in found.stores.items():
        paper.write(f"  {name}")
        for line in _tables(each):
            paper.write(f"    {line}")
    for name, why in found.not_told.items():
        paper.write(f"  {name}: {why}", "dim")
    if out is not None:
        paper.write(f"{out} is written", "done")


def _tables(store: StoreStats) -> Iterator[str]:
    tables = sorted(store.tables.items(), key=lambda each: (-(each[1].bytes or 0), -(each[1].rows or 0), each[0]))
    for name, each in tables[:LARGEST]:
        parts = [f"{each.rows:,} rows"] if each.rows is not None else []
        parts += [size(each.bytes)] if each.bytes is not None else []
        parts += [f"{each.writes_per_second:g} writes a second"] if each.writes_per_second else []
        yield f"{name}  {', '.join(parts)}"
    if len(tables) > LARGEST:
        yield f"and {len(tables) - LARGEST} more"
