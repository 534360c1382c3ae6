"""Tries migration files before a run, in stores whose files are more than what reading them shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from provision.errors import ProvisionError, raise_all
from provision.model import Step
from provision.ports import Store, Trying


def failing(store: Store, steps: Sequence[Step], *, imports: bool = True) -> Sequence[ProvisionError]:
    """What would stop the steps of one store whatever its server holds."""
    return store.tried(steps, imports=imports) if steps and isinstance(store, Trying) else ()


def try_files(stores: Mapping[str, Store], steps: Sequence[Step], *, imports: bool = True) -> None:
    """Raises every ConfigError that the steps would end with because of their files, together."""
    lanes = {name: [step for step in steps if step.revision.store == name] for name in stores}
    raise_all([error for name, lane in lanes.items() for error in failing(stores[name], lane, imports=imports)])
