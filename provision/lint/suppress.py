"""Comments that allow a finding: `-- lint: allow RULE: reason`, or `#` or `//` in the place of `--`.

One covers what begins on its own line or is the next thing below it, and every line of that; where nothing is found
there, what is said of the statement or the call that it stands in. `allow-file` covers the whole file. Without a reason
it covers nothing.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from provision.lint.text import lines_of
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


Spans = tuple[tuple[int, int], ...]


class Suppression(NamedTuple):
    """One comment; `spans` are the first and last lines of what it covers.

    `around` are the first lines of what it stands in, which it covers where nothing is found on `spans`.
    """

    rule: str
    reason: str
    line: int
    column: int
    spans: Spans
    around: Spans = ()


def read(script: Script) -> list[Suppression]:
    """The suppressions of a file."""
    matches = list(_COMMENT.finditer(script.source))
    if not matches:
        return []
    locate, places = lines_of(script.source), _Places(script)
    found = []
    for match in matches:
        line, column = locate(match.start())
        whole = match["word"] == "allow-file"
        spans, around = (places.whole, ()) if whole else (places.beside(line), places.around(line))
        found.append(Suppression(match["rule"], (match["why"] or "").strip(), line, column, spans, around))
    return found


class _Places:
    """What stands where in a file."""

    def __init__(self, script: Script) -> None:
        lines = script.source.split("\n")
        self.whole: Spans = ((1, len(lines)),)
        self._blank = [True, *(_BLANK.match(each) is not None for each in lines)]
        self._below = [0] * len(self._blank)  # the next line that is more than a comment; 0: there is none
        for number in range(len(lines) - 1, 0, -1):
            self._below[number] = self._below[number + 1] if self._blank[number + 1] else number + 1
        self._begun = defaultdict[int, list[Unit]](list)  # by the lines where they begin, or are sent
        self._inside = defaultdict[int, list[Unit]](list)  # by every line
        self._sent = defaultdict[tuple[int, int], list[Unit]](list)  # by the lines of the call that sends them
        for unit in script.units:
            for line in {unit.place.line, unit.called}:
                self._begun[line].append(unit)
            # What Alembic makes of a call may end in words that stand elsewhere in the file by chance.
            last = min(unit.last, unit.place.line + unit.text.count("\n")) if unit.called else unit.last
            for line in range(unit.place.line, last + 1):
                self._inside[line].append(unit)
            if unit.call is not None:
                self._sent[unit.call].append(unit)
        self._calls = {line: call for call in self._sent for line in range(call[0], call[1] + 1)}

    def beside(self, line: int) -> Spans:
        """The line of a comment; where nothing else is on it, the next one too, and all of what begins there."""
        if not self._blank[line]:
            return ((line, line),)
        below = self._below[line] or line
        return ((line, below), *((each.place.line, each.last) for each in self._begun.get(below, ())))

    def around(self, line: int) -> Spans:
        """Where the statement begins that a comment stands in, else those that its call sends."""
        call = self._calls.get(line)
        units = self._inside.get(line) or (self._sent[call] if call is not None else ())
        return tuple((each, each) for unit in units for each in {unit.place.line, unit.called or unit.place.line})


def suppressed(
    store: str,
    script: Script,
    found: Sequence[LintFinding],
    known: Collection[str],
    levels: Mapping[str, Severity | None],
) -> list[LintFinding]:
    """The findings that no comment allows, and those about the comments themselves. `known` are all rules' names."""
    lines = defaultdict[str, list[int]](list)
    for finding in sorted(found, key=lambda each: each.line):
        lines[finding.rule].append(finding.line)
    left, comments = list(found), [_widened(each, lines[each.rule]) for each in read(script)]
    if comments:
        allowed = {rule: _joined(comments, rule) for rule in {each.rule for each in comments if each.reason}}
        left = [each for each in found if not _covered(allowed.get(each.rule, []), each.line)]
    for each in comments:
        excused = bool(script.not_rendered) or levels.get(each.rule, Severity.ERROR) is None
        wrong = _wrong(each, _meets(each.spans, lines[each.rule]) or excused, known)
        if wrong is not None:
            rule, severity, what, fix = wrong
            left.append(LintFinding(rule, severity, store, script.file, each.line, each.column, each.rule, what, fix))
    return sorted(left, key=lambda each: (each.line, each.column, each.rule))


def _widened(comment: Suppression, lines: Sequence[int]) -> Suppression:
    """The comment with what it covers, where the findings of its rule are on these lines."""
    return comment if _meets(comment.spans, lines) else comment._replace(spans=(*comment.spans, *comment.around))


def _meets(spans: Spans, lines: Sequence[int]) -> bool:
    return any(bisect_left(lines, first) < bisect_right(lines, last) for first, last in spans)


def _joined(comments: Sequence[Suppression], rule: str) -> list[tuple[int, int]]:
    """What the comments of a rule cover, as spans in order of which none touches another."""
    made: list[tuple[int, int]] = []
    for first, last in sorted(span for each in comments if each.rule == rule and each.reason for span in each.spans):
        if made and first <= made[-1][1]:
            made[-1] = (made[-1][0], max(last, made[-1][1]))
        else:
            made.append((first, last))
    return made


def _covered(spans: Sequence[tuple[int, int]], line: int) -> bool:
    at = bisect_right(spans, line, key=lambda each: each[0])
    return at > 0 and line <= spans[at - 1][1]


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
