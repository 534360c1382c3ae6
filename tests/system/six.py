"""A copy of this project with all six stores."""

from __future__ import annotations

import shutil
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
STORES = ("postgres", "clickhouse", "redis", "influx", "weaviate", "arango")


def copied(folder: Path) -> Path:
    """Copy the project's files into a folder."""
    for name in ("alembic", "alembic.ini", "provision.toml", *STORES[1:]):
        source = REPOSITORY / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder / name)
    return folder
