"""A project, and the command line in a process that finds what is installed in a folder."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.servers.command_line import Ran, masked

PACKAGE = Path(__file__).parents[1] / "fixtures" / "seventh_store"
PROGRAM = Path(sys.executable).with_name("provision")
TOML = """\
[project]
name = "shop"
home = "sqlite"

[stores.sqlite]

[environments.test]
sqlite.url = "sqlite:///shop.db"
"""
_TABLE = "sql: {run: 'create table orders (id integer primary key, amount real, at text)', undo: drop table orders}"
_INDEX = "sql: {run: create index by_amount on orders (amount), undo: drop index by_amount}"
DOCUMENTS = {"0001_orders": f"up:\n  - {_TABLE}\ndown: auto\n", "0002_index": f"up:\n  - {_INDEX}\ndown: auto\n"}
SUITE = """\
store: sqlite
table: orders
time: at
checks:
  - {name: amounts, severity: high, not_null: amount, sample: [id]}
  - {name: sizes, range: {column: amount, min: 1, allow_null: true}, sample: [id, amount], mask: [amount]}
"""


@dataclass(frozen=True)
class Shop:
    """`site` is on PYTHONPATH of every process, and of no other."""

    root: Path
    site: Path

    def __call__(self, *arguments: object, **variables: str) -> Ran:
        """Run `provision` in the project's environment `test`; whatever comes of it, there is no traceback."""
        known = {**os.environ, "PYTHONPATH": str(self.site), "PYTHONDONTWRITEBYTECODE": "1", "PROVISION_ENV": "test"}
        ran = subprocess.run(
            [PROGRAM, *map(str, arguments)],
            cwd=self.root,
            env={**known, **variables},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        out, err = (masked(text).replace(str(self.root), "PROJECT") for text in (ran.stdout, ran.stderr))
        assert "Traceback" not in out + err, err
        return Ran(ran.returncode, out, err)

    def completed(self, *words: str) -> list[str]:
        """What a shell offers for the last of the words."""
        line = {"COMP_WORDS": " ".join(("provision", *words)), "COMP_CWORD": str(len(words))}
        ran = self(_PROVISION_COMPLETE="complete_bash", **line)
        return ran.out.split()
