"""A plugin of Alembic: `alembic revision --autogenerate` and `alembic check` do not see the tables of provision.

An env.py with `include_schemas=True` compares every schema of the database with the application's models, and would
drop what they do not name: the ledger and the run lock. Alembic ≥ 1.18 loads the plugin by its entry point.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from alembic.runtime.plugins import Plugin

SCHEMA = "provision"


def setup(plugin: Plugin) -> None:
    """What Alembic calls once, as it is imported."""
    from alembic.util import DispatchPriority, PriorityDispatchResult

    def hide(_context: Any, _operations: Any, schemas: set[str | None]) -> PriorityDispatchResult:
        schemas.discard(SCHEMA)
        return PriorityDispatchResult.CONTINUE

    plugin.add_autogenerate_comparator(hide, "schema", priority=DispatchPriority.FIRST)
