"""Prints the pages of the documentation, and their list."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping

from provision.cli.render.paper import Paper, print_form

WIDEST = 110  # columns: longer lines are hard to read


def listed(pages: Mapping[str, str]) -> None:
    """A line a page."""
    paper = Paper(sys.stdout)
    width = max(map(len, pages), default=0)
    for name, answers in pages.items():
        paper.write(paper.fitted(f"{name.ljust(width)}  {answers}"))
    paper.write("")
    paper.write("show one: provision docs PAGE")


def shown(text: str, *, terminal: bool) -> None:
    """The page set for a terminal, in its pager; elsewhere as its file has it."""
    if not terminal:
        print_form(text.rstrip("\n"))
    elif not _paged(page := _set(text)):
        print_form(page)


def _set(text: str) -> str:
    from rich.console import Console
    from rich.markdown import Markdown

    columns = min(shutil.get_terminal_size().columns, WIDEST)
    console = Console(force_terminal=True, width=columns, no_color="NO_COLOR" in os.environ)
    with console.capture() as capture:
        console.print(Markdown(text, hyperlinks=False))
    return capture.get()


def _paged(page: str) -> bool:
    """False where there is no such program, or no terminal to ask whether to go on."""
    program = shlex.split(os.environ.get("PAGER") or "less")
    if not sys.stdin.isatty() or not program or shutil.which(program[0]) is None:
        return False
    # Colours pass; a page that fits is printed and left to stand.
    environment = {"LESS": "-FRX", **os.environ}
    subprocess.run(program, input=page.encode(), env=environment, check=False)
    return True
