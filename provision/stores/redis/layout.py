"""The folder of Redis documents: found where there is one, else made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

FOLDER = "redis"
FILES = "*.yaml"


def found(root: Path) -> Mapping[str, str] | None:
    """The key `path` when documents lie in `root` already, or None."""
    return {"path": FOLDER} if any((root / FOLDER).glob("[0-9]*_*.yaml")) else None


def start(root: Path) -> Sequence[Path]:
    """Make the empty folder. Raises OSError."""
    keep = root / FOLDER / ".gitkeep"
    keep.parent.mkdir(exist_ok=True)
    keep.touch()
    return [keep]
