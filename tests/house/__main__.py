"""python -m tests.house [--all] [--json] [--file-lines N] [--function-lines N] [--root FOLDER]

Prints how large the files and functions of provision/ are, what its stores call their parts, import circles, and class
names that mean two things. Always exits 0: the bounds are in tests/house/test_bounds.py.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from tests.house.report import FILE_LINES, FUNCTION_LINES, Limits, as_json, measure, page
from tests.house.source import read

ROOT = Path(__file__).parents[2]


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and print."""
    asked = _arguments(arguments)
    limits = Limits(asked.file_lines, asked.function_lines)
    found = measure(read(asked.root))
    if asked.json:
        print(json.dumps(as_json(found, limits), indent=2))
    else:
        print(page(found, limits, everything=asked.all))


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.house", description="Measure the source of provision/.")
    parser.add_argument("--all", action="store_true", help="name what is in one store alone")
    parser.add_argument("--json", action="store_true", help="print JSON, every list whole")
    parser.add_argument("--file-lines", type=int, default=FILE_LINES, metavar="N", help="list files of more lines")
    parser.add_argument("--function-lines", type=int, default=FUNCTION_LINES, metavar="N", help="and functions")
    parser.add_argument("--root", type=Path, default=ROOT, metavar="FOLDER", help="the checkout that is measured")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
