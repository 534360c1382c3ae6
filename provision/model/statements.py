"""Statements, and what became of them on a server."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from provision.model.revisions import Step


@dataclass(frozen=True, slots=True)
class Statement:
    """One thing to send: SQL, or one operation of a document.

    `text` is as written (placeholders in place, so that no secret is recorded); `sent` is what goes to the server.
    `destructive` is the reason in plain words when it can lose data.
    """

    text: str
    summary: str
    sent: object = None
    destructive: str | None = None


@dataclass(frozen=True, slots=True)
class Description:
    """What a step will do: its statements, or None with the reason why they cannot be shown."""

    step: Step
    statements: tuple[str, ...] | None
    reason: str = ""
    destructive: tuple[str, ...] = ()


class Found(NamedTuple):
    """What is on a live server, as a document would make it: a message for its name, and its operations in order.

    `left_out` names what no document can make, a line each, and `to_fill` what only a person can say: it stands as
    `null` in an operation. `irreversible` is why there is no way down, else empty. Without operations there is nothing
    to write.
    """

    message: str
    operations: tuple[tuple[str, Mapping[str, object]], ...]
    left_out: tuple[str, ...] = ()
    irreversible: str = ""
    to_fill: tuple[str, ...] = ()


class Outcome(StrEnum):
    """What a probe says of a statement that was in flight when its run ended."""

    DONE = "done"  # took effect as written
    NOT_DONE = "not done"  # safe to send (again)
    RUNNING = "running"  # the server still works on it
    DIFFERENT = "different"  # something exists that is not what was written
    CANNOT_TELL = "cannot tell"


class Fate(NamedTuple):
    """A probe's answer; `reason` is a sentence that names the object and what was seen.

    Not `proved`: it may have taken effect as well, and sending it again does no harm.
    """

    outcome: Outcome
    reason: str = ""
    proved: bool = True


class Mark(NamedTuple):
    """The label a statement carries on the server, so that it can be found again: `provision/project/token/revision/i`.

    The project keeps two projects that share a database from waiting for, or stopping, each other's statements.
    """

    project: str
    token: int
    revision: str
    statement: int | None = None

    def __str__(self) -> str:
        tail = "" if self.statement is None else f"/{self.statement}"
        return f"provision/{self.project}/{self.token}/{self.revision}{tail}"

    @classmethod
    def parse(cls, text: str) -> Mark | None:
        """The mark written in `text`, or None when it is not one of ours. A cut-off revision is no obstacle."""
        found = re.fullmatch(r"provision/([^/]+)/(\d+)/([^/]+/[^/]*)(?:/(\d+))?", text)
        return found and cls(found[1], int(found[2]), found[3], int(found[4]) if found[4] else None)


class Running(NamedTuple):
    """A marked statement that a server still works on; `handle` is what cancels it.

    `idle`: of a session that works on nothing now, and whose run may send its next statement at any moment.
    """

    mark: Mark
    seconds: float
    text: str
    handle: str
    idle: bool = False
