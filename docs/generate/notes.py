"""Prints what CHANGELOG.md says of a version: `python -m docs.generate.notes v0.2.0`; fails unless all agree on it."""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]


class Disagreement(Exception):
    """Raised when the tag, pyproject.toml and the changelog do not name one version."""


def section(changelog: str, version: str) -> str:
    """What stands under `## VERSION - DATE`. Raises Disagreement when there is no such heading, or nothing under it."""
    parts = re.split(r"^## (.+)\n", changelog, flags=re.MULTILINE)
    for heading, text in zip(parts[1::2], parts[2::2], strict=True):
        named = re.fullmatch(r"(\S+) - \d{4}-\d{2}-\d{2}", heading.strip())
        if named is not None and named[1] == version:
            if not text.strip():
                raise Disagreement(f"CHANGELOG.md says nothing of {version}")
            return text.strip() + "\n"
    raise Disagreement(f"CHANGELOG.md has no heading `## {version} - YYYY-MM-DD`")


def notes(tag: str, root: Path = ROOT) -> str:
    """The notes of the release that the tag names, with or without its `v`. Raises Disagreement."""
    version = tag.removeprefix("v")
    stated = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    if stated != version:
        raise Disagreement(f"the tag says {version}, pyproject.toml {stated}")
    return section((root / "CHANGELOG.md").read_text(encoding="utf-8"), version)


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        print("usage: python -m docs.generate.notes VERSION", file=sys.stderr)
        return 2
    try:
        print(notes(arguments[0]), end="")
    except Disagreement as why:
        print(f"no release: {why}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
