"""The SQL of steps as Alembic writes it offline."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from io import StringIO
from typing import Any

from provision.model import Direction, Step, StoreOptions
from provision.stores.postgres.migrate import alembic as engine
from provision.text.raised import raised


def rendered(options: StoreOptions, directory: Any, steps: Sequence[Step]) -> tuple[list[str], str]:
    """The SQL of the steps up to the first that needs a database, and what that one said."""
    buffer, pieces = StringIO(), list[str]()

    def fn(_heads: Any, _context: Any) -> Iterator[Any]:
        for step in steps:
            buffer.seek(0)
            buffer.truncate()
            yield engine.step(directory, step.revision.number, step.direction)
            pieces.append(buffer.getvalue())

    try:
        engine.render(options, directory, fn, buffer, _before(steps[0]))
    except Exception as error:  # a revision is code: without a database it may raise anything
        return pieces, f"cannot be shown offline: {raised(error)}"
    return pieces, "cannot be shown offline"


def _before(step: Step) -> tuple[str, ...]:
    """The head that Alembic must believe the database to be at, offline, for the step to be possible."""
    if step.direction is Direction.DOWN:
        return (step.revision.number,)
    return tuple(parent.split("/", 1)[1] for parent in step.revision.parents)
