"""What a statement is, seen without the engine: enough to find an insert's data, the output format, and the end."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

# Comments first, then what may hold any character, then words; the rest one character at a time.
TOKEN = re.compile(
    rb"""(?P<blank>\s+|(?:--|//|\#[ !])[^\n]*)
    |(?P<block>/\*)
    |(?P<quoted>'(?:[^'\\]|\\.|'')*+(?:'|\Z)|"(?:[^"\\]|\\.|"")*+(?:"|\Z)|`(?:[^`\\]|\\.|``)*+(?:`|\Z)
        |\xe2\x80\x98.*?\xe2\x80\x99|\xe2\x80\x9c.*?\xe2\x80\x9d)
    |(?P<heredoc>\$(?P<tag>\w*)\$.*?\$(?P=tag)\$)
    |(?P<word>[^\W\d][\w$]*)
    |(?P<other>[0-9.]+\w*|.)""",
    re.DOTALL | re.VERBOSE,
)
_NESTED = re.compile(rb"/\*|\*/")
OUTPUT_WORDS = (b"SELECT", b"WITH", b"FROM")
DATA_FORMAT_ENDS = (b"SELECT", b"WITH", b"VALUES", b"WATCH")


@dataclass(frozen=True, slots=True)
class SentStatement:
    """One statement, in parts."""

    text: bytes
    words: tuple[bytes, ...]
    """The first words, upper case; quoted names count as one word `"`."""
    head: bytes = b""
    """Of an insert whose data follow in a format: all before FORMAT."""
    input_format: str = ""
    data: bytes = b""
    output_format: str = ""
    """Named by a FORMAT clause; empty when none is."""
    several: bool = False
    to_file: bool = False
    totals: bool = False

    @property
    def is_select(self) -> bool:
        """Say whether it gives rows and is not SHOW, DESCRIBE and the like."""
        return bool(self.words) and self.words[0] in OUTPUT_WORDS

    @property
    def sets_session(self) -> bool:
        """Say whether it changes settings or database of its session and nothing else."""
        return self.words[:1] in ((b"SET",), (b"USE",))

    @property
    def makes_temporary(self) -> bool:
        """Say whether it makes something that lives as long as its session."""
        return self.words[:1] == (b"CREATE",) and b"TEMPORARY" in self.words[:5]


def parse(text: bytes) -> SentStatement:
    """Take a statement apart. What is not SQL at all is one statement without words: the engine explains it."""
    words: list[bytes] = []
    output_format, several, to_file, totals = "", False, False, False
    depth, ended, before = 0, False, b""
    for kind, start, end in _tokens(text):
        token = text[start:end]
        if ended and token != b";":
            several = True
            break
        if kind == "other":
            depth += (token in b"([{") - (token in b")]}")
            ended = token == b";" and depth <= 0
        word = token.upper() if kind == "word" and depth <= 0 else b""
        if word and len(words) < 16:
            words.append(word)
        if word == b"FORMAT" and words[0] == b"INSERT" and before not in (b".", b"INTO", b"TABLE"):
            return replace(_insert(text, start, end, tuple(words)), to_file=to_file)
        if words and words[0] == b"INSERT" and word in DATA_FORMAT_ENDS:
            words[0] = b"INSERT " + word  # what follows is a query, or values that the engine reads itself
        if before == b"FORMAT" and kind == "word":
            output_format = token.decode()
        to_file = to_file or (word == b"OUTFILE" and before == b"INTO") or (word == b"INFILE" and before == b"FROM")
        totals = totals or word == b"TOTALS"
        before = word or token
    return SentStatement(text, tuple(words), b"", "", b"", output_format, several, to_file, totals)


def _tokens(text: bytes) -> Iterator[tuple[str, int, int]]:
    at = 0
    while (found := TOKEN.match(text, at)) is not None:
        kind = found.lastgroup or "other"
        at = _block_end(text, found.start()) if kind == "block" else found.end()
        if kind not in ("blank", "block"):
            yield ("heredoc" if kind == "tag" else kind), found.start(), at


def _block_end(text: bytes, start: int) -> int:
    """Where a comment with comments in it ends; the end of the text where it does not."""
    depth = 0
    for mark in _NESTED.finditer(text, start):
        depth += 1 if mark.group() == b"/*" else -1
        if depth == 0:
            return mark.end()
    return len(text)


def _insert(text: bytes, start: int, end: int, words: tuple[bytes, ...]) -> SentStatement:
    """Cut at FORMAT: after the format's name, blanks and one line end, everything is data."""
    found = re.compile(rb"\s+(\w+)[ \t\f]*(?:;[ \t\f]*)?\r?\n?").match(text, end)
    if found is None:
        return SentStatement(text, words)
    return SentStatement(text, words, text[:start].rstrip(), found.group(1).decode(), text[found.end() :])
