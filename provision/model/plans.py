"""A plan as it is saved: what a reviewer reads, and what must not have moved when it is carried out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class TableLock(NamedTuple):
    """What a step locks: the table, and the mode by the server's own name for it."""

    table: str
    mode: str


class PlannedStep(NamedTuple):
    """One step: `statements` as they are recorded, without secrets, None with the `reason` where none can be shown.

    `destructive` says what it would lose of what was there, `locks` what it would lock; None where its kind of store
    cannot tell. `touches` are the parts of the store that its statements name, `unknown` why these may not be all.
    """

    id: str
    description: str
    checksum: str
    statements: tuple[str, ...] | None
    reason: str = ""
    destructive: tuple[str, ...] = ()
    locks: tuple[TableLock, ...] | None = None
    touches: tuple[str, ...] = ()
    unknown: str = ""


class ObjectDigests(NamedTuple):
    """The objects of one store that a plan touches, as they were: name in the snapshot → SHA-256 of the definition.

    `names` are what was looked for, so that what appears later is seen too; None: every object of the store.
    """

    names: tuple[str, ...] | None
    digests: Mapping[str, str]


class SavedPlan(NamedTuple):
    """Everything that `plan --out` writes; the same for the same files and databases, on whatever machine."""

    project: str
    environment: str
    steps: tuple[PlannedStep, ...]
    held: Mapping[str, tuple[str, ...]]
    digest: Mapping[str, str]
    basis: Mapping[str, Mapping[str, str]]
    objects: Mapping[str, ObjectDigests]
