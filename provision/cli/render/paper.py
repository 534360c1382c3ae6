"""Where words are printed: coloured at a terminal, plain when piped; a reader that went away is no error."""

from __future__ import annotations

import json
import os
import shutil
import threading
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, TextIO

from provision.text.visible import in_json, visible

STYLES = {
    "done": "green",
    "error": "red",
    "warn": "yellow",
    "bad": "red",
    "odd": "yellow",
    "dim": "dim",
    "head": "bold",
}


def moment(at: datetime | None) -> str | None:
    """A time as ISO 8601 in UTC, for machines."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z") if at is not None else None


def as_json(document: object, indent: int | None = 2) -> str:
    """The document as JSON that can be printed anywhere."""
    return in_json(json.dumps(document, ensure_ascii=False, indent=indent))


def print_document(document: object, indent: int | None = 2) -> None:
    """Print one JSON document to stdout."""
    print(as_json(document, indent))


def print_lines(lines: Iterable[str]) -> None:
    """Print lines to stdout, for programs to read: no colours."""
    for each in lines:
        print(visible(each))


def print_form(text: str) -> None:
    """Print a document of another form, whose parts are visible already."""
    print(text)


def short(text: str, limit: int = 100) -> str:
    """The text in one line of at most `limit` characters."""
    line = " ".join(text.split())
    return line if len(line) <= limit else f"{line[: limit - 1]}…"


class Paper:
    """Prints whole lines, from any thread."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._turn = threading.Lock()
        self._console: Any = None
        self._gone = False
        self._shown = ""
        self._drawn = 0  # lines of the last `redraw`

    @property
    def terminal(self) -> bool:
        return self._stream.isatty() and os.environ.get("TERM") != "dumb"

    @property
    def columns(self) -> int | None:
        """How wide the terminal is, in characters; None where lines may have any length."""
        return shutil.get_terminal_size().columns if self.terminal else None

    def fitted(self, text: str) -> str:
        """The line, cut to the terminal's width."""
        text = visible(text)
        room = self.columns
        return text if room is None or len(text) <= room else f"{text[: room - 1]}…"

    def write(self, text: str, style: str = "") -> None:
        """Print one line, whatever the text holds.

        `style` colours it at a terminal, `error` and `warn` only its first words.
        """
        self.write_lines((text,), style)

    def write_lines(self, lines: Iterable[str], style: str = "") -> None:
        """Print lines that belong together, in one piece."""
        text = "\n".join(map(visible, lines))
        with self._turn:
            if self._gone:
                return
            try:
                self._wipe()
                if self.terminal and style:
                    self._styled(text, style)
                else:
                    print(text, file=self._stream, flush=True)
            except (BrokenPipeError, ValueError):
                self._gone = True

    def transient(self, text: str) -> None:
        """Show text at a terminal until the next line is printed; nothing elsewhere."""
        text = visible(text)
        with self._turn:
            if self._gone or not self.terminal or text == self._shown:
                return
            try:
                self._wipe()
                self._shown = text[: shutil.get_terminal_size().columns - 1]
                print(self._shown, end="", file=self._stream, flush=True)
            except (BrokenPipeError, ValueError):
                self._gone = True

    def redraw(self, lines: Iterable[str]) -> None:
        """At a terminal, print lines over those of the last call, each cut to its width."""
        shown = [self.fitted(each) for each in lines]
        with self._turn:
            if self._gone:
                return
            try:
                self._wipe()
                back = f"\x1b[{self._drawn}A\x1b[J" if self._drawn else ""
                self._drawn = len(shown)
                print(back + "\n".join(shown), file=self._stream, flush=True)
            except (BrokenPipeError, ValueError):
                self._gone = True

    def _wipe(self) -> None:
        if self._shown:
            print("\r\x1b[2K", end="", file=self._stream, flush=True)
            self._shown = ""

    def _styled(self, text: str, style: str) -> None:
        from rich.console import Console
        from rich.text import Text

        self._console = self._console or Console(file=self._stream, soft_wrap=True, highlight=False)
        shown = Text(text)
        end = text.find(":") if style in ("error", "warn") else len(text)
        shown.stylize(f"bold {STYLES[style]}" if style == "error" else STYLES[style], 0, max(end, 0))
        self._console.print(shown)
