"""The folder of clickhouse-migrations files: found where there is one, else made."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

FOLDER = "clickhouse"
FILES = "*.sql"
# Where clickhouse-migrations is told to look: its own default is `migrations`, which other tools use too.
PLACES = (FOLDER, "clickhouse_migrations", "clickhouse-migrations", "clickhouse/migrations", "migrations/clickhouse")
SHARED = ("migrations", "db/migrations")
_OURS = re.compile(r"\d+_[^.]+\.sql")
_ENGINE = re.compile(r"\bENGINE\s*=?\s*\w*(?:MergeTree|Log|Memory|Kafka|Distributed)\b", re.IGNORECASE)


def found(root: Path) -> Mapping[str, str] | None:
    """The key `path` for the folder that lies in `root` already, or None. A shared one must mention an engine."""
    for place in (*PLACES, *SHARED):
        files = sorted(each for each in root.glob(f"{place}/*.sql") if _OURS.fullmatch(each.name))
        if files and (place in PLACES or any(_is_clickhouse(each) for each in files)):
            return {"path": place}
    return None


def holds(folder: Path) -> bool:
    """Whether files of clickhouse-migrations lie in the folder."""
    return any(_OURS.fullmatch(each.name) for each in folder.glob("*.sql"))


def start(root: Path, folder: str, _store: str) -> Sequence[Path]:
    """Make the empty folder. Raises OSError."""
    keep = root / folder / ".gitkeep"
    keep.parent.mkdir(parents=True, exist_ok=True)
    keep.touch()
    return [keep]


def _is_clickhouse(path: Path) -> bool:
    return _ENGINE.search(path.read_bytes().decode("utf-8", errors="replace")) is not None
