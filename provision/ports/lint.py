"""What `lint` asks of a kind of store: its scripts as parsed units. Nothing here reaches a server."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from provision.model import Revision, StoreOptions
from provision.model.lint import Script, World
from provision.model.stats import RevisionCost
from provision.model.trial import RevisionSeen


class LintReader(Protocol):
    """Parses the migrations of one kind, and plain files of it. Its rules lie in the folder `rules` beside it."""

    suffixes: Sequence[str]
    """What plain files of this kind end in, with the dot."""

    needs: Sequence[str]
    """The modules that it parses with, which the extra `lint` brings."""

    reads: Collection[str]
    """Files and folders beyond the store's own that `scripts` looked into."""

    def scripts(self, options: StoreOptions, revisions: Sequence[Revision]) -> Sequence[Script]:
        """The way up of each revision, in order. Must never leave one out: see `Script.not_rendered`."""

    def plain(self, files: Mapping[str, str]) -> Sequence[Script]:
        """Files that belong to no project, in order: the name of each and its text."""

    def world(self) -> World:
        """An empty database."""


class Trial(Protocol):
    """`lint/trial.py`: what statements do to a throw-away database whose tables hold rows."""

    def session(self, options: StoreOptions, url: str) -> TrialSession:
        """To try one file after another. Raises UnreachableError."""

    def fill(self, options: StoreOptions, url: str) -> int:
        """Give every empty table some rows, where that can be; how many tables. Raises UnreachableError."""


class TrialSession(Protocol):
    """Has a session of its own until it is closed."""

    def tried(self, script: Script) -> RevisionSeen:
        """What the way up of a file that is not applied yet does. Leaves nothing behind. Raises UnreachableError."""

    def close(self) -> None:
        """End the session."""


class Costs(Protocol):
    """`lint/cost.py`: what rows cost the statements of a file, on a throw-away database."""

    def cost(self, options: StoreOptions, url: str, script: Script, rows: Mapping[str, int]) -> RevisionCost | None:
        """Measured on sample rows; None where no table that they name is large.

        `rows`: table → how many there are where the file is to run. Leaves nothing behind. Raises UnreachableError.
        """


def shown(options: StoreOptions, revision: Revision) -> tuple[str, Path]:
    """The file of a revision as people read it, and its path."""
    path = Path(revision.path)
    return revision.path, path if path.is_absolute() else options.root / path
