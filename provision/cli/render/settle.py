"""Every word that `baseline`, `resolve` and `lock` print."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

from provision.cli.options import JSON
from provision.cli.render.paper import Paper, moment
from provision.model import Event, Happening, Holding, Note


def happened(happening: Happening) -> None:
    """What the user should know while a command waits."""
    if isinstance(happening, Note):
        Paper(sys.stderr).write(f"  … {happening.store}: {happening.text}", "dim")


def baselined(events: Sequence[Event], output: str) -> None:
    """What was marked."""
    if output == JSON:
        _json({"baselined": [event.revision for event in events]})
        return
    paper = Paper(sys.stdout)
    for event in events:
        paper.write(f"  ✓ {event.revision}  marked as applied, not run", "done")
    paper.write(f"{len(events)} marked as applied")


def resolved(event: Event, output: str) -> None:
    """What was settled."""
    state, accepted = str(event.detail["state"]), bool(event.detail["accepted"])
    if output == JSON:
        _json({"resolved": {"id": event.revision, "state": state, "accepted": accepted, "reason": _reason(event)}})
        return
    what = f"the file as it is now ({event.checksum[:6]}…) counts as applied" if accepted else f"is now {state}"
    Paper(sys.stdout).write(f"  ✓ {event.revision}  {what}", "done")


def resolved_all(events: Sequence[Event], state: str, output: str) -> None:
    """What was settled for a whole store."""
    if output == JSON:
        _json({"resolved": {"ids": [event.revision for event in events], "state": state}})
        return
    paper = Paper(sys.stdout)
    for event in events:
        paper.write(f"  ✓ {event.revision}  is now {state}", "done")
    paper.write(f"{len(events)} settled")


def lock(holding: Holding | None, output: str, *, gone: bool = False) -> None:
    """Who holds the run lock; `gone`: its process is known to have ended."""
    if output == JSON:
        _json({"lease": None if holding is None else _holding(holding)})
        return
    paper = Paper(sys.stdout)
    if holding is None:
        paper.write("nobody holds the run lock")
        return
    owner = holding.owner
    rows = [
        ("held by", f"{owner.actor}, pid {owner.pid}{' (that process has ended)' if gone else ''}"),
        ("command", owner.command),
        ("commit", owner.commit[:10]),
        ("url", owner.url),
        ("since", f"{holding.taken_at:%Y-%m-%d %H:%M:%S} UTC"),
        ("token", str(holding.token)),
        ("expires", _expiry(holding)),
    ]
    for name, value in rows:
        if value:
            paper.write(f"{name:<8} {value}")


def question(holding: Holding) -> str:
    return f"Another run may be at work under token {holding.token}. Type RELEASE to take the lock from it"


def released(holding: Holding | None, output: str, *, done: bool) -> None:
    """What became of the release."""
    if output == JSON:
        _json({"released": holding.token if holding is not None and done else None})
    elif holding is None:
        Paper(sys.stdout).write("nobody holds the run lock")
    elif done:
        Paper(sys.stdout).write(f"released: token {holding.token} of {holding.owner.actor}")
    else:
        Paper(sys.stdout).write("kept: nothing was released")


def _holding(holding: Holding) -> dict[str, object]:
    owner = holding.owner
    return {
        "name": holding.name,
        "owner": owner.actor,
        "pid": owner.pid,
        "command": owner.command,
        "commit": owner.commit,
        "url": owner.url,
        "token": holding.token,
        "since": moment(holding.taken_at),
        "expires_in_s": round(holding.expires_in, 3),
    }


def _expiry(holding: Holding) -> str:
    left = holding.expires_in
    return f"in {left:.0f} s unless renewed" if left > 0 else f"{-left:.0f} s ago: the next run takes it"


def _reason(event: Event) -> str | None:
    return str(event.detail.get("text") or "") or None


def _json(document: object) -> None:
    print(json.dumps(document, ensure_ascii=False, indent=2))
