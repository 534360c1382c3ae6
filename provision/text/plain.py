"""Values of any driver as plain JSON values, for people and programs to read."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

LONGEST = 200
MASKED = "•••"


def plain(value: Any) -> object:
    """The value as JSON has it: NaN and infinity as text, moments in UTC, long text cut, what is unknown as text."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, Decimal | float):
        return _number(value)
    if isinstance(value, datetime):
        moment = value if value.tzinfo is None else value.astimezone(UTC)
        return moment.isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(each) for each in value]
    text = value.hex() if isinstance(value, bytes | memoryview) else str(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _number(value: Decimal | float) -> object:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return float(value)
