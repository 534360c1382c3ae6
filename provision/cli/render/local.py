"""Every word that `local` prints. Its urls carry their passwords: the one exception to the rule that none is shown."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from provision.cli.render.paper import Paper, print_document
from provision.embedded import EngineStatus

KEYS = ("store", "state", "version", "url", "path", "pid")


def engines(root: Path, listed: Sequence[EngineStatus], form: str) -> None:
    """One line an engine, its url below it."""
    if form == "json":
        print_document(as_json(listed))
        return
    paper = Paper(sys.stdout)
    if not listed:
        paper.write("no store of this environment has an embedded engine")
    rows = [(each.store, each.state, each.version or "", _relative(root, each.path)) for each in listed]
    widths = [max(len(row[column]) for row in rows) for column in range(4)] if rows else []
    for each, row in zip(listed, rows, strict=True):
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        pid = f"pid {each.pid}" if each.pid else ""
        paper.write("  " + "  ".join([*cells, pid]).rstrip(), "done" if each.state == "running" else "dim")
        if each.url:
            paper.write(f"  {' ' * widths[0]}  {each.url}")


def ended(root: Path, done: Mapping[str, bool], now: Sequence[EngineStatus], form: str, word: str) -> None:
    """One line for each engine that was `stopped` or `removed`."""
    if form == "json":
        print_document(as_json(now))
        return
    paper = Paper(sys.stdout)
    ones = [each for each in now if done[each.store]]
    width = max((len(each.store) for each in ones), default=0)
    for each in ones:
        paper.write(f"  ✓ {each.store.ljust(width)}  {word}  {_relative(root, each.path)}", "done")
    if not ones:
        paper.write(f"nothing to {'stop' if word == 'stopped' else 'remove'}")


def as_json(listed: Sequence[EngineStatus]) -> dict[str, object]:
    """The document of `--output json`: of all four commands the same."""
    return {"engines": [{key: value for key, value in asdict(each).items() if key in KEYS} for each in listed]}


def _relative(root: Path, path: str) -> str:
    place = Path(path)
    return place.relative_to(root).as_posix() if place.is_relative_to(root) else path
