"""Says what a step will do: its SQL as Alembic writes it offline."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from io import StringIO
from typing import Any

from provision.model import Direction, Step, StoreOptions
from provision.model.statements import Description
from provision.stores.postgres.migrate import alembic as engine
from provision.stores.postgres.migrate import repeatable
from provision.stores.postgres.migrate.lane import ALEMBIC
from provision.stores.postgres.migrate.losses.forecast import losses
from provision.text.raised import raised

PATIENCE = 10.0  # seconds that a lane of another thread, or another description, may keep Alembic
BUSY = "cannot be shown while another run uses Alembic in this process"
# Alembic's own lines: transactions and the version table.
_OWN = re.compile(r"^(?:BEGIN|COMMIT|(?:INSERT INTO|UPDATE|DELETE FROM|CREATE TABLE) \S*alembic_version\b)")


def describe(options: StoreOptions, steps: Sequence[Step]) -> list[Description]:
    """One description a step, with its SQL or the reason why there is none offline. Imports every revision file."""
    versioned = [step for step in steps if not step.revision.repeatable]
    if ALEMBIC.acquire(timeout=PATIENCE):
        try:
            made = _described(options, versioned)
        finally:
            ALEMBIC.release()
    else:
        made = [Description(step, None, BUSY, losses(options, step)) for step in versioned]
    found = {each.step.id: each for each in made}
    return [found[step.id] if step.id in found else _repeatable(options, step) for step in steps]


def _repeatable(options: StoreOptions, step: Step) -> Description:
    return Description(step, (repeatable.sql(options, step).strip(),), "", losses(options, step))


def _described(options: StoreOptions, steps: Sequence[Step]) -> list[Description]:
    directory = engine.scripts(options) if steps else None
    made: list[Description] = []
    while len(made) < len(steps):
        pieces, reason = _rendered(options, directory, steps[len(made) :])
        made += [
            Description(step, _statements(piece), "", losses(options, step))
            for step, piece in zip(steps[len(made) :], pieces, strict=False)
        ]
        if len(made) < len(steps):
            made.append(Description(steps[len(made)], None, reason, losses(options, steps[len(made)])))
    return made


def _rendered(options: StoreOptions, directory: Any, steps: Sequence[Step]) -> tuple[list[str], str]:
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


def _statements(text: str) -> tuple[str, ...]:
    parts = (re.sub(r"^(?:--[^\n]*\n\s*)+", "", part.strip()).strip() for part in re.split(r";\s*(?:\n|$)", text))
    return tuple(part for part in parts if part and not _OWN.match(part) and not part.startswith("--"))
