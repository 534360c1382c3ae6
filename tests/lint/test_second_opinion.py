"""squawk, another linter of PostgreSQL, sees the same in the examples of the rules that both have."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.lint import pages

SQUAWK = Path(sys.executable).with_name("squawk")
BOTH = {
    "index-not-concurrent": "require-concurrent-index-creation",
    "drop-index-not-concurrent": "require-concurrent-index-deletion",
    "concurrently-in-transaction": "ban-concurrent-index-creation-in-transaction",
    "constraint-without-not-valid": "constraint-missing-not-valid",
    "key-builds-index": "disallowed-unique-constraint",
    "set-not-null": "adding-not-nullable-field",
    "column-type-change": "changing-column-type",
    "rename-in-use": "renaming-column",
    "volatile-default": "adding-field-with-default",
}


def squawk(text: str, path: Path) -> set[str]:
    path.write_text(text)
    command = [SQUAWK, "--reporter", "json", "--pg-version", "15", path]
    return {each["rule_name"] for each in json.loads(subprocess.run(command, capture_output=True, check=False).stdout)}


@pytest.mark.parametrize(("ours", "theirs"), BOTH.items())
def test_both_find_what_to_avoid(ours: str, theirs: str, tmp_path: Path) -> None:
    text = pages.example(ours, "Instead of")
    assert theirs in squawk(text, tmp_path / "err.sql")
    assert ours in pages.rules_in("postgres", text)
