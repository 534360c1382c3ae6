"""Lays out a new project: provision.toml, migration folders, lines for git. Overwrites nothing, reaches nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from provision.errors import ConfigError
from provision.ports.kind import Kind, Layout
from provision.settings import FILE
from provision.text.written import writing

ATTRIBUTES = ".gitattributes"


@dataclass(frozen=True, slots=True)
class LaidOut:
    """What `init` did; `adopted` maps a store to the folder that was there already."""

    home: str
    first: str
    written: tuple[Path, ...]
    changed: tuple[Path, ...]
    adopted: Mapping[str, str]


def lay_out(root: Path, name: str | None, kinds: Sequence[Kind]) -> LaidOut:
    """Write a project with one store a kind.

    Raises ConfigError (no-layout, project-exists, folder-not-empty, several-alembic-folders, …) before anything is
    written, but for a disk that fills up half-way.
    """
    if (root / FILE).exists():
        raise ConfigError(
            "project-exists",
            f"{FILE} is there already",
            where=str(root / FILE),
            fix="edit it, or begin in another folder: `provision init FOLDER`",
        )
    parts = {kind.name: layout_of(kind, "init", "--stores") for kind in kinds}
    adopted = {kind: keys for kind, part in parts.items() if (keys := part.found(root)) is not None}
    home = next((kind.name for kind in kinds if kind.can_be_home), "none")
    with writing("the project", root):
        root.mkdir(parents=True, exist_ok=True)
        written = [_toml(root, name or _named_after(root), home, list(parts), adopted)]
        for kind, part in parts.items():
            if kind not in adopted:
                written += part.start(root, part.FOLDER, kind)
        places = {kind: adopted.get(kind, {}).get("path", part.FOLDER) for kind, part in parts.items()}
        lines = [line for kind, part in parts.items() for line in attributes(root, places[kind], part.FILES)]
        git = {".gitignore": [".provision/"], ATTRIBUTES: lines}
        changed = [path for file, lines in git.items() if (path := append(root / file, lines)) is not None]
    return LaidOut(
        home,
        kinds[0].name if kinds else "",
        tuple(written),
        tuple(changed),
        {kind: keys["path"] for kind, keys in adopted.items()},
    )


def layout_of(kind: Kind, command: str, where: str) -> Layout:
    """Raises ConfigError (no-layout) for a kind that brings none."""
    found = kind.layout()
    if found is None:
        fix = f"make the folder and write [stores.{kind.name}] into {FILE} by hand"
        raise ConfigError("no-layout", f"`{command}` cannot begin a store of kind {kind.name}", where=where, fix=fix)
    return found


def _toml(root: Path, name: str, home: str, kinds: Sequence[str], adopted: Mapping[str, Mapping[str, str]]) -> Path:
    why = "keeps the run lock" if home != "none" else "no store here can keep the run lock: `up` needs --no-lock"
    lines = [
        "# The databases of this project; `provision doctor` checks what is written here.",
        "[project]",
        f'name = "{name}"',
        f'home = "{home}"  # {why}',
    ]
    for kind in kinds:
        keys = adopted.get(kind, {})
        lines += ["", f"[stores.{kind}]", *(f'{key} = "{value}"' for key, value in keys.items())]
    lines += [
        "",
        "[environments.local]",
        "embedded = true  # engines from Python wheels, in .provision/",
        "",
        "# Another environment; the values come from variables, so that no password is written here:",
        "# [environments.production]",
        *(f'# {kind}.url = "${{{kind.upper()}_URL}}"' for kind in kinds),
        "",
    ]
    path = root / FILE
    with path.open("x", encoding="utf-8", newline="\n") as file:
        file.write("\n".join(lines))
    return path


def attributes(root: Path, folder: str, files: str) -> list[str]:
    """Unix line ends for migration files; a folder that already holds Windows ones is left as it is."""
    windows = any(b"\r\n" in each.read_bytes() for each in root.glob(f"{folder}/{files}"))
    pattern = f"{folder}/{files}"
    # A space ends a pattern that is not quoted.
    return [] if windows else [f"{json.dumps(pattern, ensure_ascii=False) if ' ' in pattern else pattern} text eol=lf"]


def append(path: Path, lines: Sequence[str]) -> Path | None:
    """Add the lines that are missing; None when all are there."""
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    missing = [line for line in lines if line not in text.splitlines()]
    if not missing:
        return None
    with path.open("a", encoding="utf-8", newline="\n") as file:
        file.write(("\n" if text and not text.endswith("\n") else "") + "".join(f"{line}\n" for line in missing))
    return path


def _named_after(root: Path) -> str:
    return re.sub(r"[^A-Za-z0-9_-]+", "-", root.resolve().name).strip("-") or "project"
