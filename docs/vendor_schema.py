"""The command line of the scripts that write a shipped schema from a vendor's OpenAPI document."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SPECS = ROOT.parent / "shared/specs"


def main(about: str | None, usual: Path, shipped: Path, generated: Callable[[Path], str]) -> int:
    """Write the file `shipped`, or with `--check` compare it; returns the exit code. Raises OSError and ValueError."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("openapi", nargs="?", type=Path, default=usual, help="the vendor's document as OpenAPI 3")
    parser.add_argument("--check", action="store_true", help="Write nothing; exit 1 when the file is out of date.")
    given = parser.parse_args()
    text = generated(given.openapi)
    if not given.check:
        shipped.write_text(text, encoding="utf-8")
        return 0
    if shipped.read_text(encoding="utf-8") == text:
        return 0
    print(f"{shipped.relative_to(ROOT)} is out of date: run docs/{Path(sys.argv[0]).name}", file=sys.stderr)
    return 1
