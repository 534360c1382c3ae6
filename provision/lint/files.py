"""Rules of files of every kind: the way down, what is lost without saying so, what was edited."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from provision.errors import ProvisionError, parts
from provision.lint.names import COMMON
from provision.model import Severity
from provision.model.lint import LintFinding, Script

_NO_REASON = re.compile(
    r"(?:no|none|yes|true|irreversible|not possible|impossible|todo|n/?a|because|x+|\W*)\W*", re.IGNORECASE
)
_PLACE = re.compile(r"(?P<file>[^:;,\n]+\.(?:py|sql|yaml|ini|toml))(?::(?P<line>\d+)(?::(?P<column>\d+))?)?")


def of_file(store: str, script: Script, edited: Collection[str]) -> Iterator[LintFinding]:
    """What is wrong with a file of a project as such.

    `edited`: files that the base branch has with other statements.
    """

    def finding(rule: str, severity: Severity, what: str, fix: str) -> LintFinding:
        return LintFinding(rule, severity, store, script.file, 1, 1, "", what, fix)

    if script.no_way_down:
        what = f"there is no way down: {script.no_way_down}"
        yield finding("missing-down", Severity.WARNING, what, "write the way down, or say why there is none")
    if script.irreversible is not None and _NO_REASON.fullmatch(script.irreversible.strip()):
        what = f"it is irreversible, and {script.irreversible!r} does not say why"
        yield finding(
            "irreversible-without-reason", Severity.WARNING, what, "write what cannot be brought back, and why"
        )
    if script.undeclared:
        what = f"it can lose data and does not say so: {'; '.join(script.undeclared)}"
        yield finding(
            "destructive-not-declared", Severity.ERROR, what, "write destructive = True at the top of the file"
        )
    if script.file in edited:
        what = "the base branch has this file with other statements: databases that applied it stay as they are"
        yield finding(
            "edited-applied", Severity.ERROR, what, "put it back, and write a new revision that makes the change"
        )


def of_errors(error: ProvisionError, store: str) -> Iterator[LintFinding]:
    """What reading the files refuses, as findings; `store` is where no file is named."""
    for each in parts(error):
        rule = each.code if each.code in COMMON else "unreadable"
        place = _PLACE.search(each.where)
        file = place["file"].strip() if place else each.where or store
        line, column = (int(place["line"] or 1), int(place["column"] or 1)) if place else (1, 1)
        yield LintFinding(rule, Severity.ERROR, store, file, line, column, "", each.what, each.fix)
