"""Prints the versions that this Python has: `python requirements/installed.py [--differing] [EXTRA…]`.

Of what pyproject.toml names for these extras; with --differing, of all that requirements/dev.txt pins to another one.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

from ranges import ranges

PINS = Path(__file__).parent / "dev.txt"


def normal(name: str) -> str:
    """The name as package indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def pins(path: Path = PINS) -> dict[str, str]:
    """Name → version of each pin."""
    found = re.findall(r"^([\w.-]+)(?:\[[^\]]+\])?==([^\s;]+)", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {normal(name): version for name, version in found}


def installed() -> Mapping[str, str]:
    return {normal(each.metadata["Name"]): each.version for each in metadata.distributions()}


def main(arguments: list[str]) -> None:
    have, pinned = installed(), pins()
    if "--differing" in arguments:
        names = sorted(name for name in pinned if have.get(name) != pinned[name])
    else:
        names = [normal(re.split(r"[\[>=<]", each)[0]) for each in ranges(arguments)]
    for name in names:
        version, other = have.get(name, "not installed"), pinned.get(name)
        print(f"{name} {version}" if version == other else f"{name} {version} (pinned: {other})")


if __name__ == "__main__":
    main(sys.argv[1:])
