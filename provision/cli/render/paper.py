"""Where words are printed: coloured at a terminal, plain when piped; a reader that went away is no error."""

from __future__ import annotations

import os
import threading
from typing import Any, TextIO

STYLES = {
    "done": "green",
    "error": "red",
    "warn": "yellow",
    "dim": "dim",
    "head": "bold",
}


class Paper:
    """Prints whole lines, from any thread."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._turn = threading.Lock()
        self._console: Any = None
        self._gone = False

    @property
    def terminal(self) -> bool:
        return self._stream.isatty() and os.environ.get("TERM") != "dumb"

    def write(self, text: str, style: str = "") -> None:
        """Print text and a line end; `style` colours it at a terminal, `error` and `warn` only its first words."""
        with self._turn:
            if self._gone:
                return
            try:
                if self.terminal and style:
                    self._styled(text, style)
                else:
                    print(text, file=self._stream, flush=True)
            except (BrokenPipeError, ValueError):
                self._gone = True

    def _styled(self, text: str, style: str) -> None:
        from rich.console import Console
        from rich.text import Text

        self._console = self._console or Console(file=self._stream, soft_wrap=True, highlight=False)
        shown = Text(text)
        end = text.find(":") if style in ("error", "warn") else len(text)
        shown.stylize(f"bold {STYLES[style]}" if style == "error" else STYLES[style], 0, max(end, 0))
        self._console.print(shown)
