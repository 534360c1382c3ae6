"""Every word that `history` prints."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC

from provision.cli.render.paper import Paper, moment, print_document, short
from provision.flows.history import HistoryEntry
from provision.model import Direction, Event, EventKind

_STYLES = {
    EventKind.APPLIED: "done",
    EventKind.FAILED: "bad",
    EventKind.REVERTED: "odd",
    EventKind.STARTED: "dim",
    EventKind.AT: "dim",
}


def text(entries: Sequence[HistoryEntry], mask: Callable[[str], str]) -> None:
    """One line an event, oldest first; what went wrong or why on a line below."""
    paper = Paper(sys.stdout)
    if not entries:
        paper.write("nothing was done yet")
    width = max((len(each.event.revision) for each in entries), default=0)
    for _, event in entries:
        ended = event.kind in (EventKind.APPLIED, EventKind.REVERTED) and not event.detail.get("outside")
        taken = f"{event.duration_ms} ms" if ended or event.duration_ms else ""
        cells = (
            f"{event.at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC",
            event.revision.ljust(width),
            _did(event).ljust(17),
            taken.rjust(9),
            f"run {event.token}",
            event.actor,
        )
        paper.write("  ".join(cells).rstrip(), _STYLES.get(event.kind, ""))
        for line in _more(event):
            paper.write(f"{' ' * 25}{mask(line)}")


def as_json(entries: Sequence[HistoryEntry], mask: Callable[[str], str]) -> None:
    """A list of events, oldest first."""
    document = [
        {
            "store": store,
            "revision": event.revision,
            "kind": str(event.kind),
            "direction": str(event.direction),
            "at": moment(event.at),
            "actor": event.actor,
            "duration_ms": event.duration_ms,
            "token": event.token,
            "n": event.n,
            "statement": event.statement,
            "checksum": event.checksum,
            "error": mask(str(event.detail["error"])) if event.detail.get("error") else None,
            "detail": {key: _masked(value, mask) for key, value in event.detail.items() if key not in _OWN},
        }
        for store, event in entries
    ]
    print_document(document)


def _masked(value: object, mask: Callable[[str], str]) -> object:
    """A value of JSON with every text in it masked."""
    if isinstance(value, Mapping):
        return {mask(str(key)): _masked(each, mask) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_masked(each, mask) for each in value]
    return mask(value) if isinstance(value, str) else value


# Shown under names of their own, or of use to a probe alone.
_OWN = ("error", "direction", "picture")


def counted(number: object) -> str:
    """That so many statements are done, up to the verb."""
    return "statement 1 is" if number == 1 else f"statements 1 to {number} are"


def reason(event: Event) -> str:
    """Why a person settled it."""
    return str(event.detail.get("reason" if "done_to" in event.detail else "text") or "")


def _did(event: Event) -> str:
    down = " (down)" if event.direction is Direction.DOWN and event.kind is not EventKind.REVERTED else ""
    if "done_to" in event.detail:
        return f"done to {event.detail['done_to']}{down}"
    if event.kind is EventKind.AT:
        return f"at statement {event.statement}{down}"
    if event.kind is EventKind.RESOLVED:
        accepted = bool(event.detail.get("accepted"))
        return "change accepted" if accepted else f"resolved {event.detail.get('state', '')}"
    return f"{event.kind}{down}"


def _more(event: Event) -> list[str]:
    error = event.detail.get("error")
    lines = []
    if error:
        at = f"statement {event.statement}: " if event.statement else ""
        lines.append(short(f"{at}{error}", 160))
    if reason(event) and (event.kind is EventKind.RESOLVED or "done_to" in event.detail):
        lines.append(short(f"reason: {reason(event)}", 160))
    if event.detail.get("outside"):
        lines.append("by another tool")
    return lines
