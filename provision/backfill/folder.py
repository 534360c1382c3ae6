"""The folder of a project's backfills, looked at without reading one."""

from __future__ import annotations

from pathlib import Path

from provision.errors import ConfigError
from provision.text import files

FOLDER = "backfills"


def found(root: Path) -> dict[str, Path]:
    """Every backfill of a project by name, in order. Raises ConfigError (duplicate-backfill)."""
    named: dict[str, Path] = {}
    for path in sorted([*files.inside(root / FOLDER, "*.yaml", root), *files.inside(root / FOLDER, "*.py", root)]):
        if path.stem in named:
            what = f"two files are backfill {path.stem}"
            where = f"{FOLDER}/{named[path.stem].name}, {FOLDER}/{path.name}"
            raise ConfigError("duplicate-backfill", what, where=where, fix="rename one of them")
        named[path.stem] = path
    return named
