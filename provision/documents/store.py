"""What a store of documents is whatever its server: its revisions, its connection, the parts that it has not."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from provision.documents import outline
from provision.errors import ProvisionError, UnreachableError
from provision.model import Contact, Direction, Revision, Step, StoreOptions
from provision.model.statements import Description
from provision.ports import Lane, Leases, Leftovers, Marked, Peer, Repeatables, Statements

if TYPE_CHECKING:
    from provision.documents.source import Documents
    from provision.ports.backfill import Batches
    from provision.ports.validate import Checks, History


class Closable(Protocol):
    def close(self) -> None: ...


Server = TypeVar("Server", bound=Closable)


class DocumentStore(ABC, Generic[Server]):
    """A kind adds how to connect, its ledger and its statements; every part is imported when it is asked for."""

    lane: Lane | None = None
    repeatables: Repeatables | None = None
    peer: Peer | None = None

    def __init__(self, options: StoreOptions, documents: Callable[[], Documents]) -> None:
        self.name = options.name
        self.kind = options.kind
        self.options = options
        self._documents = documents
        self._outlines: Sequence[outline.Outline] | None = None
        self._open: Server | None = None

    @cached_property
    def documents(self) -> Documents:
        """The documents, read when something of them is asked for."""
        return self._documents()

    @property
    @abstractmethod
    def statements(self) -> Statements | None: ...

    @property
    def leases(self) -> Leases | None:
        return None

    @property
    def marked(self) -> Marked | None:
        return None

    @property
    def leftovers(self) -> Leftovers | None:
        return None

    @property
    def checks(self) -> Checks | None:
        return None

    @property
    def history(self) -> History | None:
        return None

    @property
    def batches(self) -> Batches | None:
        return None

    @abstractmethod
    def connect(self, url: str) -> Server:
        """The open server. Raises UnreachableError or ConfigError."""

    @abstractmethod
    def contact(self, server: Server) -> Contact:
        """What it is. Raises ConfigError when it lacks something that the documents use."""

    def prepare(self) -> None:
        """Nothing to make: a server has its databases, or documents make them."""

    def open(self, url: str) -> Contact:
        """Connect. Raises UnreachableError, or ConfigError, as `connect` and `contact` do."""
        try:
            server = self.connect(url)
        except ProvisionError as error:
            error.where = f"{self.name}: {error.where}" if error.where else self.name
            raise
        self.close()
        self._open = server
        try:
            return self.contact(server)
        except ProvisionError:
            self.close()
            raise

    def close(self) -> None:
        if self._open is not None:
            self._open.close()
            self._open = None

    def server(self) -> Server:
        """The open server. Raises UnreachableError (not-open)."""
        if self._open is None:
            raise UnreachableError("not-open", f"{self.name} was not opened", where=self.name)
        return self._open

    def revisions(self) -> Sequence[Revision]:
        """Every document as a revision, in the order of their numbers.

        Raises ConfigError, or Several, for everything that is wrong in any file.
        """
        return self.documents.revisions()

    def outline(self) -> Sequence[Revision] | None:
        """Every document as a revision without its operations; None where they have to be read for that."""
        self._outlines = outline.outlines(self.options)
        return None if self._outlines is None else outline.revisions(self.name, self._outlines)

    def using(self, names: Collection[str]) -> Sequence[str]:
        """Where an operation of these names is written, up or down: `file:line`, in order."""
        if self._outlines is not None and not any(each.may_use(names) for each in self._outlines):
            return ()
        return self.documents.using(names)

    def describe(self, steps: Sequence[Step]) -> Sequence[Description]:
        """The operations of each step as they are sent."""
        return [self._described(step) for step in steps]

    def texts(self, step: Step) -> Sequence[str]:
        """What a step sends, in order; a store that has a lane says it itself. Raises ConfigError (irreversible)."""
        return [each.text for each in self.statements.of(step)] if self.statements is not None else []

    def losses(self, step: Step) -> tuple[str, ...]:
        """What the operations of the step can lose; nothing for a step with no way down, which is never run."""
        if barred(step):
            return ()
        return tuple(loss for _, loss in self.documents.operations(step) if loss)

    def _described(self, step: Step) -> Description:
        if barred(step):
            return Description(step, None, f"there is no way down: {step.revision.irreversible}")
        return Description(step, tuple(self.texts(step)), destructive=self.losses(step))


def barred(step: Step) -> bool:
    """True for a step that is never run, since there is no way down."""
    return step.direction is Direction.DOWN and step.revision.irreversible is not None
