"""What `lint` writes into the files themselves: what has one right form, mended."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path

from provision.model.lint import LintFinding


def mended(findings: Sequence[LintFinding]) -> Mapping[str, tuple[str, str]]:
    """File → its text and the text with the edits of its findings; only files that have any. Raises OSError."""
    edits = {each.file: {edit for one in findings if one.file == each.file for edit in one.edits} for each in findings}
    made = {}
    for file, found in edits.items():
        if found:
            written = Path(file).read_bytes().decode("utf-8")
            # The places are those of a text without a mark at its start and with line ends as LF.
            mark = "\ufeff" if written.startswith("\ufeff") else ""
            text = written.removeprefix(mark).replace("\r\n", "\n")
            for edit in sorted(found, reverse=True):
                text = text[: edit.start] + edit.text + text[edit.end :]
            made[file] = (written, mark + (text.replace("\n", "\r\n") if "\r\n" in written else text))
    return made


def diff(file: str, before: str, after: str) -> list[str]:
    """The change as a unified diff, line by line."""
    return list(difflib.unified_diff(before.splitlines(), after.splitlines(), file, file, lineterm=""))
