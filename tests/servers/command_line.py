"""What a command left behind, its output made the same from run to run."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from provision import process

# What differs from run to run: times, durations, ports, folders, who and where.
_MASKS = (
    (re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d(?::\d\d(?:\.\d+)?)?"), "TIME"),
    (re.compile(r" +\d+ ms"), " N ms"),
    (re.compile(r'("duration_ms"): \d+'), r"\1: 0"),
    (re.compile(r"(expires +in) \d+ s"), r"\1 N s"),
    (re.compile(r"127\.0\.0\.1:\d{2,}"), "HOST"),
    (re.compile(r"small_\d+"), "small_N"),
    (re.compile(re.escape(process.owner({}).actor)), "SOMEBODY"),
    (re.compile(r"(small_N|HOST/0)   +"), r"\1  "),
    (re.compile(r" +$", re.MULTILINE), ""),
)


class Ran(NamedTuple):
    """What a command left: its exit code and its masked output."""

    code: int
    out: str
    err: str


Provision = Callable[..., Ran]


def masked(text: str) -> str:
    """The text with every time, duration, port, database and person replaced by a word."""
    for pattern, word in _MASKS:
        text = pattern.sub(word, text)
    return text
