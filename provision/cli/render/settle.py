"""Every word that `baseline`, `resolve` and `lock` print."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from provision.cli.options import JSON
from provision.cli.render.history import counted, reason
from provision.cli.render.paper import Paper, moment, print_document
from provision.core.lease import left
from provision.model import Event, LeaseRecord, Note, Owner, RunEvent, StateName

# What comes of a person's word.
_FOLLOWS = {
    StateName.APPLIED: ": nothing more of it is sent",
    StateName.PENDING: ": the next `up` runs it from statement 1",
}


def happened(happening: RunEvent) -> None:
    """What the user should know while a command waits."""
    if isinstance(happening, Note) and not happening.live:
        Paper(sys.stderr).write(f"  … {happening.store}: {happening.text}", "dim")


def baselined(events: Sequence[Event], output: str) -> None:
    """What was marked."""
    if output == JSON:
        _json({"baselined": [event.revision for event in events]})
        return
    paper = Paper(sys.stdout)
    for event in events:
        paper.write(f"  ✓ {event.revision}  marked as applied, not run", "done")
    paper.write(f"{len(events)} marked as applied" if events else "nothing to mark: everything is applied")


def resolved(event: Event, output: str) -> None:
    """What was settled."""
    state, accepted = str(event.detail.get("state", StateName.STARTED)), bool(event.detail.get("accepted"))
    done_to = event.detail.get("done_to")
    if output == JSON:
        said = {"state": state, "accepted": accepted, "done_to": done_to, "reason": _reason(event)}
        _json({"resolved": {"id": event.revision, **said}})
        return
    what = f"is now {state}{_FOLLOWS.get(StateName(state), '')}"
    if accepted:
        what = f"the file as it is now ({event.checksum[:6]}…) counts as applied: nothing of it was run"
    elif done_to is not None:
        what = f"{counted(done_to)} done: the next `{event.direction}` goes on with statement {event.statement}"
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


def lock(holding: LeaseRecord | None, output: str, *, gone: bool = False) -> None:
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
        ("held by", f"{_actor(owner)}{' (that process has ended)' if gone else ''}"),
        ("command", owner.command),
        ("commit", owner.commit[:10]),
        ("url", owner.url),
        ("since", f"{holding.taken_at:%Y-%m-%d %H:%M:%S} UTC"),
        ("token", str(holding.token)),
        ("asked back", f"by {holding.asked_back_by}" if holding.asked_back_by else ""),
        ("expires", _expiry(holding)),
    ]
    width = max(len(name) for name, value in rows if value) + 1
    for name, value in rows:
        if value:
            paper.write(f"{name:<{width}} {value}")


def question(holding: LeaseRecord) -> str:
    return f"Another run may be at work under token {holding.token}. Type RELEASE to ask it to give the lock up"


def asked_back(holding: LeaseRecord, output: str) -> None:
    """What comes of a lock that its holder was asked to give up."""
    if output == JSON:
        _json({"released": None, "asked_back": holding.token, "free_in_s": round(max(holding.expires_in, 0), 3)})
        return
    paper = Paper(sys.stdout)
    paper.write(f"asked {_actor(holding.owner)}, to give the lock up: it does so before its next statement")
    paper.write(f"the lock is free as soon as it has, in {left(holding)} s at the latest; the next run waits for that")


def released(holding: LeaseRecord | None, output: str, *, done: bool) -> None:
    """What became of the release."""
    if output == JSON:
        _json({"released": holding.token if holding is not None and done else None, "asked_back": None})
    elif holding is None:
        Paper(sys.stdout).write("nobody holds the run lock")
    elif done:
        Paper(sys.stdout).write(f"released: token {holding.token} of {holding.owner.actor}")
    else:
        Paper(sys.stdout).write("kept: nothing was released")


def _holding(holding: LeaseRecord) -> dict[str, object]:
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
        "asked_back_by": holding.asked_back_by or None,
    }


def _expiry(holding: LeaseRecord) -> str:
    ahead = holding.expires_in
    if ahead <= 0:
        return f"{-ahead:.0f} s ago: the next run takes it"
    return f"in {ahead:.0f} s" if holding.asked_back_by else f"in {ahead:.0f} s unless renewed"


def _actor(owner: Owner) -> str:
    return f"{owner.actor}, pid {owner.pid}" if owner.pid else owner.actor


def _reason(event: Event) -> str | None:
    return reason(event) or None


def _json(document: object) -> None:
    print_document(document)
