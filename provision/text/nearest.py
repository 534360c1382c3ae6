"""What to write instead of a name that is not known."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def alike(name: str, known: Iterable[str], most: int = 1, at_least: float = 0.6) -> list[str]:
    """The known names that are like it, the nearest first; `at_least` is from 0, anything, to 1, the same."""
    from difflib import get_close_matches  # for mistakes alone

    return get_close_matches(name, list(known), most, at_least)


def meant(name: str, known: Iterable[str], otherwise: str) -> str:
    """A `fix`: the one that was probably meant, else what else to do."""
    close = alike(name, known)
    return f"did you mean {close[0]}?" if close else otherwise


def near(name: str, known: Sequence[str], title: str) -> str:
    """A `fix`: the one that was probably meant, else all of them under a title such as `its columns`."""
    return meant(name, known, f"{title}: {', '.join(known) or 'none'}")


def nearest(name: str, known: Iterable[str]) -> str:
    """As `near`, for a name that people write in quotes."""
    names = list(known)
    close = alike(name, names)
    return f"did you mean {close[0]!r}?" if close else f"known: {', '.join(names) or 'none'}"
