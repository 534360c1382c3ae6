"""What the functions of a revision lose, told from the file without running it: calls of Alembic's operations, SQL."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from itertools import product

from provision.stores.postgres.migrate.losses.file_values import Values
from provision.stores.postgres.migrate.losses.loss import UNREAD, Effect, Loss, Name, Rename, Takes
from provision.stores.postgres.migrate.losses.statement import read

# Alembic's own operations, and helpers that projects name after them.
_DROPS_TABLE = re.compile(r"drop_tables?(?:_if_exists)?\Z|DropTableOp\Z|DropTable\Z")
_DROPS_COLUMN = re.compile(r"drop_columns?(?:_if_exists)?\Z|DropColumnOp\Z")
_SPEAKS = {"print", "debug", "info", "warning", "error", "exception", "warn", "log"}
_TEXTS = (ast.Constant, ast.JoinedStr, ast.BinOp, ast.Name)


def effects_of(module: ast.Module, function: str) -> list[Effect]:
    """The effects of a function and of what it calls in the same file, in the order of the lines, each once."""
    values = Values(module)
    reader = _Reader(values)
    start = values.functions.get(function)
    return list(dict.fromkeys(reader.function(start))) if start is not None else []


class _Reader:
    def __init__(self, values: Values) -> None:
        self._values = values
        self._seen: set[str] = set()

    def function(self, node: ast.FunctionDef) -> Iterator[Effect]:
        if node.name not in self._seen:
            self._seen.add(node.name)
            for each in node.body:
                yield from self._node(each)

    def _node(self, node: ast.AST) -> Iterator[Effect]:
        if isinstance(node, ast.Raise | ast.FunctionDef):
            return
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            return  # a docstring
        if isinstance(node, ast.Call):
            yield from self._call(node)
            return
        if isinstance(node, ast.Name) and node.id in self._values.functions:
            yield from self.function(self._values.functions[node.id])  # handed to something that calls it
        elif isinstance(node, _TEXTS):
            for text in self._values.strings(node):
                yield from _sql(text)
            if isinstance(node, ast.BinOp):
                yield from self._parts([node.left, node.right])
        else:
            for child in ast.iter_child_nodes(node):
                yield from self._node(child)

    def _parts(self, nodes: Iterable[ast.expr]) -> Iterator[Effect]:
        """What a text is put together from, for the calls in it: its pieces are no statements of their own."""
        for each in nodes:
            if not isinstance(each, _TEXTS):
                yield from self._node(each)

    def _call(self, node: ast.Call) -> Iterator[Effect]:
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name in _SPEAKS:
            return
        if name in ("format", "join", "strip", "replace"):
            for text in self._values.strings(node):
                yield from _sql(text)
            yield from self._parts(node.args)
            return
        for child in ast.iter_child_nodes(node):
            yield from self._node(child)
        if isinstance(node.func, ast.Name) and name in self._values.functions:
            yield from self.function(self._values.functions[name])
        else:
            yield from self._operation(node, name)

    def _operation(self, node: ast.Call, name: str) -> Iterator[Effect]:
        if _DROPS_TABLE.match(name):
            for table in self._tables(node, "table_name", None if name == "DropTable" else 0):
                yield Loss(Takes.TABLE, table)
        elif _DROPS_COLUMN.match(name):
            yield from self._dropped_columns(node)
        elif name == "rename_table":
            new = self._values.strings(_argument(node, 1, "new_table_name"))
            for old, becomes in product(self._tables(node, "old_table_name", 0), new):
                yield Rename(old, (*old[:-1], becomes))
        elif name == "alter_column":
            yield from self._renamed_column(node)
        elif name == "drop_all":
            yield Loss(Takes.TABLE)
        elif name == "drop" and isinstance(node.func, ast.Attribute):
            for table in self._table(node.func.value):
                yield Loss(Takes.TABLE, table)
        elif name == "delete":
            yield from self._deleted(node)

    def _dropped_columns(self, node: ast.Call) -> Iterator[Loss]:
        batch = self._batch(node)
        place = 0 if batch is not None or (len(node.args) == 1 and not node.keywords) else 1
        named = _argument(node, -1, "column_name")
        given = node.args[place:] or ([named] if named is not None else [])
        tables = self._tables(batch or node, "table_name", 0 if batch is not None or place else None)
        columns = [text for each in given for text in self._all(each)] or [UNREAD]
        for table, column in product(tables, columns):
            yield Loss(Takes.COLUMN, table, column)

    def _renamed_column(self, node: ast.Call) -> Iterator[Rename]:
        becomes = _argument(node, -1, "new_column_name")
        if becomes is None:
            return
        batch = self._batch(node)
        old = self._values.strings(_argument(node, 0 if batch is not None else 1, "column_name"))
        for table, column, new in product(
            self._tables(batch or node, "table_name", 0), old, self._values.strings(becomes)
        ):
            yield Rename(table, table, column, new)

    def _deleted(self, node: ast.Call) -> Iterator[Loss]:
        """`table.delete()`, `sa.delete(table)`, `session.query(Model).delete()`, `session.delete(row)`."""
        receiver = node.func.value if isinstance(node.func, ast.Attribute) else None
        queries = [each for each in ast.walk(receiver or node) if isinstance(each, ast.Call) and _name(each) == "query"]
        tables = self._table(receiver) if receiver is not None else []
        if queries and queries[0].args:
            tables = self._table(queries[0].args[0]) or [()]
        elif not tables and len(node.args) == 1:
            of = receiver.id.lower() if isinstance(receiver, ast.Name) else ""
            known = receiver is None or of in ("sa", "sqlalchemy") or "session" in of
            tables = self._table(node.args[0]) or ([()] if known else [])
        for table in tables:
            yield Loss(Takes.ROWS, table)

    def _batch(self, node: ast.Call) -> ast.Call | None:
        """The `batch_alter_table` whose operations the call is one of."""
        receiver = node.func.value if isinstance(node.func, ast.Attribute) else None
        if not isinstance(receiver, ast.Name):
            return None
        found = (each for each in self._values.of(receiver.id) if isinstance(each, ast.Call))
        return next((each for each in found if _name(each) == "batch_alter_table"), None)

    def _tables(self, node: ast.Call, keyword: str, place: int | None) -> list[Name]:
        """The table that a call names, with its schema; () where it cannot be read."""
        given = _argument(node, -1 if place is None else place, keyword)
        if given is None:
            return self._table(node.args[0]) if place is None and node.args and _name(node) == "DropTable" else [()]
        schema = _argument(node, -1, "schema")
        schemas = self._values.strings(schema) if schema is not None and not _is_none(schema) else [""]
        return [tuple(part for part in (inside, table) if part) for table, inside in product(self._all(given), schemas)]

    def _all(self, node: ast.expr | None) -> list[str]:
        """The strings of an argument, which may be a list of them."""
        listed = list(self._values.elements(node)) if node is not None else []
        return [text for each in listed for text in self._values.strings(each)] or self._values.strings(node)

    def _table(self, node: ast.expr, depth: int = 0) -> list[Name]:
        """The table that an expression of SQLAlchemy stands for, empty where it is none or cannot be told."""
        if isinstance(node, ast.Call) and _name(node) in ("Table", "table"):
            return self._tables(node, "name", 0)
        if isinstance(node, ast.Attribute) and node.attr in ("__table__", "c"):
            return self._table(node.value, depth + 1) or [()]
        if isinstance(node, ast.Subscript) and getattr(node.value, "attr", "") == "tables":
            return [(text,) for text in self._values.strings(node.slice)]
        if not isinstance(node, ast.Name) or depth > 4:
            return []
        if node.id in self._values.classes:
            named = [
                each.value
                for each in self._values.classes[node.id].body
                if isinstance(each, ast.Assign) and getattr(each.targets[0], "id", "") == "__tablename__"
            ]
            return [(text,) for each in named for text in self._values.strings(each)] or [()]
        return [table for each in self._values.of(node.id) for table in self._table(each, depth + 1)]


def _sql(text: str) -> Iterator[Effect]:
    if text != UNREAD:
        yield from read(text).effects


def _argument(node: ast.Call, place: int, keyword: str) -> ast.expr | None:
    named = next((each.value for each in node.keywords if each.arg == keyword), None)
    return named or (node.args[place] if 0 <= place < len(node.args) else None)


def _name(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else str(getattr(node.func, "id", ""))


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None
