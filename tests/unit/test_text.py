"""Durations, and the name that was probably meant."""

from __future__ import annotations

import pytest

from provision.text.durations import SECOND, nanoseconds, typed
from provision.text.nearest import alike, meant, near, nearest

KNOWN = ["orders", "order_items", "people"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("90m", 5400 * SECOND),
        ("1h30m", 5400 * SECOND),
        ("61320h0m0s", 61320 * 3600 * SECOND),
        ("0s", 0),
        ("2w1d", 15 * 86400 * SECOND),
        ("1ms2u3µ4ns", 1_005_004),
    ],
)
def test_nanoseconds_adds_up_the_parts(text: str, expected: int) -> None:
    assert nanoseconds(text) == expected


@pytest.mark.parametrize("text", ["", "1", "h", "1h ", "1.5h", "-1h", "1y"])
def test_nanoseconds_of_something_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=f"^{text} is no duration$"):
        nanoseconds(text)


@pytest.mark.parametrize(
    ("text", "expected"), [("500ms", 0.5), (" 1.5 h ", 5400), ("10", 10), ("0", 0), ("2d", 172800)]
)
def test_typed_takes_fractions_and_bare_seconds(text: str, expected: float) -> None:
    assert typed(text) == expected


@pytest.mark.parametrize("text", ["", "h", "1w", "-1", "1h30m"])
def test_typed_of_something_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no duration"):
        typed(text)


def test_alike_names_the_nearest_first() -> None:
    assert alike("ordres", KNOWN, most=3) == ["orders"]
    assert alike("order", KNOWN, most=3) == ["orders", "order_items"]
    assert alike("order", KNOWN, at_least=0.95) == []


def test_a_fix_names_the_one_that_was_meant() -> None:
    assert meant("ordres", KNOWN, "correct it") == "did you mean orders?"
    assert near("ordres", KNOWN, "its tables") == "did you mean orders?"
    assert nearest("ordres", KNOWN) == "did you mean 'orders'?"


def test_a_fix_without_one_says_what_else_to_do() -> None:
    assert meant("zzz", KNOWN, "correct it") == "correct it"
    assert near("zzz", KNOWN, "its tables") == "its tables: orders, order_items, people"
    assert nearest("zzz", KNOWN) == "known: orders, order_items, people"
    assert (near("zzz", [], "its tables"), nearest("zzz", [])) == ("its tables: none", "known: none")
