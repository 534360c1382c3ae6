"""`python -m tests.proof [--ci]`: the proof of the run protocol, printed. Exit code 1: something is broken."""

from __future__ import annotations

import argparse
import sys

from tests.proof.model.search import prove
from tests.proof.model.sizes import LARGE, SMALL


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.proof", description=__doc__)
    parser.add_argument("--ci", action="store_true", help="the small models alone")
    asked = parser.parse_args(arguments)
    return int(not _models(ci=asked.ci))


def _models(*, ci: bool) -> bool:
    right = True
    for found in prove(SMALL if ci else (*SMALL, *LARGE)):
        print(found, flush=True)
        right = right and not found.broken
    return right


if __name__ == "__main__":
    sys.exit(main())
