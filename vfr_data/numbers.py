"""Numbers that callers give."""

from math import isfinite
from typing import Any


def is_finite(value: Any) -> bool:
    """Whether it is a finite number that a float can hold; False for what is no number at all."""
    try:
        return isfinite(value)
    except (OverflowError, TypeError, ValueError):  # an integer beyond all floats, a text, a signalling NaN
        return False
