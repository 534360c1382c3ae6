"""`analyze`: statistics of tables, of partitioned ones above all, which autovacuum leaves alone."""

from __future__ import annotations

from collections.abc import Sequence

from provision.model.maintain import Job, Task
from provision.stores.postgres.maintain.names import relations
from provision.stores.postgres.server import Connection


def analyses(connection: Connection, job: Job) -> Sequence[Task]:
    """A statement a table: what fails of one leaves the others. Raises ConfigError: see `relations`."""
    found = relations(connection, job, job.body, "rpm")
    return [Task(f"analyze {each.name}", f"ANALYZE {each.place}") for each in found]
