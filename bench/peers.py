"""The tools that a bench measures beside, each in a virtual environment of its own: none of them is a need of ours.

`venv` makes `.venv-peer-…` in the root when it is first asked for, from a package index; later runs find it.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
# What the figures of docs/performance.md are of.
WANTED = {
    "great_expectations": "great_expectations[postgresql]==1.24.1",
    "soda-core": "soda-postgres==4.28.0",
    "reladiff": "reladiff[postgresql]==0.6.0",
}


def venv(package: str, given: Path | None = None) -> Path:
    """The environment that holds the package: the one that was given, or the bench's own, made where it is not there.

    Raises subprocess.CalledProcessError where it cannot be installed.
    """
    if given is not None:
        return given
    folder = ROOT / f".venv-peer-{package}"
    made = folder / "made.txt"
    if not made.is_file() or made.read_text(encoding="utf-8") != WANTED[package]:
        print(f"installing {WANTED[package]} in {folder.name}", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        quiet = ("-q", "--no-input", "--disable-pip-version-check")
        subprocess.run([folder / "bin" / "pip", "install", *quiet, WANTED[package]], check=True)
        made.write_text(WANTED[package], encoding="utf-8")
    return folder


def version(package: str, folder: Path) -> str:
    """The version of the package that the environment holds."""
    code = f"from importlib.metadata import version; print(version('{package}'))"
    done = subprocess.run([folder / "bin" / "python", "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()
