"""The bodies of PL/pgSQL functions, read by PL/pgSQL's own parser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from pglast import parse_plpgsql
from pglast.parser import ParseError

_PASSED = re.compile(r"--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'", re.DOTALL)


def refused(node: Any, text: str) -> Iterator[tuple[str, int]]:
    """The first syntax error in a body, and the character of `text` where; nothing for other languages."""
    options = {each.defname: each.arg for each in node.options or ()}
    body = options.get("as")
    if str(getattr(options.get("language"), "sval", "")).lower() != "plpgsql" or not isinstance(body, tuple):
        return
    try:
        parse_plpgsql(text)
    except ParseError as error:
        what = str(error.args[0])
        # It gives no place: the first time that the word stands in the body, outside of texts and comments.
        near = re.search(r'^syntax error at or near "(.*)"', what)
        if near is not None:
            begin = max(text.find(body[0].sval), 0)
            shown = _PASSED.sub(lambda each: " " * len(each[0]), text[begin:])
            yield what, begin + max(shown.find(near[1]), 0)
