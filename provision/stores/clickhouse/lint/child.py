"""Run as a program: a JSON list of statements on stdin, what the engine's parser says of each as a list on stdout.

In a process of its own, because an engine that stops takes its process along. EXPLAIN AST parses and runs nothing.
"""

from __future__ import annotations

import json
import sys
from typing import Any


def main() -> None:
    import chdb

    connect: Any = chdb.connect
    connection = connect(":memory:")  # without one, each statement would open an engine of its own
    found = []
    for text in json.load(sys.stdin):
        try:
            found.append([str(connection.query(f"EXPLAIN AST {text}", "TabSeparatedRaw")), ""])
        except RuntimeError as error:
            found.append(["", str(error)])
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
