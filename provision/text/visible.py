r"""Foreign text as part of a line: what a terminal, a CI log or an editor would act on is written as `\x1b`.

Descriptions, file names, messages of servers, rows: none of them may move the cursor, begin a line, turn the direction
of writing, or give a command to a CI system.
"""

from __future__ import annotations

# Cc: C0, C1 and DEL; Cf: what turns the direction or cannot be seen; Cs: halves of a pair; Zl, Zp: line ends.
_ACTS = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_MAY = "\t\u200c\u200d"  # joiners are part of words and of emoji
_MARKS = ("##[", "##vso[")  # a command of GitHub's or Azure's log wherever it stands in a line


def visible(text: str) -> str:
    """The text as one line, without anything that acts."""
    if not text.isprintable():  # most are; the rest is slower, and needs a table
        text = "".join(each if _is_plain(each) else _written(each) for each in text)
    if "##" in text:
        for mark in _MARKS:
            text = text.replace(mark, f"#\\x23{mark[2:]}")
    begins = len(text) - len(text.lstrip())
    return f"{text[:begins]}\\x3a{text[begins + 1 :]}" if text.startswith("::", begins) else text


def visible_lines(text: str) -> str:
    """As `visible`, but a line feed of the text stays one."""
    return "\n".join(map(visible, text.split("\n")))


def in_json(document: str) -> str:
    """A JSON document in which no string holds what acts: each such character is written as JSON may write it."""
    if not document.isprintable():
        document = "".join(each if each == "\n" or _is_plain(each) else _escaped(each) for each in document)
    return document.replace("##[", "#\\u0023[").replace("##vso[", "#\\u0023vso[") if "##" in document else document


def _is_plain(char: str) -> bool:
    from unicodedata import category

    return char in _MAY or category(char) not in _ACTS


def _written(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")


def _escaped(char: str) -> str:
    units = char.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))
