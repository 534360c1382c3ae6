"""Which names, keys and ids ArangoDB takes (the traditional rules), and how it makes its own."""

from __future__ import annotations

import itertools
import re
import time
import uuid
from typing import Any

from tests.doubles.arango.errors import Refused

_DATABASE = re.compile(r"[a-zA-Z][a-zA-Z0-9_-]{0,63}")
_COLLECTION = re.compile(r"[a-zA-Z][a-zA-Z0-9_-]{0,255}")
_SYSTEM = re.compile(r"_[a-zA-Z0-9_-]{1,255}")
_KEY = re.compile(r"[a-zA-Z0-9_\-:.@()+,=;$!*'%]{1,254}")
_DIGITS = "-_ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


def check_database(name: Any) -> str:
    """Raises Refused (1229)."""
    if not isinstance(name, str) or not _DATABASE.fullmatch(name):
        raise Refused(1229)
    return name


def check_collection(name: Any, system: bool = False) -> str:
    """The name of a collection, view or index. Raises Refused (1208)."""
    if isinstance(name, str) and (_COLLECTION.fullmatch(name) or (system and _SYSTEM.fullmatch(name))):
        return name
    raise Refused(1208)


def check_key(key: Any) -> str:
    """Raises Refused (1221)."""
    if not isinstance(key, str) or not _KEY.fullmatch(key):
        raise Refused(1221)
    return key


class Ticks:
    """Numbers that only grow: ids, and revisions by a hybrid clock."""

    def __init__(self) -> None:
        self._ids = itertools.count(70000)
        self._names = itertools.count(1872607108348772352, 1048576)
        self._last = 0

    def id(self) -> str:
        return str(next(self._ids))

    def index_name(self) -> str:
        return f"idx_{next(self._names)}"

    def revision(self) -> str:
        self._last = max(self._last + 1, int(time.time() * 1000) << 20)
        number, written = self._last, ""
        while number:
            number, digit = divmod(number, 64)
            written = _DIGITS[digit] + written
        return written


class Keys:
    """The key generator of a collection, from its keyOptions."""

    def __init__(self, options: dict[str, Any], ticks: Ticks) -> None:
        self.kind = options.get("type", "traditional")
        self.own = bool(options.get("allowUserKeys", True))
        self.increment, self.offset = int(options.get("increment", 1)), int(options.get("offset", 0))
        self.last = 0
        self._ticks = ticks
        if self.kind not in ("traditional", "autoincrement", "uuid", "padded"):
            raise Refused(10, f"invalid key generator type: {self.kind}")

    def next(self) -> str:
        if self.kind == "uuid":
            return str(uuid.uuid4())
        if self.kind == "autoincrement":
            self.last = max(self.offset, self.last + self.increment) if self.last else (self.offset or self.increment)
            return str(self.last)
        number = int(self._ticks.id())
        self.last = max(self.last, number)
        return f"{number:016x}" if self.kind == "padded" else str(number)

    def given(self, key: Any) -> str:
        """A key that the client chose. Raises Refused."""
        if not self.own:
            raise Refused(1222)
        checked = check_key(key)
        if self.kind in ("traditional", "autoincrement") and checked.isdigit():
            self.last = max(self.last, int(checked))
        return checked

    def described(self) -> dict[str, Any]:
        said: dict[str, Any] = {"allowUserKeys": self.own, "type": self.kind}
        if self.kind == "autoincrement":
            said |= {"increment": self.increment, "offset": self.offset}
        if self.kind in ("traditional", "autoincrement", "padded"):
            said["lastValue"] = self.last
        return said
