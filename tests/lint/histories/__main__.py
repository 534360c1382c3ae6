"""`make lint-histories`: finds again, and holds docs/lint-false-alarms.md to what is found.

Ends with 1 where a finding is not judged, where the page differs, or where fewer than 95 of 100 are right. `--write`
writes the page: what a server has measured is judged by it, the rest keeps what a reader wrote; `?` is not judged yet.
"""

from __future__ import annotations

import argparse
import sys

from tests.lint.histories import page
from tests.lint.histories.projects import ALL


def main() -> int:
    """Exit code."""
    parser = argparse.ArgumentParser(prog="lint-histories")
    parser.add_argument("--write", action="store_true", help="write the page")
    parser.add_argument("names", nargs="*", choices=[*ALL, []], help="these alone")
    given = parser.parse_args()
    histories = [ALL[name]() for name in given.names or ALL]
    rows = {each.name: page.rows(each, page.judgements()) for each in histories}
    if given.write:
        page.write(histories, rows)
    wrong = [*page.differences(rows), *page.shortfalls(rows)]
    for each in histories:
        right = sum(row.verdict == "right" for row in rows[each.name])
        print(f"{each.name}: {len(rows[each.name])} errors in {each.files} files, {right} right")
    print("\n".join(wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
