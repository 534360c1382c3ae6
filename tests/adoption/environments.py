"""A virtual environment for each project, with provision in it, kept in a cache folder outside of the repository."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path

from tests.adoption.projects import Adopted

ROOT = Path(__file__).parents[2]
PINS = Path(__file__).parent / "requirements"
_PIP = ("--disable-pip-version-check", "--no-input", "-q")


def cache() -> Path:
    """The folder of all of them."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "provision-adoption"


def pins(project: Adopted) -> Path:
    return PINS / f"{project.pins or project.name}.txt"


def version(project: Adopted) -> str:
    """The pinned version of the project's own package."""
    lines = pins(project).read_text(encoding="utf-8").lower().splitlines()
    return next(line.split("==")[1] for line in lines if line.split("==")[0] == project.package)


def wheel(folder: Path) -> Path:
    """The wheel of this tree, built with the build tools of the environment that the tests run in."""
    build = ["wheel", *_PIP, "--no-deps", "--no-build-isolation", "-w", str(folder), str(ROOT)]
    run([sys.executable, "-m", "pip", *build], folder)
    return next(folder.glob("provision_toolkit-*.whl"))


def environment(project: Adopted, built: Path) -> Path:
    """The environment of a project: its pins and provision in one `pip install`, as a user has them.

    One that is there with the same pins keeps all but provision, which is installed anew.
    """
    place = cache() / f"{project.pins or project.name}-{_digest(project)}"
    python = place / "bin" / "python"
    if not (place / "complete").is_file():
        shutil.rmtree(place, ignore_errors=True)
        run([sys.executable, "-m", "venv", str(place)], built.parent)
        install = ["install", *_PIP, "--no-compile", "--only-binary", ":all:", "-r", str(pins(project)), str(built)]
        run([str(python), "-m", "pip", *install], built.parent)
        (place / "complete").touch()
    else:
        again = ["install", *_PIP, "--no-deps", "--force-reinstall", str(built)]
        run([str(python), "-m", "pip", *again], built.parent)
    return place


def packages(place: Path) -> Path:
    """Its site-packages."""
    return next(place.glob("lib/python*/site-packages"))


def run(
    command: list[str], folder: Path, variables: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run it; it must end with 0. Raises AssertionError with everything that it printed."""
    # Compiled files are kept: each project is imported a dozen times.
    kept = {key: value for key, value in os.environ.items() if key not in ("PROVISION_ENV", "PYTHONDONTWRITEBYTECODE")}
    done = subprocess.run(
        command,
        cwd=folder,
        env={**kept, **(variables or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=1500,
        check=False,
    )
    assert done.returncode == 0, f"{' '.join(command)}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


def _digest(project: Adopted) -> str:
    """Changes with the pins, Python, and what provision itself asks for."""
    asked = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    parts = (pins(project).read_text(encoding="utf-8"), sys.version, *asked)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]
