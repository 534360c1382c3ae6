"""The part of a store that follows from its documents alone, whatever its server."""

from __future__ import annotations

from collections.abc import Sequence

from provision.documents.source import Documents
from provision.model import Description, Direction, Revision, Step, StoreOptions
from provision.ports import Lane, Leftovers, Marked, Peer, Repeatables, Statements
from provision.ports.batches import Batches
from provision.ports.checks import Checks, History


class DocumentStore:
    """Revisions, descriptions and losses; a kind adds its connection, ledger and statements."""

    lane: Lane | None = None
    repeatables: Repeatables | None = None
    peer: Peer | None = None
    marked: Marked | None = None
    leftovers: Leftovers | None = None
    checks: Checks | None = None
    history: History | None = None
    batches: Batches | None = None
    statements: Statements | None

    def __init__(self, options: StoreOptions, documents: Documents) -> None:
        self.name = options.name
        self.kind = options.kind
        self.options = options
        self.documents = documents

    def revisions(self) -> Sequence[Revision]:
        """Every document as a revision, in the order of their numbers.

        Raises ConfigError, or Several, for everything that is wrong in any file.
        """
        return self.documents.revisions()

    def describe(self, steps: Sequence[Step]) -> Sequence[Description]:
        """The operations of each step as they are sent."""
        return [self._described(step) for step in steps]

    def losses(self, step: Step) -> tuple[str, ...]:
        """What the operations of the step can lose; nothing for a step with no way down, which is never run."""
        if _barred(step):
            return ()
        return tuple(loss for _, loss in self.documents.operations(step) if loss)

    def _described(self, step: Step) -> Description:
        if _barred(step) or self.statements is None:
            return Description(step, None, f"there is no way down: {step.revision.irreversible}")
        texts = tuple(each.text for each in self.statements.of(step))
        return Description(step, texts, destructive=self.losses(step))


def _barred(step: Step) -> bool:
    return step.direction is Direction.DOWN and step.revision.irreversible is not None
