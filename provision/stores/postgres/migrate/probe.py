"""Tells what became of a statement that ran outside a transaction, and clears our own INVALID leftovers."""

from __future__ import annotations

import re

import psycopg

from provision.model import State
from provision.model.statements import Fate, Outcome
from provision.stores.postgres.server import Connection

_NAME = r'(?:"(?:[^"]|"")+"|\w+)(?:\.(?:"(?:[^"]|"")+"|\w+))?'
_CREATE = re.compile(
    rf"\s*create\s+(?P<unique>unique\s+)?index\s+concurrently\s+(?:if\s+not\s+exists\s+)?(?P<index>{_NAME})\s+"
    rf"on\s+(?:only\s+)?(?P<table>{_NAME})(?P<rest>.*)",
    re.IGNORECASE | re.DOTALL,
)
_DROP = re.compile(rf"\s*drop\s+index\s+concurrently\s+(?:if\s+exists\s+)?(?P<index>{_NAME})", re.IGNORECASE)
_ADD_VALUE = re.compile(
    rf"\s*alter\s+type\s+(?P<type>{_NAME})\s+add\s+value\s+(?:if\s+not\s+exists\s+)?'(?P<value>(?:[^']|'')*)'",
    re.IGNORECASE,
)
_AGAIN = re.compile(r"\s*(?:reindex|refresh|vacuum|analyze|cluster|checkpoint|select|set|reset)\b", re.IGNORECASE)
_NOT_DONE = Fate(Outcome.NOT_DONE)


def probe(connection: Connection, state: State) -> Fate:
    """The fate of the statement named by the last boundary of an open attempt."""
    boundary = state.events[-1]
    preceding = boundary.detail.get("preceding")
    known = "trail" in boundary.detail
    if known and not boundary.detail.get("text"):
        return Fate(Outcome.NOT_DONE, "what follows was sent in a transaction that was not committed")
    if preceding and not known:
        reason = f"{preceding} statements before it in the same revision are committed, and cannot be held back"
        return Fate(Outcome.CANNOT_TELL, reason)
    text = str(boundary.detail.get("text", ""))
    if created := _CREATE.match(text):
        return _created(connection, created)
    if dropped := _DROP.match(text):
        there = _validity(connection, dropped["index"]) is not None
        return _NOT_DONE if there else Fate(Outcome.DONE, f"index {dropped['index']} is gone")
    if added := _ADD_VALUE.match(text):
        return _value_added(connection, added)
    if _AGAIN.match(text):
        return _NOT_DONE
    return Fate(Outcome.CANNOT_TELL, "provision has no way to look up the effect of this statement")


def drop_invalid(connection: Connection, statement: str) -> None:
    """Drop the INVALID index that an earlier attempt at the same CREATE INDEX CONCURRENTLY left behind."""
    created = _CREATE.match(statement)
    if created and _validity(connection, created["index"]) is False:
        # By server rules the index lives in its table's schema, whatever the search path says.
        schema = created["table"].rpartition(".")[0]
        name = f"{schema}.{created['index']}" if schema else created["index"]
        connection.execute(f"drop index concurrently if exists {name}".encode())


def _created(connection: Connection, created: re.Match[str]) -> Fate:
    valid = _validity(connection, created["index"])
    if valid is None or valid is False:
        return _NOT_DONE
    found = _definition(connection, created["index"])
    expected = _expected(connection, created)
    if expected is None or _shape(found) == _shape(expected):
        return Fate(Outcome.DONE, f"index {created['index']} is valid")
    return Fate(Outcome.DIFFERENT, f"index {created['index']} exists as: {found}")


def _validity(connection: Connection, index: str) -> bool | None:
    row = connection.execute("select indisvalid from pg_index where indexrelid = to_regclass(%s)", (index,)).fetchone()
    return None if row is None else bool(row[0])


def _definition(connection: Connection, index: str) -> str:
    row = connection.execute("select pg_get_indexdef(to_regclass(%s))", (index,)).fetchone()
    return str(row[0]) if row else ""


def _expected(connection: Connection, created: re.Match[str]) -> str | None:
    """The definition the statement makes, tried on an empty temporary copy of the table in a transaction undone."""
    unique = created["unique"] or ""
    try:
        with connection.transaction(force_rollback=True):
            connection.execute(f"create temporary table provision_probe (like {created['table']})".encode())
            connection.execute(
                f"create {unique}index provision_probe_index on pg_temp.provision_probe{created['rest']}".encode()
            )
            return _definition(connection, "pg_temp.provision_probe_index")
    except psycopg.Error:
        return None  # no right to make temporary tables: the valid index of that name has to do


def _shape(definition: str) -> str:
    """A definition without the names of index and table."""
    return re.sub(rf"INDEX {_NAME} ON (?:ONLY )?{_NAME} ", "INDEX ON ", definition)


def _value_added(connection: Connection, added: re.Match[str]) -> Fate:
    value = added["value"].replace("''", "'")
    row = connection.execute(
        "select 1 from pg_enum where enumtypid = to_regtype(%s) and enumlabel = %s", (added["type"], value)
    ).fetchone()
    return Fate(Outcome.DONE, f"type {added['type']} has the value") if row else _NOT_DONE
