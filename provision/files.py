"""Reads migration files: text, checksum, and the number and slug in a file name. Knows no kind of store."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

from provision.errors import ConfigError

_NAME = re.compile(r"(?P<number>\d+)_(?P<slug>[^.]+)\.")
_HEADER = re.compile(r"--\s*(?P<key>description|requires)\s*:\s*(?P<value>.*)", re.IGNORECASE)


def read_text(path: Path, shown: str) -> str:
    """The text of a file, line ends as LF. Raises ConfigError (not-utf8, unreadable-file)."""
    try:
        return path.read_bytes().decode("utf-8").removeprefix("\ufeff").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise ConfigError(
            "not-utf8",
            f"{path.name} is not UTF-8: byte 0x{error.object[error.start]:02x} at offset {error.start}",
            where=shown,
            fix="save the file as UTF-8",
        ) from None
    except OSError as error:
        raise ConfigError(
            "unreadable-file", f"{path.name} cannot be read: {error.strerror}", where=shown, fix="check its permissions"
        ) from None


def checksum(text: str) -> str:
    """SHA-256 of the text as hexadecimal; equal for Windows and Unix line ends."""
    return hashlib.sha256(text.replace("\r\n", "\n").encode()).hexdigest()


def number_and_slug(path: Path, shown: str) -> tuple[str, str]:
    """The `NNN` and `slug` of `NNN_slug.ext`. Raises ConfigError (bad-filename)."""
    match = _NAME.match(path.name)
    if match is None:
        raise ConfigError(
            "bad-filename",
            f"{path.name} does not start with a number and an underscore",
            where=shown,
            fix=f"rename it like 001_{path.name}",
        )
    return match["number"], match["slug"]


def headers(text: str) -> dict[str, str]:
    """The `-- description:` and `-- requires:` lines of the leading comment block of a SQL file."""
    found = {}
    for line in text.split("\n"):
        if line.strip() and not line.lstrip().startswith("--"):
            break
        match = _HEADER.match(line.strip())
        if match:
            found[match["key"].lower()] = match["value"].strip()
    return found


def listed(value: str) -> tuple[str, ...]:
    """The ids of a comma-separated header value."""
    return tuple(part.strip() for part in value.split(",") if part.strip())


def inside(folder: Path, pattern: str) -> Iterator[Path]:
    """The files of a folder that match, in the order of their names; none when the folder is absent."""
    if folder.is_dir():
        yield from sorted(path for path in folder.glob(pattern) if path.is_file())


def described(slug: str) -> str:
    """What a slug says to people: `events_ttl` → `events ttl`."""
    return slug.replace("_", " ").replace("-", " ").strip()
