"""Files that a command writes: what a disk or a folder does not take is told as what it is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from provision.errors import ConfigError

IN_THE_PROJECT = "make the folder writable for this user"
NAMED_BY_THE_USER = "name a file in a folder that exists and may be written"


@contextmanager
def writing(what: str, place: Path, fix: str = IN_THE_PROJECT) -> Iterator[None]:
    """Raises ConfigError (unwritable-file): where it is the file that the system names, else `place`."""
    try:
        yield
    except OSError as error:
        raise ConfigError(
            "unwritable-file",
            f"{what} cannot be written: {(error.strerror or str(error)).lower()}",
            where=str(error.filename or place),
            fix=fix,
        ) from None
