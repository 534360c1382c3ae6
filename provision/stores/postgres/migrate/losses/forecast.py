"""Foretells what steps lose: from their text alone, or against what the database holds now."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterator, Mapping, Sequence

from provision.errors import ConfigError
from provision.model import Direction, Step, StoreOptions
from provision.stores.postgres.migrate import repeatable
from provision.stores.postgres.migrate.losses import targets
from provision.stores.postgres.migrate.losses.file_effects import effects_of
from provision.stores.postgres.migrate.losses.loss import Effect, Loss, Rename, Takes, as_before, before
from provision.stores.postgres.migrate.losses.statement import read
from provision.stores.postgres.migrate.version_table import DEFAULTS, version_table
from provision.stores.postgres.server import Connection
from provision.text.files import read_text

_FUNCTION = {Direction.UP: "upgrade", Direction.DOWN: "downgrade"}
_WORDS = re.compile(r"drop|truncate|rename|new_column_name|lo_unlink|set\s+schema|(?<!on)(?<!on )delete", re.IGNORECASE)
_BY_AUTHOR = "its author says that it loses data"
# Of names without a schema, in any: env.py may set another search path than ours.
_THERE = """
select n.nspname::text, c.relname::text, a.attname::text from pg_class c join pg_namespace n on n.oid = c.relnamespace
left join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attname = any(%(columns)s)
where c.relname = any(%(tables)s) and c.relkind in ('r', 'p', 'f', 'S', 'v') and left(n.nspname, 3) <> 'pg_'
"""


def losses(options: StoreOptions, step: Step) -> tuple[str, ...]:
    """Why a step can lose data, in plain words; empty when nothing in its text says so."""
    found = tuple(dict.fromkeys(str(each) for each in as_before(effects(options, step))))
    return found or ((_BY_AUTHOR,) if _is_declared(step) else ())


def losses_of(options: StoreOptions, steps: Sequence[Step], connection: Connection) -> Mapping[str, Sequence[str]]:
    """The same of several steps in order, without what is not there now: they make that themselves before."""
    listed = list(_in_order(options, steps))
    declared = [step for step in steps if _is_declared(step)]
    if not (listed or declared):
        return {}
    content = targets.found(connection, version_table(options))
    there = _There(content, connection, [loss for _, loss in listed])
    found: dict[str, dict[str, None]] = {}
    for step, loss in listed:
        if there.has(loss):
            found.setdefault(step.id, {})[str(loss)] = None
    for step in declared:
        if content.relations and not any(each is step for each, _ in listed):
            found.setdefault(step.id, {})[_BY_AUTHOR] = None
    return {name: tuple(why) for name, why in found.items()}


def effects(options: StoreOptions, step: Step) -> list[Effect]:
    """What a step loses and renames, in order. Raises ConfigError (bad-header) for a file that is not Python."""
    path = step.revision.path
    text = read_text(os.path.join(options.root, path), path)  # of thousands: a Path costs as much as reading
    if step.revision.repeatable:
        found = list(read(repeatable.sql(options, step)).effects)
    elif _harmless(text, step.direction):
        return []
    else:
        found = effects_of(_parsed(text, path), _FUNCTION[step.direction])
    table = version_table(options).get("version_table") or DEFAULTS["version_table"]
    return [each for each in found if isinstance(each, Rename) or each.name[-1:] != (table,)]


def _in_order(options: StoreOptions, steps: Sequence[Step]) -> Iterator[tuple[Step, Loss]]:
    """Each loss under the name that it has before the first step."""
    renames: list[Rename] = []
    for step in steps:
        for effect in effects(options, step):
            if isinstance(effect, Rename):
                renames.append(effect)
            elif (found := before(effect, renames)) is not None:
                yield step, found


class _There:
    """What of the named tables and columns is there."""

    def __init__(self, before: targets.DatabaseContent, connection: Connection, listed: Sequence[Loss]) -> None:
        self._before, self._connection = before, connection
        names = {
            "tables": [each.name[-1] for each in listed if each.readable and each.name],
            "columns": [each.column for each in listed],
        }
        rows = connection.execute(_THERE, names).fetchall() if listed and before.relations else []
        self._tables = {each for schema, table, _ in rows for each in ((table,), (schema, table))}
        self._columns = {(*each, column) for schema, table, column in rows for each in ((table,), (schema, table))}

    def has(self, loss: Loss) -> bool:
        if not self._before.relations:
            return loss.takes in (Takes.DATABASE, Takes.LARGE_OBJECTS) and self._elsewhere(loss)
        if loss.takes is Takes.COLUMN and loss.readable:
            return (*loss.name, loss.column) in self._columns
        if loss.takes in (Takes.TABLE, Takes.ROWS, Takes.EVERY_ROW, Takes.SEQUENCE) and loss.readable:
            return loss.name in self._tables
        return self._elsewhere(loss)

    def _elsewhere(self, loss: Loss) -> bool:
        """Of a whole schema, database or role, of a type, and of names that cannot be read."""
        if not loss.readable:
            return bool(self._before.relations)
        rows = self._connection.execute(targets.question([loss]).encode()).fetchall()
        return bool(targets.taken([loss], rows, self._before))


def _is_declared(step: Step) -> bool:
    return step.revision.destructive and step.direction is Direction.UP


def _harmless(text: str, direction: Direction) -> bool:
    """True when no word that could lose something is outside the function of the other direction.

    Spares reading most revisions as Python.
    """
    other = _FUNCTION[Direction.DOWN if direction is Direction.UP else Direction.UP]
    if text.count(other) == 1:
        text = re.sub(rf"^def {other}\(.*?(?=^\S|\Z)", "", text, count=1, flags=re.MULTILINE | re.DOTALL)
    return _WORDS.search(text) is None


def _parsed(text: str, shown: str) -> ast.Module:
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None) or 1
        raise ConfigError("bad-header", f"{shown} is not Python: {error}", where=f"{shown}:{line}") from None
