"""The summary of a job of GitHub Actions: Markdown in the file that the runner names."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from provision.cli.render.paper import Paper
from provision.text.visible import visible

VARIABLE = "GITHUB_STEP_SUMMARY"


def table(title: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Append a table to the summary; nothing outside of a job. A file that cannot be written is said on stderr."""
    place = os.environ.get(VARIABLE)
    if not place:
        return
    lines = [f"### {_cell(title)}", "", _row(heads), _row(["---"] * len(heads)), *map(_row, rows), "", ""]
    try:
        with open(place, "a", encoding="utf-8") as file:
            file.write("\n".join(lines))
    except OSError as error:
        what = (error.strerror or str(error)).lower()
        Paper(sys.stderr).write(f"warning: the summary of the job cannot be written: {place}: {what}", "warn")


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(map(_cell, cells))} |"


def _cell(text: str) -> str:
    """A text that ends no cell and begins no tag."""
    return visible(text).replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;")
