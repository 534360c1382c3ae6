"""What each step locks of the tables that are there now, by the text of its statements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from provision.model import Step, StoreOptions
from provision.model.plans import TableLock
from provision.stores.postgres.migrate import repeatable
from provision.stores.postgres.migrate.describe import plain
from provision.stores.postgres.migrate.table_locks import MODES, Need, every_need, question
from provision.stores.postgres.migrate.version_table import DEFAULTS, version_table
from provision.stores.postgres.server import Connection


def locks(options: StoreOptions, steps: Sequence[Step], connection: Connection) -> Mapping[str, Sequence[TableLock]]:
    """Id → the tables that it locks, in the strongest mode that one of its statements takes.

    Of tables that the steps make themselves nothing is said: nobody waits for those. A step whose statements cannot be
    shown without a database has no entry.
    """
    table = str(version_table(options).get("version_table") or DEFAULTS["version_table"])
    found = {}
    for step in steps:
        texts = [repeatable.sql(options, step)] if step.revision.repeatable else plain(options, [step])
        if any(each.strip() for each in texts):
            found[step.id] = _asked([need for text in texts for need in every_need(text, table)], connection)
    return found


def _asked(listed: Sequence[Need], connection: Connection) -> Sequence[TableLock]:
    if not listed:
        return ()
    rows = connection.execute(question(list(dict.fromkeys(listed))).encode()).fetchall()
    return tuple(TableLock(str(name), MODES[mode]) for name, mode in sorted(rows))
