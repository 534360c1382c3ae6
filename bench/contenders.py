"""The commands that are timed against each other, and the databases that they work on."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from bench import projects

BIN = Path(sys.executable).parent
LIMIT_S = 600.0


@dataclass(frozen=True, slots=True)
class Command:
    """One program run: its arguments, folder and variables."""

    arguments: Sequence[str]
    folder: Path
    variables: Mapping[str, str]

    def seconds(self) -> float:
        """Run it and return its wall time. Raises RuntimeError with its output when it does not end with 0."""
        environment = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), **self.variables}
        began = time.perf_counter()
        done = subprocess.run(
            self.arguments,
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
            check=False,
        )
        elapsed = time.perf_counter() - began
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(self.arguments)} ended with {done.returncode}\n{done.stdout}{done.stderr}")
        return elapsed


def provision(folder: Path, url: str, *arguments: str) -> Command:
    return Command((str(BIN / "provision"), *arguments), folder, {"BENCH_URL": url, "PROVISION_ENV": "bench"})


def alembic(folder: Path, url: str, *arguments: str) -> Command:
    ini = projects.postgres_ini(folder, url)
    return Command((str(BIN / "alembic"), "-c", str(ini), *arguments), folder, {})


def migrations(folder: Path, url: str, command: str, *more: str) -> Command:
    """clickhouse-migrations, without the log line for each file that it prints by default."""
    arguments = ["--driver", "clickhouse-connect", "--db-url", url, "--migrations-dir", str(folder / "clickhouse")]
    quiet = ["--log-level", "ERROR"]
    return Command((str(BIN / "clickhouse-migrations"), command, *arguments, *quiet, *more), folder, {})


def helped(program: str, folder: Path) -> Command:
    return Command((str(BIN / program), "--help"), folder, {})


def at(url: str, database: str) -> str:
    """The url with another database."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{database}"))
