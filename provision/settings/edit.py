"""Adds a store to provision.toml as text, so that comments and order stay as they are."""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from provision.errors import ConfigError
from provision.text.files import read_text

_HEADER = re.compile(r"\s*\[")
_OF_STORES = re.compile(r"""\s*\[\s*["']?stores["']?\s*[.\]]""")
_OF_ENVIRONMENTS = re.compile(r"""\s*\[\s*["']?environments["']?\s*[.\]]""")


def with_store(text: str, name: str, keys: Mapping[str, str]) -> str | None:
    """The text of a provision.toml with `[stores.NAME]` in it; None where no place in it gives that and nothing else.

    What was made is parsed and compared with what is wanted: a line that only looks like a header, as in a text of
    several lines, cannot mislead.
    """
    before = tomllib.loads(text)
    wanted = {**before, "stores": {**before.get("stores", {}), name: dict(keys)}}
    section = [f"[stores.{name}]", *(f"{key} = {_quoted(value)}" for key, value in keys.items())]
    lines = text.replace("\r\n", "\n").split("\n")
    made = ("\n".join(_inserted(lines, place, section)) for place in _places(lines))
    return next((each for each in made if _parsed(each) == wanted), None)


def add_store(file: Path, name: str, keys: Mapping[str, str]) -> None:
    """Write the store into the file, whole or not at all. Raises ConfigError (toml-not-edited) and OSError."""
    file = file.resolve()  # a link stays one
    made = with_store(read_text(file, str(file)), name, keys)
    if made is None:
        inline = ", ".join(f"{key} = {_quoted(value)}" for key, value in keys.items())
        raise ConfigError(
            "toml-not-edited",
            f"{name} cannot be added to {file.name} without changing more of it",
            where=str(file),
            fix=f"write it below stores by hand: {name} = {{{inline}}}",
        )
    raw = file.read_bytes()
    ends, mark = ("\r\n" if b"\r\n" in raw else "\n"), ("\ufeff" if raw.startswith(b"\xef\xbb\xbf") else "")
    _replace(file, (mark + made.replace("\n", ends)).encode())


def _replace(file: Path, content: bytes) -> None:
    number, beside = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
    try:
        with os.fdopen(number, "wb") as made:
            made.write(content)
        shutil.copymode(file, beside)
        os.replace(beside, file)
    except BaseException:
        os.unlink(beside)
        raise


def _places(lines: Sequence[str]) -> Iterator[int]:
    """Where a section may go: behind the last store, before the environments, at the end."""
    headers = [at for at, line in enumerate(lines) if _HEADER.match(line)]
    stores = [at for at in headers if _OF_STORES.match(lines[at])]
    if stores:
        yield _end_before(lines, next((at for at in headers if at > stores[-1]), len(lines)))
    elif found := [at for at in headers if _OF_ENVIRONMENTS.match(lines[at])]:
        yield _end_before(lines, found[0])
    yield _end_before(lines, len(lines))


def _end_before(lines: Sequence[str], header: int) -> int:
    """The line behind what is written above a header; comments that touch the header belong to it."""
    while header < len(lines) and header and lines[header - 1].lstrip().startswith("#"):
        header -= 1
    while header and not lines[header - 1].strip():
        header -= 1
    return header


def _inserted(lines: Sequence[str], at: int, section: Sequence[str]) -> list[str]:
    before = [""] if at else []
    after = [] if at < len(lines) and not lines[at].strip() else [""]
    return [*lines[:at], *before, *section, *after, *lines[at:]]


def _quoted(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)


def _parsed(text: str) -> object:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return None
