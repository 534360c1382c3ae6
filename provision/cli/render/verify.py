"""Every word that `ledger verify` prints."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence

from provision.cli.options import GITHUB, JSON
from provision.cli.render.paper import Paper, print_document, print_form
from provision.core.audit import IllegalEntry
from provision.errors import RefusedError
from provision.flows.verify import LedgerReport
from provision.model import Severity

_SIGNS = {Severity.WARNING: ("!", "odd"), Severity.ERROR: ("✗", "bad")}


def report(
    heading: tuple[str, str], found: Sequence[LedgerReport], exit_code: int, output: str, mask: Callable[[str], str]
) -> None:
    """A line a store and below it one for each illegal entry; or one JSON document; or annotations."""
    if output == JSON:
        print_document(as_json(heading, found, exit_code))
        return
    paper = Paper(sys.stdout)
    paper.write(" · ".join(heading), "head")
    width = max((len(each.store) for each in found), default=0)
    for each in found:
        _store(paper, each, width, heading[1], mask)
    if output == GITHUB:
        from provision.cli.render.problems import annotation

        for each in found:
            for entry in each.illegal:
                if entry.severity is Severity.ERROR:
                    print_form(annotation(_problem(entry, heading[1], mask)))
    illegal = sum(entry.severity is Severity.ERROR for each in found for entry in each.illegal)
    paper.write(f"{illegal} illegal {'entry' if illegal == 1 else 'entries'}")


def _store(paper: Paper, found: LedgerReport, width: int, env: str, mask: Callable[[str], str]) -> None:
    sign, style = ("✗", "bad") if found.wrong else ("✓", "done")
    counts = (
        (found.entries, "entry", "entries"),
        (found.runs, "run", "runs"),
        (found.revisions, "revision", "revisions"),
    )
    told = ", ".join(f"{number} {one if number == 1 else more}" for number, one, more in counts)
    paper.write(f"  {sign} {found.store.ljust(width)}  {told}", style)
    for entry in found.illegal:
        for line in _lines(entry, env):
            paper.write(f"      {mask(line)}", _SIGNS[entry.severity][1])


def _lines(entry: IllegalEntry, env: str) -> Iterator[str]:
    promise = f" ({entry.invariant})" if entry.invariant else ""
    yield f"{_SIGNS[entry.severity][0]} {entry.revision}  {_place(entry)}: {entry.what}{promise}"
    if entry.settled:
        yield f"  {entry.revision} was settled afterwards"
    elif entry.earlier:
        yield "  it was written before --since"
    elif entry.severity is Severity.ERROR:
        yield f"  fix  {_fix(entry, env)}"


def _place(entry: IllegalEntry) -> str:
    return f"entry {entry.token}/{entry.n}"


def _fix(entry: IllegalEntry, env: str) -> str:
    history = f"provision history {entry.revision} --env {env}"
    return (
        f"look at the database, then `{history}`; settle it, or leave it behind with --since: `provision docs recovery`"
    )


def _problem(entry: IllegalEntry, env: str, mask: Callable[[str], str]) -> RefusedError:
    return RefusedError(
        "ledger-illegal", mask(f"{entry.revision}: {entry.what}"), where=_place(entry), fix=_fix(entry, env)
    )


def as_json(heading: tuple[str, str], found: Sequence[LedgerReport], exit_code: int) -> dict[str, object]:
    """The document of `--output json`."""
    project, environment = heading
    return {
        "project": project,
        "environment": environment,
        "stores": [
            {
                "store": each.store,
                "entries": each.entries,
                "runs": each.runs,
                "revisions": each.revisions,
                "wrong": each.wrong,
                "illegal": [_entry(entry) for entry in each.illegal],
            }
            for each in found
        ],
        "exit": exit_code,
    }


def _entry(entry: IllegalEntry) -> dict[str, object]:
    return {
        "revision": entry.revision,
        "token": entry.token,
        "n": entry.n,
        "kind": str(entry.kind),
        "rule": str(entry.rule),
        "invariant": entry.invariant,
        "severity": str(entry.severity),
        "settled": entry.settled,
        "what": entry.what,
    }
