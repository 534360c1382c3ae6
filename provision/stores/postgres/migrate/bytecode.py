"""What Python keeps compiled of a revision file is used only where it is of the text that is there."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from importlib.util import cache_from_source
from pathlib import Path

GRAIN = 0.02  # seconds: as coarse as a file system's clock may be


def forget_stale(folder: Path, names: Iterable[str]) -> None:
    """Remove the compiled form of each file of a folder that was changed after it, or as it was made.

    Python compares whole seconds and sizes alone: an edit of one digit within a second would run as the old text,
    recorded with the checksum of the new one. The time of the last change (ctime) is one that no copying sets back.
    """
    base = str(folder)
    tail = cache_from_source("x.py").rpartition("x")[2]
    with suppress(FileNotFoundError, PermissionError):  # none, or a folder in which nobody edits anything either
        made = {each.name: each for each in os.scandir(os.path.dirname(cache_from_source(os.path.join(base, "x.py"))))}
        for name in names:
            compiled = made.get(name.removesuffix(".py") + tail)
            if compiled and os.stat(os.path.join(base, name)).st_ctime + GRAIN >= compiled.stat().st_mtime:
                os.unlink(compiled.path)
