"""Reads in the text of a revision whether a step can lose data."""

from __future__ import annotations

import ast
import re

from provision.errors import ConfigError
from provision.files import read_text
from provision.model import Direction, Step, StoreOptions
from provision.stores.postgres import repeatable

_FUNCTION = {Direction.UP: "upgrade", Direction.DOWN: "downgrade"}
_NAME = r"(?:if\s+exists\s+)?([\w\".]+)"
# The body of a function is written down, not run; that of a DO block is run.
_BODY = re.compile(r"(?P<run>\bdo\s+)?(?P<quote>\$\w*\$).*?(?P=quote)", re.IGNORECASE | re.DOTALL)
_WORDS = re.compile(r"drop|truncate|delete", re.IGNORECASE)
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
    text = read_text(path, step.revision.path)
    if step.revision.repeatable:
        body = repeatable.sql(options, step)
    elif _harmless(text, step.direction):
        body = ""
    else:
        body = _text_of(text, _FUNCTION[step.direction], step.revision.path)
    body = _BODY.sub(lambda match: match[0] if match["run"] else "", body)
    found = [said.format(match[1].strip('"')) for pattern, said in _PATTERNS for match in pattern.finditer(body)]
    if step.revision.destructive and step.direction is Direction.UP and not found:
        return ("its author says that it loses data",)
    return tuple(dict.fromkeys(found))


def _harmless(text: str, direction: Direction) -> bool:
    """True when no word that could lose something is outside the function of the other direction.

    Spares reading most revisions as Python.
    """
    other = _FUNCTION[Direction.DOWN if direction is Direction.UP else Direction.UP]
    if text.count(other) == 1:
        text = re.sub(rf"^def {other}\(.*?(?=^\S|\Z)", "", text, count=1, flags=re.MULTILINE | re.DOTALL)
    return _WORDS.search(text) is None


def _text_of(text: str, name: str, shown: str) -> str:
    """The function with every module-level name that it uses, directly or not; comments are gone.

    Raises ConfigError (bad-header) for a file that is not Python.
    """
    named = {target: node for node in _parsed(text, shown).body for target in _defines(node)}
    waiting, seen = [name], set[str]()
    while waiting:
        each = waiting.pop()
        if each in named and each not in seen:
            seen.add(each)
            waiting += [leaf.id for leaf in ast.walk(named[each]) if isinstance(leaf, ast.Name)]
    return "\n".join(ast.unparse(named[each]) for each in sorted(seen)).replace("\\n", " ")


def _parsed(text: str, shown: str) -> ast.Module:
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None) or 1
        raise ConfigError("bad-header", f"{shown} is not Python: {error}", where=f"{shown}:{line}") from None


def _defines(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    if isinstance(node, ast.Assign):
        return [target.id for target in node.targets if isinstance(target, ast.Name)]
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        return [node.target.id]
    return []
