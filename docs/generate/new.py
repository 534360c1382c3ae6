"""Writes the first version of something new, with its registration, its test and its line in the pages.

usage: python -m docs.generate.new operation --store KIND --name NAME
       python -m docs.generate.new check --of rows|table --name NAME
       python -m docs.generate.new command --name NAME [--group GROUP]
       python -m docs.generate.new store --name NAME [--to FOLDER]
What it writes works and passes `make check`; the page of each (docs/how-to-add-….md) says what to put in its place.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from docs.generate import check, command, operation, store
from docs.generate.tree import Name, Refused, Tree

ROOT = Path(__file__).parents[2]
Write = Callable[[Tree, Name, argparse.Namespace], None]
KINDS: Mapping[str, Write] = {
    "operation": lambda tree, name, asked: operation.write(tree, name, asked.store),
    "check": lambda tree, name, asked: check.write(tree, name, asked.of),
    "command": lambda tree, name, asked: command.write(tree, name, asked.group),
    "store": lambda tree, name, asked: store.write(tree, name, asked.to),
}

PAGES = {"operation": "an-operation", "check": "a-check-kind", "command": "a-command", "store": "a-store"}


def main(arguments: list[str], root: Path = ROOT) -> int:
    parser = argparse.ArgumentParser(prog="python -m docs.generate.new", description=__doc__)
    parser.add_argument("what", choices=KINDS)
    parser.add_argument("--name", required=True)
    parser.add_argument("--store", default="")
    parser.add_argument("--group", default="Look")
    parser.add_argument("--of", default="")
    parser.add_argument("--to", default="")
    asked = parser.parse_args(arguments)
    tree = Tree(root)
    try:
        KINDS[asked.what](tree, Name.of(asked.name), asked)
        if tree.written:
            tree.tidy(root)
    except Refused as why:
        print(f"nothing more was written: {why}", file=sys.stderr)
        return 1
    finally:
        for each in tree.written:
            print(each)
    print(f"next: docs/how-to-add-{PAGES[asked.what]}.md")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
