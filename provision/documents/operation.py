"""What every operation of a document can say of itself, whatever its store."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar

from provision.documents import Operation
from provision.model.statements import Statement

Body = Mapping[str, Any]
Earlier = Sequence[Operation]


# What to do about it.
AS_WRITTEN = "make the server as the file says, or write what it should be"


class Stopped(Exception):
    """Raised when what is on the server is not what the file says, or stands in its way. Nothing was altered."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A mistake in a body that its JSON Schema cannot see.

    `key` is the part of the body it is in, or the way to it; an empty way is the body as a whole.
    """

    key: str | tuple[str | int, ...]
    what: str
    fix: str

    @property
    def path(self) -> tuple[str | int, ...]:
        return (self.key,) if isinstance(self.key, str) else self.key


@dataclass(slots=True)
class World:
    """What a server that began empty holds by now; a kind of store adds what its servers hold.

    `place` is where the operation in hand is written, `file:line`.
    """

    place: str = ""


W = TypeVar("W", bound=World)


class OperationKind(ABC, Generic[W]):
    """One operation by its name. It holds no state; a body goes in.

    `schema` is the JSON Schema of the body. One that is `inner` is no author's to write: another is made of it.
    """

    name: ClassVar[str]
    schema: ClassVar[Mapping[str, Any]] = {}
    inner: ClassVar[bool] = False

    @abstractmethod
    def summary(self, body: Body) -> str:
        """What it does, in one line for people."""

    def destructive(self, _body: Body, _earlier: Earlier = ()) -> str | None:
        """What it can lose, in plain words; None when nothing. `earlier` are the operations before it on disk."""
        return None

    def inverse(self, _body: Body) -> tuple[str, Body] | None:
        """Name and body of the operation that undoes it; None when there is none."""
        return None

    def altered(self, _before: Body, _after: Body) -> Sequence[tuple[str, Body]]:
        """Names and bodies of the operations by which what the first body makes becomes what the second one makes.

        None where no operation does that, or what it holds would be lost.
        """
        return ()

    def problems(self, _body: Body) -> Iterable[Problem]:
        """Mistakes that the schema cannot see."""
        return ()

    def effect(self, _world: W, _body: Body) -> Iterable[Problem]:
        """Leave the world as the operation does, and tell what a server would refuse or ignore in it.

        Nothing is asked: what no document made may be there all the same, and is left to the server.
        """
        return ()

    def parts(self, body: Body) -> Sequence[tuple[str, Body]]:
        """Names and bodies of the operations it is carried out as, each a statement with a boundary of its own."""
        return ((self.name, body),)


def renewed(kind: OperationKind[W], before: Body, after: Body) -> Sequence[tuple[str, Body]]:
    """Away with it, and made anew: for what holds nothing that it could not have again."""
    gone = kind.inverse(before)
    return () if gone is None else (gone, (kind.name, after))


def mapping(required: Sequence[str], **properties: Mapping[str, Any]) -> dict[str, Any]:
    """The schema of a body with these keys and no others."""
    return {
        "type": "object",
        "description": "a mapping with the keys of this operation",
        "required": list(required),
        "additionalProperties": False,
        "properties": properties,
    }


def operation_of(statement: Statement) -> Operation:
    """The operation that a statement sends. Raises TypeError for a statement of another sort of store."""
    if not isinstance(statement.sent, Operation):
        raise TypeError(f"not a statement of this store: {statement.summary}")
    return statement.sent
