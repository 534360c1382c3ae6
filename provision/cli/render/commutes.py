"""Every word that `commutes` prints."""

from __future__ import annotations

import sys
from typing import Any

from provision.cli.render.paper import Paper, print_document, print_form
from provision.cli.render.problems import command
from provision.flows.commutes import BranchConflict, Commuting

FIX = "merge one, then look at what the other does on top of it"


def report(project: str, found: Commuting, exit_code: int, output: str) -> None:
    if output == "json":
        print_document(as_json(project, found, exit_code))
        return
    _text(project, found)
    if output == "github":
        for each in found.conflicts:
            print_form(
                command("error", f"{each.right.id}: {_told(found, each)}", file=each.right.path, title=_title(each))
            )


def as_json(project: str, found: Commuting, exit_code: int) -> dict[str, Any]:
    """As programs read it."""
    return {
        "project": project,
        "left": found.left,
        "right": found.right,
        "commute": found.commute,
        "stores": [
            {"store": name, "left": list(mine), "right": list(other)} for name, (mine, other) in found.revisions.items()
        ],
        "conflicts": [_conflict(each) for each in found.conflicts],
        "renumber": list(found.renumber),
        "exit": exit_code,
    }


def _conflict(each: BranchConflict) -> dict[str, Any]:
    return {
        "store": each.store,
        "left": each.left.id,
        "left_file": each.left.path,
        "right": each.right.id,
        "right_file": each.right.path,
        "why": each.why,
        "unknown": each.unknown,
    }


def _text(project: str, found: Commuting) -> None:
    paper = Paper(sys.stdout)
    paper.write(f"{project} · {found.left} and {found.right}", "head")
    stopped = {each.store for each in found.conflicts}
    width = max(map(len, found.revisions), default=0)
    for name, (mine, other) in found.revisions.items():
        verdict = "conflict" if name in stopped else "commute"
        line = f"  {name.ljust(width)}  {_count(mine)} of {found.left}, {_count(other)} of {found.right}: {verdict}"
        paper.write(line, "warn" if name in stopped else "")
    for each in found.conflicts:
        paper.write(_title(each), "warn")
        paper.write(f"  {found.left}: {each.left.path}")
        paper.write(f"  {found.right}: {each.right.path}")
        paper.write(f"  why  {each.why}")
    for name in found.renumber:
        paper.write(f"both branches have a {name}: `provision rebase {found.left}` gives ours the next number")
    paper.write(_end(found))


def _title(each: BranchConflict) -> str:
    return f"{'not known' if each.unknown else 'conflict'}: {each.left.id} and {each.right.id}"


def _told(found: Commuting, each: BranchConflict) -> str:
    return f"does not commute with {each.left.id} of {found.left}: {each.why}"


def _count(ids: tuple[str, ...]) -> str:
    return f"{len(ids)} revision{'s' * (len(ids) != 1)}"


def _end(found: Commuting) -> str:
    if found.commute:
        return "they commute: the same databases, whichever is merged first"
    unknown = sum(each.unknown for each in found.conflicts)
    said = f" ({unknown} because a file could not be read)" if unknown else ""
    many = len(found.conflicts)
    return f"{many} conflict{'s' * (many != 1)}{said}; {FIX}"
