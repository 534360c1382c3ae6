"""Errors with ClickHouse's numbers, names and HTTP states."""

from __future__ import annotations

import re

BAD_REQUEST = (6, 25, 26, 27, 36, 38, 41, 43, 44, 53, 62, 72, 117, 456, 457)
NOT_FOUND = (46, 47, 50, 56, 60, 63, 73, 81, 115)
FORBIDDEN = (192, 193, 516)
STATES = (
    dict.fromkeys(BAD_REQUEST, 400)
    | dict.fromkeys(NOT_FOUND, 404)
    | dict.fromkeys(FORBIDDEN, 403)
    | {48: 501, 159: 408, 194: 401, 202: 503, 439: 503}
)


class QueryFault(Exception):
    """An error that the client of the server gets to see."""

    def __init__(self, code: int, name: str, text: str) -> None:
        super().__init__(f"Code: {code}. DB::Exception: {text}. ({name})")
        self.code = code

    @property
    def state(self) -> int:
        """The HTTP status that a real server answers with."""
        return STATES.get(self.code, 500)


class EngineFault(QueryFault):
    """An error of the engine, passed on as it is."""

    def __init__(self, error: Exception) -> None:
        text = str(error)
        found = re.search(r"Code: (\d+)\.", text)
        code = int(found.group(1)) if found else 1001
        super().__init__(code, "STD_EXCEPTION", text)
        if found:
            self.args = (text[found.start() :].strip(),)


def not_allowed_several() -> QueryFault:
    """The refusal of more than one statement in a request."""
    return QueryFault(62, "SYNTAX_ERROR", "Syntax error (Multi-statements are not allowed)")
