"""Comments that allow a finding: `-- lint: allow RULE: reason`, or `#` or `//` in the place of `--`.

One covers what begins on its own line or is the next thing below it, and every line of that; `allow-file` covers the
whole file. Without a reason it covers nothing.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from provision.model import Severity
from provision.model.lint import LintFinding, Script, Unit
from provision.text.nearest import meant

NO_REASON = "suppression-without-reason"
UNUSED = "suppression-unused"
UNKNOWN = "suppression-unknown-rule"
_COMMENT = re.compile(
    r"(?P<sign>--|#|//)[ \t]*lint:[ \t]*(?P<word>allow|allow-file)[ \t]+(?P<rule>[\w-]+)[ \t]*"
    r"(?::[ \t]*(?P<why>.*?))?[ \t]*$",
    re.MULTILINE,
)
_BLANK = re.compile(r"^\s*(?:--.*|#.*|//.*)?$")


class Suppression(NamedTuple):
    """One comment; `spans` are the first and last lines of what it covers."""

    rule: str
    reason: str
    line: int
    column: int
    spans: tuple[tuple[int, int], ...]


def read(script: Script) -> list[Suppression]:
    """The suppressions of a file."""
    lines = script.source.split("\n")
    found = []
    for match in _COMMENT.finditer(script.source):
        line = script.source.count("\n", 0, match.start()) + 1
        column = match.start() - script.source.rfind("\n", 0, match.start())
        whole = match["word"] == "allow-file"
        spans = ((1, len(lines)),) if whole else _covered(line, lines, script.units)
        found.append(Suppression(match["rule"], (match["why"] or "").strip(), line, column, spans))
    return found


def suppressed(
    store: str,
    script: Script,
    found: Sequence[LintFinding],
    known: Collection[str],
    levels: Mapping[str, Severity | None],
) -> list[LintFinding]:
    """The findings that no comment allows, and those about the comments themselves. `known` are all rules' names."""
    comments = read(script)
    good = [each for each in comments if each.reason]
    left = [each for each in found if not any(_covers(by, each) for by in good)]
    for each in comments:
        excused = bool(script.not_rendered) or levels.get(each.rule, Severity.ERROR) is None
        wrong = _wrong(each, any(_covers(each, finding) for finding in found) or excused, known)
        if wrong is not None:
            rule, severity, what, fix = wrong
            left.append(LintFinding(rule, severity, store, script.file, each.line, each.column, each.rule, what, fix))
    return sorted(left, key=lambda each: (each.line, each.column, each.rule))


def _covers(comment: Suppression, finding: LintFinding) -> bool:
    return comment.rule == finding.rule and any(first <= finding.line <= last for first, last in comment.spans)


def _wrong(comment: Suppression, used: bool, known: Collection[str]) -> tuple[str, Severity, str, str] | None:
    if comment.rule not in known:
        return (
            UNKNOWN,
            Severity.ERROR,
            f"no rule is called {comment.rule!r}",
            meant(comment.rule, sorted(known), "take a rule of `provision docs lint`"),
        )
    if not comment.reason:
        what = f"the comment that allows {comment.rule} gives no reason, and so allows nothing"
        return NO_REASON, Severity.ERROR, what, f"write `lint: allow {comment.rule}: ` and why it does no harm here"
    if not used:
        what = f"the comment allows {comment.rule}, and nothing here breaks it"
        return UNUSED, Severity.WARNING, what, "delete the comment"
    return None


def _covered(line: int, lines: Sequence[str], units: Sequence[Unit]) -> tuple[tuple[int, int], ...]:
    """The lines that a comment on `line` speaks of: its own, and those of the units that begin below it."""
    if not _BLANK.match(lines[line - 1]):
        return ((line, line),)
    below = next((number for number in range(line + 1, len(lines) + 1) if not _BLANK.match(lines[number - 1])), line)
    meant = (each for each in units if below in (each.place.line, each.called))
    return ((line, below), *((each.place.line, each.last) for each in meant))
