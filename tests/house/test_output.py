"""What is printed is printed at one place, where foreign text is made visible."""

from __future__ import annotations

import ast
from pathlib import Path

import provision

CLI = Path(provision.__file__).parent / "cli"
# The place itself; what is said when the streams are gone, or is all ours.
MAY = {"render/paper.py", "streams.py", "group.py", "main.py"}


def test_no_command_prints_but_through_paper() -> None:
    found = [
        f"{path.relative_to(CLI)}:{node.lineno}"
        for path in sorted(CLI.rglob("*.py"))
        if path.relative_to(CLI).as_posix() not in MAY
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("print", "typer.echo", "sys.stdout.write")
    ]
    assert found == []
