"""The invariants as questions to a schedule that was played, by their ids."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise

from provision.core.audit import audit
from provision.core.ledger import fold
from provision.errors import ProvisionError, RefusedError, Several
from provision.model import Direction, Severity
from tests.proof.machine.play import Play
from tests.proof.machine.servers import FENCED, Server

Check = Callable[[Play], Iterator[str]]


def judge(play: Play) -> list[tuple[str, str]]:
    """What is broken: invariant and words."""
    return [(name, words) for name, check in CHECKS.items() for words in check(play)]


def _noted(name: str) -> Check:
    """One that was looked at while the schedule was played."""

    def check(play: Play) -> Iterator[str]:
        yield from dict.fromkeys(words for invariant, words in play.broken if invariant == name)

    return check


def _nothing_twice(play: Play) -> Iterator[str]:
    """What is there is not made, and what is gone is not dropped; after one that came late, it may be either."""
    for server in play.servers.values():
        last: dict[str, str] = {}
        for each in server.landed:
            sign, name = each.text[0].replace("~", "+"), each.text[1:]
            if each.late and each.excused:
                last[name] = ""
                continue
            if last.get(name, "-") == sign:
                yield f"{each.text} took effect twice"
            last[name] = sign


def _one_in_flight(play: Play) -> Iterator[str]:
    for server in play.servers.values():
        late = Counter(each.token for each in server.landed if each.late and each.alone)
        yield from (f"{times} statements of token {token} landed late" for token, times in late.items() if times > 1)


def _late_is_refused(play: Play) -> Iterator[str]:
    server = play.servers[FENCED]
    yield from (f"{each.text} of token {each.token} landed late" for each in server.landed if each.late > each.alone)
    for (before, _), (after, _) in pairwise(server.appended):
        if after < before:
            yield f"an entry of token {after} follows one of token {before}"


def _nothing_lost(play: Play) -> Iterator[str]:
    for server in play.servers.values():
        for revision in play.layout.revisions[server.name]:
            dropped = {each.text for each in server.landed if each.late and each.excused and each.alone}
            made = [text for text in play.layout.statements[revision.id] if f"-{text[1:]}" not in dropped]
            gone = [text for text in made if text[1:] not in server.things]
            if gone and _is_legal(server) and server.applied(revision.id):
                yield f"{revision.id} is applied, and {gone[0]} is not there"


def _is_legal(server: Server) -> bool:
    try:
        fold(server.entries)
    except RefusedError:
        return False
    return True


def _legal(play: Play) -> Iterator[str]:
    """By the whole of `provision ledger verify`, not by the table alone."""
    for server in play.servers.values():
        for each in audit(server.entries):
            if each.severity is Severity.ERROR:
                yield f"{each.revision}, entry {each.token}/{each.n}: {each.what}"


def _completes(play: Play) -> Iterator[str]:
    last = play.runs[-1]
    if last.error is not None:
        codes = {each.code for each in _single(last.error)}
        traceless = any(_waits_for_traceless(server) for server in play.servers.values())
        allowed = {"versions-lost"} if play.meddled else {"dirty"} if traceless else set()
        if (play.restored or any(server.begun_late for server in play.servers.values())) and not last.down:
            allowed.add("required-by-others")
        if last.down and any(_is_half_up(server) for server in play.servers.values()):
            allowed.add("half-applied")
        if not codes <= allowed:
            yield f"the last run refuses: {last.error}"
        if play.landings > play.before_last:
            yield "the last run refuses, and sends something"
        return
    if play.meddled:
        yield "the last run goes on, and the version table is lost"
    failures = last.report.failures if last.report is not None else ()
    yield from (f"the last run fails: {each.error}" for each in failures)
    for server in play.servers.values():
        for revision in play.layout.revisions[server.name]:
            if not failures and _is_legal(server) and server.applied(revision.id) is not (last.down is None):
                yield f"the last run ends, and {revision.id} is {'still' if last.down else 'not'} applied"


def _single(error: ProvisionError) -> tuple[ProvisionError, ...]:
    return tuple(error.errors) if isinstance(error, Several) else (error,)


def _is_half_up(server: Server) -> bool:
    states = fold(server.entries).values() if _is_legal(server) else ()
    return any(state.open and state.direction is Direction.UP for state in states)


def _waits_for_traceless(server: Server) -> bool:
    """Whether a statement is in flight of which no probe can tell anything."""
    if not _is_legal(server):
        return False
    states = fold(server.entries).values()
    return any(state.open and str(state.events[-1].detail.get("text", "")).startswith("~") for state in states)


CHECKS: Mapping[str, Check] = {
    "one-holder": _noted("one-holder"),
    "tokens-grow": _noted("tokens-grow"),
    "no-statement-twice": _nothing_twice,
    "in-flight-alone": _one_in_flight,
    "late-writer-refused": _late_is_refused,
    "no-applied-lost": _nothing_lost,
    "claimed-is-seen": _noted("claimed-is-seen"),
    "one-order": _noted("one-order"),
    "ledger-legal": _legal,
    "resume-completes": _completes,
}
