"""Which statements of a step are committed, in their order: a later attempt sends none of them again."""

from __future__ import annotations

import re
from collections.abc import Iterable
from hashlib import sha256

from provision.errors import RefusedError
from provision.model import Event, EventKind, Step

# Sent again whenever the revision is carried out again; the transaction is read only while all of it is done already.
_READS = re.compile(r"\s*(?:select|show|set|reset|explain|values|table|with)\b", re.IGNORECASE)


class Trail:
    """The statements of one attempt at a step, numbered as the ledger has them: what only reads is not counted.

    The first `done` of them were done by earlier attempts, and `commits` transactions. `complete`: each statement so
    far can be held back when the revision is carried out again.
    """

    def __init__(self, step: Step, first: int | None, earlier: Iterable[Event]) -> None:
        self.done, self.count, self.commits = (first or 1) - 1, 0, 0
        self.at = 1  # the statement in hand
        self.resumed, self.complete = first is not None, True
        self.noted, self.before, self._digest = self.done, "", ""
        self._step = step
        self._known: dict[int, object] = {}
        self._committed = 0
        if self.resumed:
            self._read(earlier)

    def take(self, text: str) -> bool:
        """Count a statement; True when an earlier attempt did it. Raises RefusedError (changed-half-way)."""
        self.count += 1
        self.at, self.before = self.count, self._digest
        self._digest = sha256(f"{self._digest}\n{text}".encode()).hexdigest()[:16]
        if self.count > self.done:
            return False
        if self._known.get(self.count, self._digest) != self._digest:
            raise self._changed(f"its statement {self.count} is not the one that ran")
        return True

    def passes(self, text: str) -> bool:
        """Whether the text only reads, so that it is sent in every attempt."""
        reads = _READS.match(text) is not None
        self.at = self.count + 1 if reads else self.at
        return reads

    @property
    def behind(self) -> bool:
        """Whether anything of the step was committed by an earlier attempt."""
        return self.done > 0 or self._committed > 0

    @property
    def kept(self) -> str:
        """What is committed, where that is known not to be all that is before the statement in hand."""
        if not self.complete or not self.noted or self.at == self.noted + 1:
            return "statements before it are committed"
        return f"statement{f's 1 to {self.noted} are' if self.noted > 1 else ' 1 is'} committed"

    @property
    def repeats(self) -> bool:
        """Whether the transaction in hand is one that an earlier attempt committed."""
        return self.count < self.done or self.commits < self._committed

    def ended(self) -> None:
        """Look, at the end of the revision, whether it still has what was done. Raises RefusedError."""
        if self.count < self.done:
            raise self._changed(f"it has {self.count} statements now, and {self.done} are done")

    def detail(self, number: int, sent: int, *, begins: bool) -> dict[str, object]:
        """What a boundary before statement `number` keeps: `begins` says that this one is about to be sent.

        Without a trail, what precedes it keeps a later attempt from being made.
        """
        if not self.complete:
            return {"preceding": max(sent, number - 1)}
        return {"preceding": sent, "trail": self.before if begins else self._digest, "commits": self.commits}

    def cannot_repeat(self) -> RefusedError:
        """The refusal to send again what an earlier attempt committed, where nothing can be sent in its place."""
        revision = self._step.revision
        return RefusedError(
            "dirty",
            f"{revision.title} is half applied, and cannot be carried out again to reach its statement {self.done + 1}",
            where=f"{revision.path}: something before that is sent in a way that cannot be held back",
            fix=f"finish it by hand, then `provision resolve {revision.id} --applied`",
        )

    def _read(self, earlier: Iterable[Event]) -> None:
        for event in earlier:
            if event.revision != self._step.id:
                continue
            boundary = event.kind in (EventKind.STARTED, EventKind.AT)
            goes_on = boundary or (event.kind is EventKind.FAILED and not event.detail.get("rolled_back"))
            if not goes_on or "done_to" in event.detail:
                self._known, self._committed = {}, 0
            trail, number = event.detail.get("trail"), event.statement or 1
            if boundary and trail is not None and number <= self.done + 1 and event.direction is self._step.direction:
                self._known[number - 1] = trail
                self._committed = max(self._committed, int(str(event.detail.get("commits", 0))))

    def _changed(self, how: str) -> RefusedError:
        revision = self._step.revision
        return RefusedError(
            "changed-half-way",
            f"{revision.title} was edited after statements of it were committed, or goes another way now: {how}",
            where=revision.path,
            fix=f"restore the statements that ran and edit only what follows, or settle it:"
            f" `provision resolve {revision.id} --done-to {self.done}` (the edit changes nothing that ran),"
            f" `provision resolve {revision.id} --applied` (nothing more of it is sent) or"
            f" `provision resolve {revision.id} --pending` (it begins again with statement 1)",
        )
