"""Reads in the text of a revision whether a step can lose data."""

from __future__ import annotations

import ast
import re

from provision.files import read_text
from provision.model import Direction, Step, StoreOptions

_FUNCTION = {Direction.UP: "upgrade", Direction.DOWN: "downgrade"}
_NAME = r"(?:if\s+exists\s+)?([\w\".]+)"
_PATTERNS = (
    (re.compile(rf"\bdrop\s+table\s+{_NAME}", re.IGNORECASE), "drops table {} and its rows"),
    (re.compile(r"\bdrop_table\(\s*[\"'](\w+)"), "drops table {} and its rows"),
    (re.compile(rf"\bdrop\s+column\s+{_NAME}", re.IGNORECASE), "drops column {} and its values"),
    (re.compile(r"\bdrop_column\(\s*[\"']\w+[\"'],\s*[\"'](\w+)"), "drops column {} and its values"),
    (re.compile(rf"\bdrop\s+schema\s+{_NAME}", re.IGNORECASE), "drops schema {} and what is in it"),
    (re.compile(r"\btruncate\s+(?:table\s+)?(?:only\s+)?([\w\".]+)", re.IGNORECASE), "empties table {}"),
    (re.compile(r"\bdelete\s+from\s+([\w\".]+)", re.IGNORECASE), "deletes rows of {}"),
)


def losses(options: StoreOptions, step: Step) -> tuple[str, ...]:
    """Why a step can lose data, in plain words; empty when nothing in its function says so."""
    path = options.root / step.revision.path
    body = _text_of(ast.parse(read_text(path, step.revision.path)), _FUNCTION[step.direction])
    found = [said.format(match[1].strip('"')) for pattern, said in _PATTERNS for match in pattern.finditer(body)]
    if step.revision.destructive and step.direction is Direction.UP and not found:
        return ("its author says that it loses data",)
    return tuple(dict.fromkeys(found))


def _text_of(module: ast.Module, name: str) -> str:
    """The function with every module-level name that it uses, directly or not; comments are gone."""
    named = {target: node for node in module.body for target in _defines(node)}
    waiting, seen = [name], set[str]()
    while waiting:
        each = waiting.pop()
        if each in named and each not in seen:
            seen.add(each)
            waiting += [leaf.id for leaf in ast.walk(named[each]) if isinstance(leaf, ast.Name)]
    return "\n".join(ast.unparse(named[each]) for each in sorted(seen)).replace("\\n", " ")


def _defines(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    if isinstance(node, ast.Assign):
        return [target.id for target in node.targets if isinstance(target, ast.Name)]
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        return [node.target.id]
    return []
