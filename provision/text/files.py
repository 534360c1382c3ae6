"""Reads migration files: text, checksum, and the number and slug in a file name. Knows no kind of store."""

from __future__ import annotations

import hashlib
import os
import re
import stat
import unicodedata
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from provision.errors import ConfigError, ProvisionError, raise_all
from provision.model import StoreOptions

# Stands in what `new` writes until its author fills it.
UNFILLED = "provision: unfilled"
_NAME = re.compile(r"(?P<number>\d+)_(?P<slug>[^.]+)\.")
_HEADER = re.compile(
    r"--\s*(?P<key>description|requires|needs|lock_timeout|statement_timeout|retries)\s*:\s*(?P<value>.*)",
    re.IGNORECASE,
)
_NUMBERED = re.compile(r"[vV]?\d+[_.-]")
_OTHER_ENDINGS = ("", ".sql", ".ddl", ".yaml", ".yml", ".json", ".txt")


def read_text(path: Path | str, shown: str) -> str:
    """The text of a file, line ends as LF. Raises ConfigError (not-utf8, unreadable-file)."""
    try:
        with open(path, "rb", buffering=0) as file:
            return file.readall().decode("utf-8").removeprefix("\ufeff").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise ConfigError(
            "not-utf8",
            f"{os.path.basename(path)} is not UTF-8: byte 0x{error.object[error.start]:02x} at offset {error.start}",
            where=shown,
            fix="save the file as UTF-8",
        ) from None
    except OSError as error:
        raise ConfigError(
            "unreadable-file",
            f"{os.path.basename(path)} cannot be read: {(error.strerror or str(error)).lower()}",
            where=shown,
            fix="make it readable for this user" if isinstance(error, PermissionError) else "put a file in its place",
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
    """The `-- description:`, `-- requires:` and such lines of the leading comment block of a SQL file."""
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


def inside(folder: Path, pattern: str, root: Path | None = None, *, hidden: bool = False) -> Iterator[Path]:
    """The files of a folder that match, in the order of their names; none when the folder is absent.

    What has such a name and is no file is never passed over, nor opened: reading a pipe would wait for ever. A link may
    lead to a file of the folder or of the project, whose own folder is `root`.
    Raises ConfigError (unreadable-file, not-a-file, outside-project).
    """
    return (folder / name for name in names_inside(folder, pattern, root, hidden=hidden))


def names_inside(folder: Path, pattern: str, root: Path | None = None, *, hidden: bool = False) -> list[str]:
    """As `inside`, the names alone: for folders of thousands, where a Path costs as much as reading its file.

    Unless `hidden`, hidden ones are left out, as a shell's `*` does: macOS and editors leave `._0001_a.yaml` and the
    like.
    """
    if not folder.is_dir():
        return []
    try:
        with os.scandir(folder) as entries:
            wanted = [each for each in entries if fnmatchcase(each.name, pattern) and (hidden or each.name[0] != ".")]
            # Of a plain file the folder itself says what it is: nothing is asked, and no Path made.
            odd = [each for each in wanted if not each.is_file(follow_symlinks=False)]
            errors = [error for each in odd if (error := _unfit(folder / each.name, folder, root or folder))]
    except OSError as error:
        what = f"the folder {folder.name} cannot be read: {(error.strerror or str(error)).lower()}"
        fix = "make it readable for this user"
        raise ConfigError("unreadable-file", what, where=str(folder), fix=fix) from None
    raise_all(sorted(errors, key=str))
    return sorted(each.name for each in wanted)


def _unfit(path: Path, folder: Path, root: Path) -> ConfigError | None:
    """Why what is called like a file of ours, and is no plain file of the folder, is none."""
    shown = path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)
    if not path.is_file():
        what = f"{path.name} is {_sort(path)}, where a file should be"
        return ConfigError("not-a-file", what, where=shown, fix="put a file in its place, or give it another name")
    real = path.resolve()
    if not any(real.is_relative_to(each.resolve()) for each in (folder, root)):
        what = f"{path.name} is a link to a file outside the project"
        return ConfigError("outside-project", what, where=shown, fix="put the file itself in its place")
    return None


def _sort(path: Path) -> str:
    """What is there, in words."""
    if not path.exists():
        return "a link that leads nowhere"
    sorts = {stat.S_IFDIR: "a folder", stat.S_IFIFO: "a named pipe", stat.S_IFSOCK: "a socket"}
    return sorts.get(stat.S_IFMT(path.stat().st_mode), "a device")


def unread(options: StoreOptions, suffixes: Sequence[str]) -> list[ProvisionError]:
    """An error (nothing-read) for each entry of the folder that is called like a migration and is not read as one.

    Another case or ending of a file: `inside` refuses what has a right name and is no file.
    """
    try:
        with os.scandir(options.path) as entries:
            found = sorted(each.name for each in entries if _like_one(each, suffixes))
    except FileNotFoundError:
        return []
    endings = " or ".join(suffixes)
    return [
        ConfigError(
            "nothing-read",
            f"{name} is called like a migration, and is none: those are files that end in {endings}",
            where=options.shown(options.path / name),
            fix=f"let its name end in {suffixes[0]}, or move it to another folder",
        )
        for name in found
    ]


def _like_one(entry: os.DirEntry[str], suffixes: Sequence[str]) -> bool:
    if entry.name[0] == ".":
        return False
    if entry.name.lower().endswith(tuple(suffixes)):
        return not entry.name.endswith(tuple(suffixes))
    like = Path(entry.name).suffix.lower() in _OTHER_ENDINGS and _NUMBERED.match(entry.name) is not None
    return like and entry.is_file()


def described(slug: str) -> str:
    """What a slug says to people: `events_ttl` → `events ttl`."""
    return slug.replace("_", " ").replace("-", " ").strip()


def slug(message: str) -> str:
    """What a message becomes in a file name: `Add TTL, café` → `add_ttl_cafe`. Raises ConfigError (bad-message)."""
    folded = unicodedata.normalize("NFKD", message).encode("ascii", "ignore").decode()
    made = re.sub(r"[^a-z0-9]+", "_", folded.lower()).strip("_")[:60].rstrip("_")
    if not made:
        raise ConfigError(
            "bad-message",
            f"no file name can be made of {message!r}",
            where="the message",
            fix="say in a few words, with letters a to z in them, what the revision does",
        )
    return made


def unfilled(shown: str, part: str) -> ConfigError:
    """The error (empty-migration) for a file that was begun and holds nothing yet, where it would be run."""
    return ConfigError(
        "empty-migration", f"{part} is not filled in yet", where=shown, fix="write what it does, or delete the file"
    )
