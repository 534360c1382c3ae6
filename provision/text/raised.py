"""Says in one line what foreign code raised."""

from __future__ import annotations

from pathlib import Path
from traceback import extract_tb


def raised(error: BaseException) -> str:
    """Class and words of the error; without words (`assert x`), the line that raised it."""
    said = " ".join(str(error).split("\n", 1)[0].split())
    if said:
        return f"{type(error).__name__}: {said}"
    frames = extract_tb(error.__traceback__)
    if not frames:
        return type(error).__name__
    last = frames[-1]
    return f"{type(error).__name__} in {Path(last.filename).name}:{last.lineno}: {last.line}"
