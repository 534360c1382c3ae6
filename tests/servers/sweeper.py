"""Removes a folder when the test run that made it is killed: embedded engines, and PostgreSQL, end without theirs."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

_SCRIPT = """
import shutil, sys, time
if sys.stdin.read() != "done":
    for _ in range(5):
        shutil.rmtree(sys.argv[1], ignore_errors=True)
        time.sleep(1)
"""


class Sweeper:
    """A process of its own session that waits for the end of this one."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _SCRIPT, str(folder)],
            stdin=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def sweep(self) -> None:
        """Remove the folder; nothing is waited for any more."""
        shutil.rmtree(self._folder, ignore_errors=True)
        self._process.communicate("done")
