"""Counts as people read them."""

from __future__ import annotations


def rows_of(count: int) -> str:
    """`1 row`, `5,000,000 rows`."""
    return f"{count:,} row{'' if count == 1 else 's'}"
