"""Foreign text in a line does nothing to a terminal, a log or an editor."""

from __future__ import annotations

import json

import pytest

from provision.text.visible import in_json, visible, visible_lines

SHOWN = {
    "plain é ☃ 👩\u200d💻 中": "plain é ☃ 👩\u200d💻 中",
    "\x1b[31mred\x1b[0m": "\\x1b[31mred\\x1b[0m",
    "\x9b31m \x85 \x7f \x00 \x08": "\\x9b31m \\x85 \\x7f \\x00 \\x08",
    "a\nb\r\nc\u2028d\u2029e": "a\\nb\\r\\nc\\u2028d\\u2029e",
    "\u202eab\u2066c\u200fd\u061ce": "\\u202eab\\u2066c\\u200fd\\u061ce",
    "a\u200bb\ufeffc\U000e0041d\udc80": "a\\u200bb\\ufeffc\\U000e0041d\\udc80",
    "::error::x": "\\x3a:error::x",
    "  ::set-output name=a::b": "  \\x3a:set-output name=a::b",
    "a ::error::x": "a ::error::x",
    "a ##[error]x ##vso[task.x]": "a #\\x23[error]x #\\x23vso[task.x]",
}


@pytest.mark.parametrize(("text", "shown"), SHOWN.items())
def test_visible_is_one_line_that_does_nothing(text: str, shown: str) -> None:
    assert visible(text) == shown
    assert visible(shown) == shown


def test_visible_lines_keeps_line_feeds_and_makes_each_line_visible() -> None:
    assert visible_lines("a\n::error::b\x1b") == "a\n\\x3a:error::b\\x1b"


@pytest.mark.parametrize("text", SHOWN)
def test_json_reads_back_as_it_was_and_does_nothing(text: str) -> None:
    document = in_json(json.dumps({"a": [text]}, ensure_ascii=False, indent=2))

    assert json.loads(document) == {"a": [text]}
    assert "##[" not in document
    assert [line for line in document.split("\n") if visible(line) != line] == []
