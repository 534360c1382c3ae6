"""What the statements so far have made in a database: tables, keys, indexes, views, functions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from provision.model.lint import Script, Unit, World
from provision.stores.postgres.lint import tree
from provision.stores.postgres.lint.nodes import ast


@dataclass
class Table:
    """A table that the scripts make. `file` is where; `partitioned` are the columns of PARTITION BY, `parent` its
    parent where it is a partition. `keys` are the columns of primary key and unique constraints."""

    name: str
    unit: Unit
    columns: dict[str, Any] = field(default_factory=dict)
    primary: tuple[str, ...] = ()
    keys: list[tuple[str, ...]] = field(default_factory=list)
    checks: list[Any] = field(default_factory=list)
    partitioned: tuple[str, ...] | None = None
    parent: str = ""
    required: set[str] = field(default_factory=set)  # columns that are NOT NULL
    emptied: str = ""  # the file that deletes all its rows


@dataclass
class Index:
    """An index that the scripts make."""

    name: str
    table: str
    unit: Unit
    node: Any


class PostgresWorld(World):
    """Names are without their schema, as the scripts' own search_path would find them."""

    def __init__(self) -> None:
        super().__init__()
        self.tables: dict[str, Table] = {}
        self.indexes: dict[str, Index] = {}
        self._of_table: dict[str, dict[str, Index]] = {}  # the same indexes
        self.views: dict[str, Unit] = {}
        self.functions: dict[str, Unit] = {}
        self.triggers: list[Unit] = []
        self.new_values: list[tuple[str, str]] = []  # value and enum of each ADD VALUE of this transaction
        self._new_enums: set[str] = set()  # which take values at once
        self.not_valid: dict[tuple[str, str], Unit] = {}  # (table, constraint) that was added NOT VALID
        self.altered: set[str] = set()  # tables that the script has altered
        self.lock_timeout: tuple[str, str] = ("", "")  # file and value that were set last

    def begin(self, script: Script) -> None:
        super().begin(script)
        self.lock_timeout = (script.file, "")
        self.altered = set()
        self._begun()

    def _begun(self) -> None:
        self.new_values, self._new_enums = [], set()

    def made_here(self, table: str, unit: Unit) -> bool:
        """Whether the same file makes the table: nobody uses it yet, and it is empty."""
        found = self.tables.get(table)
        return found is not None and found.unit.file == unit.file

    def alterations(self, unit: Unit) -> Iterator[tuple[str, Any]]:
        """The table and each command of an ALTER TABLE whose table the same file does not make; else nothing."""
        node = unit.body.node
        if isinstance(node, ast.AlterTableStmt) and node.objtype.name == "OBJECT_TABLE":
            table = tree.name_of(node.relation)
            if not self.made_here(table, unit):
                yield from ((table, each) for each in node.cmds or ())

    def emptied_here(self, table: str, unit: Unit) -> bool:
        """Whether the same file has deleted all its rows before."""
        found = self.tables.get(table)
        return found is not None and found.emptied == unit.file

    def indexes_of(self, table: str) -> Iterator[Index]:
        return iter(self._of_table.get(table, {}).values())

    def _put(self, name: str, index: Index) -> None:
        self._take(name)
        self.indexes[name] = self._of_table.setdefault(index.table, {})[name] = index

    def _take(self, name: str) -> Index | None:
        found = self.indexes.pop(name, None)
        if found is not None:
            del self._of_table[found.table][name]
        return found

    def add(self, unit: Unit) -> None:
        super().add(unit)
        node = unit.body.node
        take = getattr(self, f"_{type(node).__name__}", None)
        if take is not None:
            take(node, unit)

    def _CreateStmt(self, node: Any, unit: Unit) -> None:
        name = tree.name_of(node.relation)
        if node.if_not_exists and name in self.tables:
            return
        table = Table(name, unit)
        if node.partspec is not None:
            table.partitioned = tuple(str(each.name or "") for each in node.partspec.partParams or ())
        if node.partbound is not None and node.inhRelations:
            table.parent = tree.name_of(node.inhRelations[0])
        for each in node.tableElts or ():
            self._element(table, each)
        self.tables[name] = table

    def _element(self, table: Table, each: Any) -> None:
        if isinstance(each, ast.ColumnDef):
            table.columns[str(each.colname)] = each
            for constraint in tree.constraints(each):
                self._constraint(table, constraint, (str(each.colname),))
        elif isinstance(each, ast.Constraint):
            self._constraint(table, each, tuple(str(key.sval) for key in each.keys or ()))

    def _constraint(self, table: Table, constraint: Any, columns: tuple[str, ...]) -> None:
        kind = tree.kind(constraint)
        if kind == "PRIMARY":
            table.primary = table.primary or columns
            table.required |= set(columns)
            table.keys.append(columns)
        elif kind == "UNIQUE":
            table.keys.append(columns)
        elif kind == "NOTNULL":
            table.required |= set(columns)
        elif kind == "CHECK":
            table.checks.append(constraint.raw_expr)

    def _AlterTableStmt(self, node: Any, unit: Unit) -> None:
        self.altered.add(tree.name_of(node.relation))
        table = self.tables.get(tree.name_of(node.relation))
        for each in node.cmds or ():
            what = each.subtype.name
            if what == "AT_AddConstraint" and each.def_.conname and each.def_.skip_validation:
                self.not_valid[tree.name_of(node.relation), each.def_.conname] = unit
            if table is None:
                continue
            if what in ("AT_AddColumn", "AT_AddConstraint"):
                self._element(table, each.def_)
            elif what == "AT_DropColumn":
                table.columns.pop(str(each.name), None)
                table.required.discard(str(each.name))
            elif what == "AT_SetNotNull":
                table.required.add(str(each.name))
            elif what == "AT_DropNotNull":
                table.required.discard(str(each.name))
            elif what == "AT_AlterColumnType" and (old := table.columns.get(str(each.name))) is not None:
                table.columns[str(each.name)] = ast.ColumnDef(
                    colname=old.colname, typeName=each.def_.typeName, constraints=old.constraints
                )

    def _IndexStmt(self, node: Any, unit: Unit) -> None:
        table = tree.name_of(node.relation)
        # Without a name PostgreSQL makes one that is free.
        name = node.idxname or "_".join((table, *(str(each.name or "expr") for each in node.indexParams or ()), "idx"))
        if name not in self.indexes or not (node.if_not_exists or node.idxname is None):
            self._put(name, Index(name, table, unit, node))

    def _DeleteStmt(self, node: Any, unit: Unit) -> None:
        if node.whereClause is None and (table := self.tables.get(tree.name_of(node.relation))) is not None:
            table.emptied = unit.file

    def _TruncateStmt(self, node: Any, unit: Unit) -> None:
        for each in node.relations or ():
            if (table := self.tables.get(tree.name_of(each))) is not None:
                table.emptied = unit.file

    def _SelectStmt(self, node: Any, unit: Unit) -> None:
        if node.intoClause is not None:
            name = tree.name_of(node.intoClause.rel)
            self.tables[name] = Table(name, unit)

    def _ViewStmt(self, node: Any, unit: Unit) -> None:
        self.views[tree.name_of(node.view)] = unit

    def _CreateTableAsStmt(self, node: Any, unit: Unit) -> None:
        name = tree.name_of(node.into.rel)
        if node.objtype.name == "OBJECT_MATVIEW":
            self.views[name] = unit
        else:
            self.tables[name] = Table(name, unit)

    def _CreateFunctionStmt(self, node: Any, unit: Unit) -> None:
        self.functions[tree.last(node.funcname)] = unit

    def _TransactionStmt(self, _node: Any, _unit: Unit) -> None:
        self._begun()

    def _CreateEnumStmt(self, node: Any, _unit: Unit) -> None:
        name = tree.last(node.typeName)
        self._new_enums.add(name)
        self.new_values = [each for each in self.new_values if each[1] != name]

    def _AlterEnumStmt(self, node: Any, unit: Unit) -> None:
        name = tree.last(node.typeName)
        if node.newVal and not node.oldVal and unit.in_transaction and name not in self._new_enums:
            self.new_values.append((str(node.newVal), name))

    def _CreateTrigStmt(self, _node: Any, unit: Unit) -> None:
        self.triggers.append(unit)

    def _VariableSetStmt(self, node: Any, _unit: Unit) -> None:
        if node.name == "lock_timeout":
            self.lock_timeout = (self.script.file, tree.sql(node.args[0]) if node.args else "")

    def _DropStmt(self, node: Any, _unit: Unit) -> None:
        kept: dict[str, dict[str, Any]] = {
            "OBJECT_TABLE": self.tables,
            "OBJECT_VIEW": self.views,
            "OBJECT_MATVIEW": self.views,
        }
        for each in node.objects or ():
            name = tree.last(each) if isinstance(each, tuple) else ""
            kept.get(node.removeType.name, {}).pop(name, None)
            if node.removeType.name == "OBJECT_INDEX":
                self._take(name)
            elif node.removeType.name == "OBJECT_TABLE":
                for index in self._of_table.pop(name, {}):
                    del self.indexes[index]

    def _RenameStmt(self, node: Any, _unit: Unit) -> None:
        old, new = tree.name_of(node.relation), str(node.newname)
        if node.renameType.name == "OBJECT_TABLE" and old in self.tables:
            self.tables[new] = self.tables.pop(old)
        elif node.renameType.name == "OBJECT_INDEX" and (index := self._take(old)) is not None:
            self._put(new, index)
        elif node.renameType.name == "OBJECT_COLUMN" and old in self.tables:
            table = self.tables[old]
            if (column := table.columns.pop(str(node.subname), None)) is not None:
                table.columns[new] = column
            if str(node.subname) in table.required:
                table.required = {*table.required - {str(node.subname)}, new}
