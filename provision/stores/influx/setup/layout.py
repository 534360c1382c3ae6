"""The folder of Influx documents: found where there is one, else made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from provision.documents import folder

FOLDER = "influx"
FILES = folder.FILES


def found(root: Path) -> Mapping[str, str] | None:
    """The key `path` when documents lie in `root` already, or None."""
    return folder.found(root, FOLDER)


def start(root: Path) -> Sequence[Path]:
    """Make the empty folder. Raises OSError."""
    return folder.start(root, FOLDER)
