"""Adds new files, and lines to those that are there; refuses whatever would write over something."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Template

TEMPLATES = Path(__file__).with_name("templates")


class Refused(Exception):
    """Raised when nothing can be generated: a name that cannot be one, or is taken; a place that is not found."""


@dataclass(frozen=True, slots=True)
class Name:
    """A name in the forms that a new thing needs: `freeze_keys`, `FreezeKeys`, `FREEZE_KEYS`, and so on."""

    snake: str

    @classmethod
    def of(cls, written: str) -> Name:
        """Raises Refused for what is not made of lower-case words."""
        snake = written.replace("-", "_")
        if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", snake):
            raise Refused(f"{written!r} is no name: write lower-case words with _ or - between them")
        return cls(snake)

    @property
    def forms(self) -> Mapping[str, str]:
        """What templates call them."""
        words = self.snake.split("_")
        return {
            "snake": self.snake,
            "Class": "".join(each.capitalize() for each in words),
            "CAPS": self.snake.upper(),
            "kebab": "-".join(words),
            "words": " ".join(words),
        }


class Tree:
    """The files of a clone; `written` are those that were made or changed, in order."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.written: list[str] = []

    def new(self, path: str, template: str, forms: Mapping[str, str]) -> None:
        """A new file from a template. Raises Refused where one is there already."""
        if (self.root / path).exists():
            raise Refused(f"{path} is there already")
        text = Template((TEMPLATES / template).read_text(encoding="utf-8")).substitute(forms)
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        self._write(path, text)

    def add_import(self, path: str, line: str) -> None:
        """A line `from provision.… import …`; `tidy` brings it to its place. Raises Refused."""
        self.insert(path, r"(?<=\n\n)from provision\.", f"{line}\n")

    def insert(self, path: str, pattern: str, text: str) -> None:
        """Text in front of the one place that the pattern matches. Raises Refused where there is none, or several."""
        before = self._read(path)
        found = list(re.finditer(pattern, before, re.MULTILINE | re.DOTALL))
        if len(found) != 1:
            raise Refused(f"{path} has {len(found)} places like {pattern!r}, and one is needed")
        at = found[0].start()
        self._write(path, before[:at] + text + before[at:])

    def put(self, path: str, text: str) -> None:
        """The whole text of a file that a program writes."""
        self._write(path, text)

    def ran(self, *arguments: str) -> str:
        """What Python prints when it runs the files as they are now. Raises Refused when it fails."""
        environment = {**os.environ, "PYTHONPATH": str(self.root), "PYTHONDONTWRITEBYTECODE": "1"}
        command = [sys.executable, *arguments]
        done = subprocess.run(command, cwd=self.root, env=environment, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Refused(f"{' '.join(arguments)}: {done.stderr.strip()[-1000:]}")
        return done.stdout

    def tidy(self, style_of: Path) -> None:
        """Sorts the imports of what was written and formats it, since names are longer or shorter than those here.

        `style_of` is the clone whose pyproject.toml says how.
        """
        mine = [each for each in self.written if each.endswith(".py")]
        style = ("-q", "--config", str(style_of / "pyproject.toml"))
        self.ran("-m", "ruff", "check", *style, "--fix", "--select", "I", *mine)
        self.ran("-m", "ruff", "format", *style, *mine)

    def schema(self, kind: str) -> None:
        """The published JSON Schema of a kind's documents, anew."""
        self.put(f"docs/schemas/{kind}.json", self.ran("-m", "provision.cli.main", "schema", kind))

    def _read(self, path: str) -> str:
        return (self.root / path).read_text(encoding="utf-8")

    def _write(self, path: str, text: str) -> None:
        (self.root / path).write_text(text, encoding="utf-8")
        self.written = [*(each for each in self.written if each != path), path]
