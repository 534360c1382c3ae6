"""A kind of store outside of provision: the example that docs/how-to-add-a-store.md goes along, under another name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from docs.generate.tree import Name, Refused, Tree

EXAMPLE = "tests/fixtures/seventh_store"
COPIED = (".py", ".toml", ".md")


def write(tree: Tree, name: Name, to: str) -> None:
    """A package in the folder `to`, which must not be there yet. Raises Refused.

    What its server is stays SQLite, a file, so that the contract suite passes before the first change.
    """
    example, target = tree.root / EXAMPLE, Path(to or tree.root.parent / f"provision-{name.forms['kebab']}").resolve()
    if target.exists():
        raise Refused(f"{target} is there already")
    if (tree.root / "provision/stores" / name.snake).exists():
        raise Refused(f"{name.snake} is a kind of provision's own, which would be found first")
    package = Tree(target)
    for source in sorted(example.rglob("*")):
        if source.is_file() and source.suffix in COPIED and "__pycache__" not in source.parts:
            place = renamed(source.relative_to(example).as_posix(), name.forms)
            (target / place).parent.mkdir(parents=True, exist_ok=True)
            package.put(place, renamed(source.read_text(encoding="utf-8"), name.forms))
    package.tidy(tree.root)
    print(target)


def renamed(text: str, forms: Mapping[str, str]) -> str:
    """The names of package, kind and classes changed; `sqlite3`, SQL and urls stay what they are."""
    for pattern, word in (
        (r"provision_sqlite", f"provision_{forms['snake']}"),
        (r"provision-sqlite", f"provision-{forms['kebab']}"),
        (r"\bSqlite(?=[A-Z])", forms["Class"]),
        (r'"sqlite"', f'"{forms["snake"]}"'),
        (r"^sqlite(?= = )|(?<=provision schema )sqlite", forms["snake"]),
        (r'(?<=title=")SQLite', forms["Class"]),
    ):
        text = re.sub(pattern, word, text, flags=re.MULTILINE)
    return text
