"""Places in a text."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable

from provision.model.lint import Place


def lines_of(text: str) -> Callable[[int], Place]:
    """The place of a character of `text`."""
    starts = [0, *(at + 1 for at, sign in enumerate(text) if sign == "\n")]

    def locate(at: int) -> Place:
        at = min(max(at, 0), len(text))
        line = bisect_right(starts, at)
        return Place(line, at - starts[line - 1] + 1)

    return locate


def lead_of(text: str) -> int:
    """How many characters of blanks and SQL comments, which may be nested, stand before the first word."""
    at = 0
    while at < len(text):
        if text[at].isspace():
            at += 1
        elif text.startswith("--", at):
            at = text.find("\n", at) + 1 or len(text)
        elif text.startswith("/*", at):
            at = _behind_comment(text, at)
        else:
            break
    return at


def _behind_comment(text: str, at: int) -> int:
    depth = 0
    for found in re.compile(r"/\*|\*/").finditer(text, at):
        depth += 1 if found[0] == "/*" else -1
        if depth == 0:
            return found.end()
    return len(text)


def blanked(text: str, start: int, end: int) -> str:
    """The text with what lies between the two places replaced by blanks: every other place stays the same."""
    gone = "".join(sign if sign == "\n" else " " for sign in text[start:end])
    return text[:start] + gone + text[end:]


def behind_word(text: str, word: str) -> int:
    """The character behind the first `word` that stands in no comment; -1 where there is none."""
    for found in re.finditer(rf"--[^\n]*|/\*.*?\*/|\b({word})\b", text, re.IGNORECASE | re.DOTALL):
        if found[1]:
            return found.end()
    return -1
