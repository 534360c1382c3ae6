"""What `partitions adopt` prints."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from provision.cli.render.paper import Paper, print_document
from provision.flows.partitions import AdoptedSet
from provision.settings import Environment


def adopted(project: str, environment: Environment, found: Sequence[AdoptedSet], form: str, *, dry_run: bool) -> None:
    """The document of each table, or why it has none."""
    if form == "json":
        print_document([_as_json(each) for each in found])
        return
    paper = Paper(sys.stdout)
    paper.write(f"{project} · {environment.name}", "head")
    if not found:
        paper.write("  pg_partman keeps no table")
    for each in found:
        name = f"{each.store} {each.table}"
        if each.why:
            paper.write(f"  ✗ {name}  {each.why}", "bad")
        elif each.there:
            paper.write(f"  ✓ {name}  is described already")
        else:
            paper.write(f"  ✓ {name}  {'would write' if dry_run else 'wrote'} {each.shown}", "done")


def _as_json(each: AdoptedSet) -> dict[str, str | None]:
    return {
        "store": each.store,
        "table": each.table,
        "file": each.shown or None,
        "state": "there" if each.there else "left" if each.why else "adopted",
        "why": each.why or None,
    }
