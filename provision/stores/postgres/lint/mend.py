"""Safe forms in revision files: building or dropping an index leaves the transaction, a constraint is proved later.

Only a call that stands as a statement of its own and sends one statement is rewritten; every other is left to people.
"""

from __future__ import annotations

import ast as python
from collections.abc import Sequence
from typing import Any

from provision.lint.text import behind_word
from provision.model.lint import Edit, Unit
from provision.stores.postgres.lint import tree

_BLOCK = "with op.get_context().autocommit_block():"
_INDEX = ("index-not-concurrent", "drop-index-not-concurrent")
_CONSTRAINT = "constraint-without-not-valid"
_MAKERS = ("create_index", "drop_index")
_CHECKED = ("create_check_constraint", "create_foreign_key")


def edits(source: str, unit: Unit, rule: str) -> tuple[Edit, ...]:
    """The edits of the file that mend what the rule found in the unit; nothing where there is no one form.

    The unit is all that the call on its line sends.
    """
    if rule not in (*_INDEX, _CONSTRAINT) or not source.isascii():
        return ()  # columns of Python's tree count bytes
    found = _call(source, unit.called)
    if found is None:
        return ()
    statement, call = found
    name = call.func.attr if isinstance(call.func, python.Attribute) else ""
    at = _Places(source)
    inner = _written(source, at, call, unit, rule) if name == "execute" else _operation(source, at, call, name, rule)
    if not inner:
        return ()
    indent = " " * statement.col_offset
    if rule == _CONSTRAINT:
        return (*inner, _proof(at, statement, unit, indent))
    begin = at.of(statement.lineno, statement.col_offset)
    shift = [Edit(begin, begin, f"{_BLOCK}\n{indent}    ")]
    lines = range(statement.lineno + 1, (statement.end_lineno or statement.lineno) + 1)
    if not _has_long_text(statement):  # the lines of a text are part of it
        shift += [Edit(at.of(line, 0), at.of(line, 0), "    ") for line in lines]
    return (*inner, *shift)


class _Places:
    """The character of a line and column as Python's tree counts them."""

    def __init__(self, source: str) -> None:
        self._starts = [0]
        for line in source.split("\n"):
            self._starts.append(self._starts[-1] + len(line) + 1)

    def of(self, line: int, column: int) -> int:
        return self._starts[line - 1] + column

    def end(self, node: Any) -> int:
        return self.of(node.end_lineno, node.end_col_offset)


def _call(source: str, line: int) -> tuple[python.Expr, python.Call] | None:
    """The statement `op.…(…)` that begins on a line of upgrade(), outside of every `with`, loop and lambda."""
    for function in python.parse(source).body:
        if isinstance(function, python.FunctionDef) and function.name == "upgrade":
            return next((each for each in map(_own_call, function.body) if each and each[0].lineno == line), None)
    return None


def _own_call(statement: python.stmt) -> tuple[python.Expr, python.Call] | None:
    if isinstance(statement, python.Expr) and isinstance(statement.value, python.Call):
        func = statement.value.func
        if isinstance(func, python.Attribute) and isinstance(func.value, python.Name) and func.value.id == "op":
            return statement, statement.value
    return None


def _has_long_text(statement: python.stmt) -> bool:
    return any(
        isinstance(each, python.Constant) and isinstance(each.value, str) and each.end_lineno != each.lineno
        for each in python.walk(statement)
    )


def _written(source: str, at: _Places, call: python.Call, unit: Unit, rule: str) -> tuple[Edit, ...]:
    """SQL that stands in the file as it is sent."""
    text = call.args[0] if len(call.args) == 1 and not call.keywords else None
    if not isinstance(text, python.Constant) or not isinstance(text.value, str):
        return ()
    begin, end = at.of(text.lineno, text.col_offset), at.end(text)
    sql = unit.text.strip().rstrip(";").rstrip()
    inside = source.find(sql, begin, end)
    if inside < 0 or source.find(sql, inside + 1, end) >= 0:
        return ()
    if rule == _CONSTRAINT:
        return (Edit(inside + len(sql), inside + len(sql), " NOT VALID"),) if _name(unit) else ()
    behind = behind_word(sql, "INDEX")
    alone = rule == _INDEX[0] or len(unit.body.node.objects) == 1
    return (Edit(inside + behind, inside + behind, " CONCURRENTLY"),) if behind >= 0 and alone else ()


def _operation(source: str, at: _Places, call: python.Call, name: str, rule: str) -> tuple[Edit, ...]:
    """An operation of Alembic, which takes the form as one more argument."""
    if rule == _CONSTRAINT:
        option = "postgresql_not_valid=True" if name in _CHECKED else ""
    else:
        option = "postgresql_concurrently=True" if name in _MAKERS else ""
    given: Sequence[Any] = [*call.args, *(each.value for each in call.keywords)]
    if not option or not given or any(each.arg is None for each in call.keywords):
        return ()
    end = max(at.end(each) for each in given)
    between = source[end : at.end(call) - 1]
    if between.strip() not in ("", ","):
        return ()  # a parenthesis or a comment stands there
    return (Edit(end, end, f", {option}"),)


def _name(unit: Unit) -> str:
    """The constraint that the statement adds, where it adds one that has a name and does nothing else."""
    commands: Sequence[Any] = getattr(unit.body.node, "cmds", None) or ()
    return str(getattr(commands[0].def_, "conname", None) or "") if len(commands) == 1 else ""


def _proof(at: _Places, statement: python.stmt, unit: Unit, indent: str) -> Edit:
    """VALIDATE behind the statement, in a transaction of its own."""
    sql = f"ALTER TABLE {tree.sql(unit.body.node.relation)} VALIDATE CONSTRAINT {tree.quoted(_name(unit))}"
    end = at.end(statement)
    return Edit(end, end, f"\n{indent}{_BLOCK}\n{indent}    op.execute({sql!r})")
