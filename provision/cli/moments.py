"""Moments as an option takes them."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from provision.errors import ConfigError

LAST = "last"
_AGO = re.compile(r"(\d+)\s*(m|h|d|w)")


class Moment(NamedTuple):
    """A moment, with the text as it was given; none for `last`, which the results of earlier runs know."""

    at: datetime | None
    text: str


def moment(option: str, *, last: bool = False) -> Callable[[str], Moment]:
    """A reader of `24h` (that long ago) and of ISO 8601, UTC where no offset is given; with `last` of that word too.

    It raises ConfigError (bad-moment).
    """

    def read(value: str) -> Moment:
        text = value.strip()
        if last and text == LAST:
            return Moment(None, text)
        if found := _AGO.fullmatch(text):
            unit = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}[found[2]]
            return Moment(datetime.now(UTC) - timedelta(**{unit: int(found[1])}), text)
        try:
            at = datetime.fromisoformat(text)
        except ValueError:
            what = f"{text!r} is not a moment"
            raise ConfigError("bad-moment", what, where=option, fix="write 24h, or 2026-03-02T09:00") from None
        return Moment(at if at.tzinfo else at.replace(tzinfo=UTC), text)

    return read
