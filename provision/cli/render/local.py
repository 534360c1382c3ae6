"""Every word that `local` prints. Its urls carry their passwords: the one exception to the rule that none is shown."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from provision.cli.render.paper import Paper
from provision.embedded import EngineStatus

_KEYS = ("store", "state", "version", "url", "path", "pid")


def engines(root: Path, listed: Sequence[EngineStatus], form: str) -> None:
    """One line an engine, its url below it."""
    if form == "json":
        print(json.dumps(as_json(listed), ensure_ascii=False, indent=2))
        return
    paper = Paper(sys.stdout)
    if not listed:
        paper.write("no store of this environment has an embedded engine")
    width = max((len(each.store) for each in listed), default=0)
    for each in listed:
        pid = f"pid {each.pid}" if each.pid else ""
        line = (
            f"  {each.store.ljust(width)}  {each.state:<7}  {each.version or '':<7}  {_shown(root, each.path)}  {pid}"
        )
        paper.write(line.rstrip(), "done" if each.state == "running" else "dim")
        if each.url:
            paper.write(f"  {' ' * width}  {each.url}")


def ended(root: Path, done: Mapping[str, bool], now: Sequence[EngineStatus], form: str, word: str) -> None:
    """One line for each engine that was `stopped` or `removed`."""
    if form == "json":
        print(json.dumps(as_json(now), ensure_ascii=False, indent=2))
        return
    paper = Paper(sys.stdout)
    width = max((len(each.store) for each in now), default=0)
    for each in now:
        if done[each.store]:
            paper.write(f"  ✓ {each.store.ljust(width)}  {word}  {_shown(root, each.path)}", "done")
    if not any(done.values()):
        paper.write(f"nothing to {'stop' if word == 'stopped' else 'remove'}")


def as_json(listed: Sequence[EngineStatus]) -> dict[str, object]:
    """The document of `--output json`: of all four commands the same."""
    return {"engines": [{key: value for key, value in asdict(each).items() if key in _KEYS} for each in listed]}


def _shown(root: Path, path: str) -> str:
    place = Path(path)
    return place.relative_to(root).as_posix() if place.is_relative_to(root) else path
