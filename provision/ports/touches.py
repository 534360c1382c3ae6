"""What `commutes` and plan files ask of a kind of store: what its revisions touch. Nothing here reaches a server."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from provision.model import Revision, StoreOptions
from provision.model.touches import Touched


class TouchReader(Protocol):
    """`lint/touches.py`: reads from statements and documents what they touch."""

    NEEDS: Sequence[str]
    """The modules that it parses with; without them nothing is known."""

    def touched(
        self, options: StoreOptions, revisions: Sequence[Revision], wanted: Collection[str]
    ) -> Mapping[str, Touched]:
        """Id of each wanted revision → what its way up touches. `revisions` are all of the store, in order."""
