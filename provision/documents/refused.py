"""What a server says no with."""

from __future__ import annotations


class Refused(Exception):
    """Raised when the server refused what an operation asked for; its words are the message."""

    def __init__(self, reason: str, fix: str = "") -> None:
        super().__init__(reason)
        self.fix = fix
