"""What to write instead of a name that is not known."""

from __future__ import annotations

from collections.abc import Iterable


def nearest(name: str, known: Iterable[str]) -> str:
    """A `fix`: the one that was probably meant, else all that are known."""
    from difflib import get_close_matches  # for mistakes alone

    names = list(known)
    close = get_close_matches(name, names, 1)
    return f"did you mean {close[0]!r}?" if close else f"known: {', '.join(names) or 'none'}"
