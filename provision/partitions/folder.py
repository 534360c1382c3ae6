"""The folder of a project's partitioned tables, looked at without reading one."""

from __future__ import annotations

from pathlib import Path

from provision.text import files

FOLDER = "partitions"


def found(root: Path) -> dict[str, Path]:
    """Every document by name, in order. Raises ConfigError (unreadable-file, not-a-file, outside-project)."""
    return {path.stem: path for path in files.inside(root / FOLDER, "*.yaml", root)}
