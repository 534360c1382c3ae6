"""What is one SQL expression, and what compares with NULL."""

from __future__ import annotations

import pytest

from provision.stores.postgres.backfill.expression import not_one


def said(text: str) -> list[tuple[str, str]]:
    return [(error.what, error.fix) for error in not_one("where", text, "a.yaml:1")]


@pytest.mark.parametrize(
    ("text", "sign"),
    [("a = NULL", "="), ("(a)=null", "="), ("not (a <> NULL)", "<>"), ("a != null or b", "!="), ("a =/* */ NULL", "=")],
)
def test_comparison_with_null(text: str, sign: str) -> None:
    fix = "write IS NULL" if sign == "=" else "write IS NOT NULL"
    assert said(text) == [(f"where: `{sign} NULL` is never true", fix)]


@pytest.mark.parametrize(
    "text",
    [
        "a is null",
        "a is not distinct from null",
        "make(a => null)",
        "a = 'NULL'",
        'a = "null"',
        "a = nullif(b, 0)",
        "case when a then null else null end is null",
        "a = E'\\''",
        "a = $x$ ' $x$ -- '",
        'b = "a""b" /* /* ( */ */',
    ],
)
def test_one_expression(text: str) -> None:
    assert said(text) == []


@pytest.mark.parametrize("text", ["a = 'x''", "a = E'x\\'", '"a', "a /* b /* c */", "$x$ a $$", "'"])
def test_what_is_not_closed(text: str) -> None:
    assert said(text) == [
        (
            "where is not one expression: a string, a quoted name or a comment is not closed",
            "write one SQL expression",
        )
    ]
