"""A new command: the flow that finds, the command that asks, the words that are printed, their test."""

from __future__ import annotations

import re

from docs.generate.tree import Name, Refused, Tree

LIST = "provision/cli/commands.py"


def write(tree: Tree, name: Name, group: str) -> None:
    """Raises Refused for a group that is not there, or a name that is taken."""
    listed = (tree.root / LIST).read_text(encoding="utf-8")
    groups = re.findall(r'^    "(\w+)": \{$', listed, re.MULTILINE)
    if group not in groups:
        raise Refused(f"{group!r} is no group of commands: {', '.join(groups)}")
    for part, template in (("flows", "flow"), ("cli", "command"), ("cli/render", "render")):
        tree.new(f"provision/{part}/{name.snake}.py", f"command/{template}.txt", name.forms)
    tree.new(f"tests/cli/test_{name.snake}.py", "command/test.txt", name.forms)
    entry = f'        "{name.forms["kebab"]}": Entry("{name.snake}", "Show the kind and folder of each store."),\n'
    _list(tree, group, entry)
    tree.ran("docs/generate_commands.py")
    tree.written.append("docs/commands.md")


def _list(tree: Tree, group: str, entry: str) -> None:
    """The command at the end of its group."""
    before, start, rest = (tree.root / LIST).read_text(encoding="utf-8").partition(f'    "{group}": {{\n')
    inside, end, after = rest.partition("    },\n")
    tree.put(LIST, before + start + inside + entry + end + after)
