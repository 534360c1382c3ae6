"""What of the losses of statements was there before: foretold by name, and known by uuid when they are sent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from provision.stores.clickhouse.migrate.parse.parsed import StatementLoss
from provision.stores.clickhouse.migrate.parse.tokens import Name, literal
from provision.stores.clickhouse.migrate.parse.touched import NIL, ParsedStatement
from provision.stores.clickhouse.server import UNKNOWN_DATABASE, Client, ServerRefused

# Neither the ledger nor clickhouse-migrations' table is content.
_TABLES = """
SELECT database, name, toString(uuid), engine FROM system.tables
WHERE database NOT IN ('system', 'information_schema', 'INFORMATION_SCHEMA')
  AND name NOT IN ('provision_ledger', 'provision_backfill') AND NOT (name = {peer} AND database = {database})
"""
_COLUMNS = "SELECT database, table, name FROM system.columns WHERE (database, table) IN ({names})"
# They hold nothing of their own, or what they hold is made again from their source.
_HOLD_NOTHING = ("View", "Dictionary", "LiveView", "WindowView")
# What they are told, they do to another table.
_STAND_FOR_OTHERS = ("Distributed", "Alias", "Buffer", "Merge")


@dataclass(frozen=True, slots=True)
class LossTable:
    name: Name
    uuid: str
    engine: str


@dataclass(frozen=True, slots=True)
class TablesBefore:
    """Every table of the server at some time, by its name."""

    tables: Mapping[Name, LossTable]

    @property
    def uuids(self) -> frozenset[str]:
        return frozenset(each.uuid for each in self.tables.values() if each.uuid != NIL)

    def of(self, database: str) -> Iterator[LossTable]:
        return (each for name, each in self.tables.items() if name.database == database)

    def lost(self, loss: StatementLoss) -> list[LossTable]:
        """The tables that a loss is about, as they are called now."""
        if loss.name is None:
            return list(self.tables.values())
        if not loss.name.name:
            return [each for each in self.of(loss.name.database) if each.engine not in _HOLD_NOTHING]
        found = self.tables.get(loss.name)
        if found is None or found.engine in _HOLD_NOTHING:
            return []
        if found.engine == "MaterializedView" and not self._has_rows(found):
            return []
        return [found]

    def _has_rows(self, view: LossTable) -> bool:
        """Whether a materialized view keeps its rows itself."""
        inner = f".inner_id.{view.uuid}" if view.uuid != NIL else f".inner.{view.name.name}"
        return Name(view.name.database, inner) in self.tables


def content(client: Client, peer: str) -> TablesBefore:
    """What is there now; nothing where the database itself is still to be made."""
    try:
        rows = client.rows(_TABLES.format(peer=literal(peer), database=literal(client.database)))
    except ServerRefused as error:
        if error.number != UNKNOWN_DATABASE:
            raise
        rows = []
    return TablesBefore(
        {Name(database, name): LossTable(Name(database, name), *rest) for database, name, *rest in rows}
    )


def within(loss: StatementLoss, database: str) -> StatementLoss:
    """The loss with the database that its name lies in."""
    return loss._replace(name=loss.name.within(database)) if loss.name is not None else loss


class ClickhouseLossGuard:
    """What was there when a run began, and which columns it made since."""

    def __init__(self, client: Client, peer: str) -> None:
        self._client, self._peer = client, peer
        self._before = content(client, peer)
        self._made: set[tuple[Name, str]] = set()

    def loses(self, statement: ParsedStatement) -> str | None:
        """What the statement would lose of it if it was sent now, in plain words."""
        if not statement.losses or not self._before.tables:
            return None
        now = content(self._client, self._peer)
        listed = (within(each, self._client.database) for each in statement.losses)
        return "; ".join(each.words for each in listed if self._was_there(each, now)) or None

    def sent(self, statement: ParsedStatement) -> None:
        """Remember the columns that a statement made. After a rename, a name may mean something else."""
        if statement.renames or any(word in statement.text.upper() for word in ("REPLACE", "RENAME", "EXCHANGE")):
            self._made.clear()
            return
        for table, column in statement.adds:
            self._made.add((table.within(self._client.database), column))

    def _was_there(self, loss: StatementLoss, now: TablesBefore) -> bool:
        if loss.column and loss.name is not None and (loss.name, loss.column) in self._made:
            return False
        return any(self._is_old(each) for each in now.lost(loss))

    def _is_old(self, table: LossTable) -> bool:
        if table.engine in _STAND_FOR_OTHERS:
            return True
        if table.uuid == NIL:  # of a database that keeps none: a name is all there is
            return any(self._before.of(table.name.database))
        return table.uuid in self._before.uuids


class Foreseen:
    """The losses of statements in order against what is there now; what they make themselves before is none."""

    def __init__(self, client: Client, peer: str, listed: Iterable[ParsedStatement]) -> None:
        self._database = client.database
        self._now = content(client, peer)
        names = {
            each.name.within(client.database) for one in listed for each in one.losses if each.name and each.column
        }
        names |= set(self._now.tables) if any(one.renames for one in listed) and names else set()
        there = ", ".join(f"({literal(each.database)}, {literal(each.name)})" for each in names)
        rows = client.rows(_COLUMNS.format(names=there)) if names and self._now.tables else []
        self._columns = {(Name(database, table), column) for database, table, column in rows}
        self._first: dict[Name, Name | None] = {}  # a name → the one that its table has now, None: made in between
        self._first_column: dict[tuple[Name, str], str | None] = {}

    def of(self, statement: ParsedStatement) -> list[str]:
        """What the next statement loses, in plain words."""
        found = [each.words for each in statement.losses if self._is_there(within(each, self._database))]
        for each in statement.renames:
            self._rename(each.old.within(self._database), each.new.within(self._database), swap=each.swap)
            if each.column:
                table = self._named(each.old.within(self._database)) or each.old
                first = self._first_column.get((table, each.column), each.column)
                self._first_column[table, each.becomes], self._first_column[table, each.column] = first, None
        for loss in statement.losses:
            if statement.verb in ("drop", "create", "replace") and loss.name is not None:
                self._first[loss.name.within(self._database)] = None
        return found

    def _named(self, name: Name) -> Name | None:
        return self._first.get(name, name)

    def _rename(self, old: Name, new: Name, *, swap: bool) -> None:
        if old == new:
            return
        if not old.name:  # a whole database
            for each in list(self._now.of(old.database)):
                self._rename(each.name, Name(new.database, each.name.name), swap=swap)
            return
        first, other = self._named(old), self._named(new)
        self._first[new], self._first[old] = first, other if swap else None

    def _is_there(self, loss: StatementLoss) -> bool:
        if loss.name is None or not loss.name.name:
            return any(True for _ in self._now.lost(loss)) or self._moved_into(loss)
        first = self._named(loss.name)
        if first is None or not self._now.lost(loss._replace(name=first)):
            return False
        column = self._first_column.get((first, loss.column), loss.column)
        return not loss.column or (column is not None and (first, column) in self._columns)

    def _moved_into(self, loss: StatementLoss) -> bool:
        inside = loss.name.database if loss.name is not None else ""
        return any(name.database == inside and first is not None for name, first in self._first.items())


def foreseen(client: Client, peer: str, steps: Sequence[tuple[str, Sequence[ParsedStatement]]]) -> dict[str, list[str]]:
    """Id → what the step loses, in plain words, for steps in order."""
    listed = [each for _, statements in steps for each in statements]
    if not any(each.losses for each in listed):
        return {}
    known = Foreseen(client, peer, listed)
    return {name: [words for each in statements for words in known.of(each)] for name, statements in steps}
