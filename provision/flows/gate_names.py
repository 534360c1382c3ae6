"""Holds the backfills that revisions wait for against the files of the project. Reads no file, reaches no database."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from provision.backfill import folder
from provision.core.graph import BACKFILL
from provision.errors import ConfigError, raise_all
from provision.model import Blocked
from provision.text.nearest import near


def refuse_unknown(root: Path, held: Iterable[Blocked]) -> None:
    """Raise ConfigError (unknown-backfill) for each backfill that is waited for, and that no file is called after."""
    known = folder.found(root)
    missing: dict[str, Blocked] = {}
    for each in held:
        for gate in each.waits_for:
            if gate.removeprefix(BACKFILL) not in known:
                missing.setdefault(gate, each)
    raise_all([_unknown(gate, each, list(known)) for gate, each in missing.items()])


def commands(held: Iterable[Blocked], environment: str | None) -> list[str]:
    """The command that runs each backfill which is waited for, in the order of the revisions."""
    gates = dict.fromkeys(gate.removeprefix(BACKFILL) for each in held for gate in each.waits_for)
    named = f" --env {environment}" if environment else ""
    return [f"provision backfill run {gate}{named}" for gate in gates]


def _unknown(gate: str, held: Blocked, known: Sequence[str]) -> ConfigError:
    name = gate.removeprefix(BACKFILL)
    what = f"{held.step.id} waits for {gate}, and there is no backfills/{name}.yaml"
    return ConfigError("unknown-backfill", what, where=held.step.revision.path, fix=near(name, known, "known"))
