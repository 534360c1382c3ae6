"""The blocks of a page, and a user who does what they say: runs the commands, writes the files."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

_BLOCK = re.compile(r"^```(sh|python|sql|yaml|toml)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# The first line of a file's block: where it goes, and how it meets what is there.
_PLACE = re.compile(r"(?:#|--) (?P<path>[\w./-]+\.\w+)(?P<how>, below its comments|, below \[[\w.]+\])?\n")
_EXIT = re.compile(r"#.*?\bexit (\d)\b")
_EXPORT = re.compile(r"export (\w+)=")
_NEXT = re.compile(r"^  (provision .+)$|run it: (provision .+)$", re.MULTILINE)
TIMEOUT = 900.0  # seconds for one command: on a busy machine pip takes minutes


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block of a page."""

    language: str
    text: str
    where: str


def blocks(page: Path) -> list[Block]:
    """What is to be run or written, in the order of the page; blocks without a language are only read."""
    text = page.read_text(encoding="utf-8")
    return [
        Block(each[1], each[2], f"{page.name}:{text.count(chr(10), 0, each.start()) + 1}")
        for each in _BLOCK.finditer(text)
    ]


class Disagreement(AssertionError):
    """Raised when the product does not do what a page says."""


@dataclass(slots=True)
class User:
    """Somebody with a shell. `given` are the values of variables that a page leaves to its reader; `instead` turns a
    line of a page into what is run in its place.
    """

    folder: Path
    environment: dict[str, str]
    given: Mapping[str, str] = field(default_factory=dict)
    instead: Callable[[str], str] = str
    ran: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)

    def follow(self, page: Path) -> None:
        """Do all that a page says. Raises Disagreement."""
        for each in blocks(page):
            if each.language == "sh":
                for line in each.text.splitlines():
                    self.run(line, each.where)
            else:
                self.write(each)

    def run(self, line: str, where: str = "") -> str:
        """Run a line as a shell does that goes on in the same folder, with the same variables; returns what it printed.

        Raises Disagreement unless it exits with 0, or with what its comment says: `# exit 2`.
        """
        if found := _EXPORT.match(line):
            line = f"export {found[1]}={shlex.quote(self.given[found[1]])}"
        wanted = int(found[1]) if (found := _EXIT.search(line)) else 0
        after = self.folder / ".after"
        script = f"{self.instead(line)}\ncode=$?\n{{ pwd; env -0; }} >{shlex.quote(str(after))}\nexit $code"
        done = subprocess.run(
            ["bash", "-c", script], cwd=self.folder, env=self.environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=TIMEOUT, check=False,
        )  # fmt: skip
        print(f"$ {line}\n{done.stdout}", end="", flush=True)
        if done.returncode != wanted:
            raise Disagreement(f"{where}: {line!r} ended with {done.returncode}, not {wanted}:\n{done.stdout}")
        self._went_on(after)
        self.ran.append(line)
        self.told += [next(filter(None, each)) for each in _NEXT.findall(done.stdout)]
        return done.stdout

    def write(self, block: Block) -> None:
        """Write the file of a block. Raises Disagreement where it names none, or one that should be there is not."""
        place = _PLACE.match(block.text)
        if place is None:
            raise Disagreement(f"{block.where}: the block does not begin with the name of its file")
        path, body = self.folder / place["path"], block.text[place.end() :]
        if place["how"] or block.language in ("python", "toml"):
            if not path.is_file():
                raise Disagreement(f"{block.where}: {place['path']} is not there")
            body = _into(path.read_text(encoding="utf-8"), body, place["how"] or "", block)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(body, encoding="utf-8")

    def unfollowed(self) -> list[str]:
        """The commands that the product told as the next ones and that the pages do not come to."""
        ran = {_head(each) for each in self.ran}
        return [each for each in self.told if _head(each) not in ran]

    def _went_on(self, after: Path) -> None:
        folder, _, variables = after.read_text().partition("\n")
        after.unlink()
        self.folder = Path(folder)
        self.environment = dict(each.split("=", 1) for each in variables.split("\0") if "=" in each)
        for name in ("_", "SHLVL", "PWD", "OLDPWD"):
            self.environment.pop(name, None)


def _into(text: str, body: str, how: str, block: Block) -> str:
    """The text with the body in it: below a header, at the end, or in place of the functions that it defines."""
    if how.startswith(", below ["):
        header = f"\n{how.removeprefix(', below ')}\n"
        if header not in text:
            raise Disagreement(f"{block.where}: no {header.strip()} in the file")
        return text.replace(header, f"{header}{body}", 1)
    if block.language == "python":
        return f"{text.partition('def upgrade')[0]}{body}"
    return f"{text.rstrip(os.linesep)}\n\n{body}"


def _head(command: str) -> tuple[str, ...]:
    """What two command lines have in common that mean the same: the words before the first text that is made up."""
    words = shlex.split(command, comments=True)
    return tuple(words[:3])
