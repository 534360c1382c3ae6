"""What `make up` installs: a store whose driver is missing stops it, whether its engine is there or not."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from provision import kinds

_PROJECT = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
_EXTRAS = _PROJECT["optional-dependencies"]


def test_local_brings_the_driver_of_every_kind() -> None:
    assert {each.extra for each in kinds.every()} - {""} <= _reached("local")


def test_entry_points_are_the_kinds_that_are_found_without_them() -> None:
    stated = _PROJECT["entry-points"][kinds.GROUP]
    assert stated == {
        each.name: f"{each.package}:KIND" for each in kinds.every() if each.package.startswith("provision.")
    }


def _reached(extra: str) -> set[str]:
    found = {extra}
    for each in _EXTRAS[extra]:
        if inner := re.fullmatch(r"provision-toolkit\[(.*)\]", each):
            for name in inner[1].split(","):
                found |= _reached(name.strip())
    return found
