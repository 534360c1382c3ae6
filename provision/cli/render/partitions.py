"""Every word that `partitions` prints."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from provision.cli.render.paper import Paper, moment, print_document
from provision.flows.partitions import SetChange, SetStanding
from provision.model.partitions import Bounds, PartitionSet, Window
from provision.settings import Environment
from provision.text.counts import rows_of

BAR = 20  # characters of the longest bar
SHOWN = 24  # windows of a table that a list shows, the newest
_SIZES = ("B", "kB", "MB", "GB", "TB", "PB")


def listed(project: str, environment: Environment, found: Sequence[SetStanding], form: str) -> None:
    """The windows of each table."""
    if form == "json":
        print_document([as_json(each) for each in found])
        return
    paper = begun(project, environment, found)
    for each in found:
        _table(paper, each)


def begun(project: str, environment: Environment, found: Sequence[SetStanding]) -> Paper:
    """Where the tables are told, under the head that each such page has."""
    paper = Paper(sys.stdout)
    paper.write(f"{project} · {environment.name}", "head")
    if not found:
        paper.write("  no partitioned tables; `provision docs partitions` shows how to describe one")
    return paper


def as_json(each: SetStanding) -> dict[str, Any]:
    """The document of `partitions list`, for one table."""
    found, covered = each.found, each.coverage
    return {
        "name": each.wanted.name,
        "store": each.wanted.store,
        "table": each.wanted.table,
        "engine": str(each.wanted.engine),
        "error": each.error.what if each.error else None,
        "needs": each.needs or None,
        "leaves": (found.leaves or None) if found else None,
        "covered_until": moment(covered.until) if covered else None,
        "default_rows": found.default_rows if found else None,
        "gaps": [_bounds(gap) for gap in covered.gaps] if covered else [],
        "overlaps": [],
        "windows": [_window(window) for window in found.windows] if found else [],
    }


class Words(NamedTuple):
    """How a command says what it did; `each`: it lists the windows that it did it to."""

    verb: str
    would: str
    each: bool = True


ENSURE, RETIRE = Words("made", "would make", each=False), Words("retired", "would retire")
MERGE = Words("merged into", "would merge into")

CONVERTED = Words("converted to", "would convert", each=False)
TURNED_BACK = Words("turned back", "would turn back", each=False)


class ChangeRender:
    """Prints what `ensure`, `merge` and `retire` do, on stderr when stdout is for one JSON document."""

    def __init__(self, project: str, environment: Environment, form: str, words: Words, *, dry_run: bool) -> None:
        self._project, self._environment, self._form = project, environment, form
        self._words, self._dry_run = words, dry_run
        self._paper = Paper(sys.stdout if form == "text" else sys.stderr)

    def head(self, notes: Sequence[str]) -> None:
        self._paper.write(f"{self._project} · {self._environment.name}", "head")
        for each in notes:
            self._paper.write(f"  warning: {each}", "warn")

    def said(self, name: str, text: str) -> None:
        self._paper.write(f"  {name}: {self._environment.mask(text)}", "dim")

    def changes(self, changes: Sequence[SetChange], after: Sequence[SetStanding]) -> None:
        """What was done to each table, and until when it takes rows now, as it was seen afterwards."""
        standing = {each.wanted.name: each for each in after}
        if self._form == "json":
            print_document([self._as_json(each, standing.get(each.wanted.name)) for each in changes])
            return
        for each in changes:
            self._change(each, standing.get(each.wanted.name))

    def hindered(self, found: Sequence[tuple[PartitionSet, Sequence[str]]]) -> None:
        """What stands against a conversion of each table."""
        if self._form == "json":
            print_document(
                [
                    {"name": each.name, "store": each.store, "table": each.table, "against": [*why]}
                    for each, why in found
                ]
            )
            return
        for each, why in found:
            text = "nothing stands against it" if not why else "cannot be converted:"
            self._paper.write(f"  {'✗' if why else '✓'} {each.store} {each.table}  {text}", "bad" if why else "done")
            for one in why:
                self._paper.write(f"      {one}", "dim")

    def _change(self, each: SetChange, after: SetStanding | None) -> None:
        name = f"{each.wanted.store} {each.wanted.table}"
        listed = self._words.each or self._dry_run
        count = len(each.windows) if listed else len(each.names)
        verb = self._words.would if self._dry_run else self._words.verb
        nothing = "stopped" if each.error else "nothing to do"
        words = [f"{verb} {count} window{'' if count == 1 else 's'}" if count else nothing]
        if after is not None and after.coverage is not None and after.found is not None and not self._words.each:
            until = after.coverage.until
            words.append("takes rows for ever" if until is None else f"takes rows until {day(until)}")
        mark, style = ("✗", "bad") if each.error else ("✓", "done" if count and not self._dry_run else "")
        self._paper.write(f"  {mark} {name}  {', '.join(words)}", style)
        for window in each.windows if listed else ():
            self._paper.write(f"      {self._detail(window)}", "dim")

    def _detail(self, window: Window) -> str:
        if self._words is ENSURE:
            return between(window.bounds)
        return f"{window.name}  {between(window.bounds)}  {rows(window)}  {size(window.bytes)}".lstrip()

    def _as_json(self, each: SetChange, after: SetStanding | None) -> dict[str, Any]:
        covered = after.coverage if after else None
        return {
            "name": each.wanted.name,
            "store": each.wanted.store,
            "table": each.wanted.table,
            "dry_run": self._dry_run,
            "windows": [_window(window) for window in each.windows] or [{"name": name} for name in each.names],
            "covered_until": moment(covered.until) if covered else None,
            "error": each.error.what if each.error else None,
            "fix": each.error.fix if each.error else None,
        }


def _table(paper: Paper, each: SetStanding) -> None:
    wanted = each.wanted
    paper.write(f"{wanted.store} {wanted.table}  {wanted.interval} a window, by {wanted.column}", "head")
    if each.found is None or each.coverage is None:
        paper.write(f"  {each.error.what if each.error else ''}", "odd")
        return
    windows = each.found.windows
    left_out = len(windows) - SHOWN
    if left_out > 0:
        paper.write(f"  … {left_out} older windows (-o json lists them)", "dim")
    most = max((window.bytes for window in windows), default=0)
    for window in windows[-SHOWN:]:
        bar = "█" * round(BAR * window.bytes / most) if most else ""
        state = "" if window.state == "attached" else f"  {window.state}"
        now = "  ← now" if _holds(window, each.found.now) else ""
        parts = "" if window.parts is None else f" {window.parts:>6,} parts"
        text = f"  {between(window.bounds):25} {rows(window):>12} {size(window.bytes):>8}{parts}  {bar}{state}{now}"
        paper.write(paper.fitted(text.rstrip()))
    if each.found.leaves:
        paper.write(f"  the server removes windows itself: {each.found.leaves}")
    until = each.coverage.until
    paper.write("  takes rows for ever" if until is None else f"  takes rows until {day(until)}")
    for gap in each.coverage.gaps:
        paper.write(f"  no window for {between(gap)}", "bad")
    if each.found.trouble:
        paper.write(f"  {each.found.trouble}", "bad")
    if each.needs and each.needs != each.found.trouble:
        command = {"merge": "merge", "retired": "retire"}
        verb = next((verb for word, verb in command.items() if word in each.needs), "ensure")
        paper.write(f"  {each.needs}; `provision partitions {verb} {wanted.name}`", "bad")


def between(bounds: Bounds) -> str:
    """`2026-03-01 … 2026-04-01`, in UTC."""
    return f"{'…' if bounds.start is None else day(bounds.start)} … {'…' if bounds.end is None else day(bounds.end)}"


def day(at: datetime) -> str:
    """A day, with its time where it is not midnight."""
    return f"{at:%Y-%m-%d}" if not (at.hour or at.minute or at.second) else f"{at:%Y-%m-%d %H:%M:%S}"


def rows(window: Window) -> str:
    """What the server estimates."""
    return "not counted" if window.rows is None else f"~{rows_of(window.rows)}"


def size(count: int) -> str:
    """`12 MB`."""
    value, unit = float(count), 0
    while value >= 1000 and unit < len(_SIZES) - 1:
        value, unit = value / 1024, unit + 1
    return f"{value:.0f} {_SIZES[unit]}"


def _holds(window: Window, now: datetime) -> bool:
    start, end = window.bounds
    return (start is None or start <= now) and (end is None or now < end)


def _bounds(bounds: Bounds) -> dict[str, str | None]:
    return {"from": moment(bounds.start), "to": moment(bounds.end)}


def _window(window: Window) -> dict[str, Any]:
    return {
        "name": window.name,
        **_bounds(window.bounds),
        "rows": window.rows,
        "bytes": window.bytes,
        "index_bytes": window.index_bytes,
        **({} if window.parts is None else {"parts": window.parts}),
        "state": "detaching" if window.state == "retiring" else str(window.state),
    }
