"""A copy of this project with all six stores."""

from __future__ import annotations

import shutil
import tomllib
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
    settings = folder / "provision.toml"
    known = tomllib.loads(settings.read_text(encoding="utf-8"))["stores"]
    with settings.open("a", encoding="utf-8") as file:
        file.writelines(f"\n[stores.{name}]\n" for name in STORES if name not in known)
    return folder
