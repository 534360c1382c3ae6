"""A new kind of data check that works on every store that counts rows."""

from __future__ import annotations

from docs.generate.tree import Name, Tree

KINDS = "provision/validate/kinds.py"
ROW = "| `{snake}` | – the table has more rows than it may | `{snake}: {{most: 1000}}` |\n"


def write(tree: Tree, name: Name) -> None:
    """Raises Refused for a name that is taken."""
    forms = name.forms
    tree.new(f"provision/validate/{name.snake}.py", "check/check.txt", forms)
    tree.new(f"tests/unit/validate/test_{name.snake}.py", "check/test.txt", forms)
    if not (tree.root / "tests/unit/validate/__init__.py").exists():
        tree.put("tests/unit/validate/__init__.py", "")
    tree.add_import(KINDS, f"from provision.validate.{name.snake} import {forms['Class']}")
    tree.insert(KINDS, r'(?<="volume": Volume\(\))', f', "{name.snake}": {forms["Class"]}()')
    tree.insert("docs/validation.md", r"^\| `parity` \|", ROW.format(**forms))
    tree.schema("checks")
