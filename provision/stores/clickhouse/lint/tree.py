"""The tree that ClickHouse's own parser makes, as EXPLAIN AST prints it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from provision.errors import ConfigError

CHILD = Path(__file__).with_name("child.py")
_LINE = re.compile(r"(?P<indent> *)(?P<text>.*?)(?: \(children \d+\))?$")
_ALIAS = re.compile(r"(.*?) \(alias (.*)\)$")
_TWO = ("Columns definition", "Storage definition")


@dataclass
class Node:
    """`kind` is the parser's word (`Function`, `Identifier`, `Literal`), `name` what stands behind it."""

    kind: str
    name: str = ""
    alias: str = ""
    children: list[Node] = field(default_factory=list)

    def walk(self) -> Iterator[Node]:
        """The node and all below it."""
        waiting = [self]
        while waiting:
            each = waiting.pop()
            yield each
            waiting += reversed(each.children)

    def find(self, kind: str) -> Node | None:
        """The first child of that kind."""
        return next((each for each in self.children if each.kind == kind), None)

    def all(self, *kinds: str) -> Iterator[Node]:
        """Every node below, of one of these kinds."""
        return (each for each in self.walk() if each.kind in kinds)

    def identifiers(self) -> set[str]:
        """The last parts of all names below."""
        return {each.name.rpartition(".")[2] for each in self.all("Identifier")}


def parsed(text: str) -> Node:
    """The tree of one statement."""
    root = Node("")
    stack = [root]
    for line in text.rstrip("\n").split("\n"):
        found = _LINE.match(line)
        assert found is not None  # every part of the expression may be empty
        depth = len(found["indent"])
        del stack[depth + 1 :]
        node = _node(found["text"])
        stack[-1].children.append(node)
        stack.append(node)
    return root.children[0]


def _node(text: str) -> Node:
    alias = ""
    if (named := _ALIAS.match(text)) is not None:
        text, alias = named[1], named[2]
    for two in _TWO:
        if text.startswith(two):
            return Node(two, text.removeprefix(two).strip(), alias)
    kind, _, name = text.partition(" ")
    return Node(kind, name.strip(), alias)


def explained(statements: Sequence[str]) -> list[tuple[str, str]]:
    """Of each statement its tree as text, or why the engine refuses it. Raises ConfigError (parser-broken)."""
    if not statements:
        return []
    question = json.dumps(list(statements)).encode()
    done = subprocess.run([sys.executable, "-P", str(CHILD)], input=question, capture_output=True, check=False)
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        what = f"the parser of ClickHouse stopped with {done.returncode}: {said}"
        fix = "pip install --force-reinstall 'provision-toolkit[lint]'"
        raise ConfigError("parser-broken", what, where="lint", fix=fix)
    return [(tree, refused) for tree, refused in json.loads(done.stdout)]
