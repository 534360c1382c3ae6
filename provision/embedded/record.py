"""What is remembered of an engine between two commands: `engine.json`, readable by its owner only."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, fields
from pathlib import Path

NAME = "engine.json"


@dataclass(frozen=True, slots=True)
class Record:
    """Address and history of one engine. Unknown parts are None."""

    kind: str
    version: str | None = None
    port: int | None = None
    password: str | None = None
    socket: str | None = None
    """Folder of PostgreSQL's socket."""
    home: str | None = None
    """Folder in the temporary folder that holds binaries and data, where the server runs as `nobody`."""
    made_in: str | None = None
    """Which folder `home` was made for: a copy of that folder has no right to it."""
    ready: str | None = None
    """The running process (as in `pid`) that has answered; another process has not yet."""


def load(folder: Path, kind: str) -> Record:
    """Return the record in `folder`; an empty one when there is none or it cannot be read as one."""
    try:
        content = json.loads((folder / NAME).read_bytes())
    except (OSError, ValueError):
        return Record(kind)
    if not isinstance(content, dict) or content.get("kind") != kind:
        return Record(kind)
    names = {field.name for field in fields(Record)}
    texts = {name: value for name, value in content.items() if name in names - {"port"} and isinstance(value, str)}
    port = content.get("port")
    return Record(**texts, port=port if isinstance(port, int) else None)


def save(folder: Path, record: Record) -> None:
    """Replace the record in `folder`: readers see the old one or the new one, never a part."""
    write_private(folder / NAME, json.dumps(asdict(record), indent=1).encode() + b"\n")


def write_private(path: Path, content: bytes) -> None:
    """Write `path` in one step with mode 0600."""
    draft = path.with_name(f"{path.name}.new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    os.replace(draft, path)
