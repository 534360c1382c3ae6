"""`make corpus`: what each linter says of the cases, whose harm tests/corpus/test_corpus.py shows on real engines.

Ends with 1 where docs/lint-corpus.md says something else; `--write` writes it.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tests.corpus import page
from tests.corpus.cases import LINTERS, defects, outages
from tests.corpus.score import scored


def main() -> int:
    """Exit code."""
    parser = argparse.ArgumentParser(prog="corpus")
    parser.add_argument("--write", action="store_true", help="write docs/lint-corpus.md")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="provision-corpus-") as folder:
        scores = {each.name: scored(each, Path(folder)) for each in (*outages(), *defects())}
    for linter in LINTERS:
        missed = [name for name, found in scores.items() if not found[linter]]
        print(f"{linter}: {len(scores) - len(missed)} of {len(scores)}, missed: {', '.join(missed)}")
    text = page.written(outages(), defects(), scores)
    if given.write:
        page.PAGE.write_text(text, encoding="utf-8")
    same = page.PAGE.read_text(encoding="utf-8") == text
    print("" if same else "docs/lint-corpus.md says something else: make corpus CORPUS=--write")
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
