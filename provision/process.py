"""Names this process so that another one on the same machine can tell whether it still lives."""

from __future__ import annotations

import getpass
import os
import shlex
import socket
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from provision.model import Owner

OURS = ("provision", "validate-probability-data")
"""The programs of this package, whose arguments are never secret."""


def owner(environment: Mapping[str, str], commit: str = "") -> Owner:
    """This process as the owner of a lease; CI systems say where their run is to be seen."""
    url = environment.get("PROVISION_RUN_URL") or environment.get("CI_JOB_URL") or _github(environment)
    return Owner(f"{_user()}@{socket.gethostname()}", os.getpid(), identity(os.getpid()), _command(), commit, url)


def identity(pid: int) -> str:
    """Boot, pid namespace and start time: equal only for the very same process.

    Empty for one that is gone or only waits to be reaped, and where there is no /proc.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        namespace = os.readlink("/proc/self/ns/pid")
    except OSError:
        return ""
    state, *fields = stat.rsplit(")", 1)[1].split()
    return "" if state in "ZX" else f"{boot} {namespace} {fields[18]}"


def dead(holder: Owner) -> bool:
    """True only when the holder ran on this machine, in this pid namespace, and is gone."""
    mine = identity(os.getpid()).rsplit(" ", 1)[0]
    theirs = holder.process.rsplit(" ", 1)[0]
    return bool(mine) and mine == theirs and identity(holder.pid) != holder.process


def _command() -> str:
    """How this process was called; of a program that is not ours its name alone: its arguments may hold a secret."""
    program, *arguments = getattr(sys, "argv", None) or [""]  # an embedded interpreter may have none
    ours = Path(program).name in OURS or Path(program).parts[-3:] == ("provision", "cli", "main.py")
    if ours and any(" " in each for each in arguments):
        from provision.text.credentials import hidden  # a reason may quote a statement

        arguments = [hidden(each) for each in arguments]
    return shlex.join([Path(program).name, *(arguments if ours else ())])[:80]


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid{os.getuid()}"


def _github(environment: Mapping[str, str]) -> str:
    parts = [environment.get(f"GITHUB_{name}", "") for name in ("SERVER_URL", "REPOSITORY", "RUN_ID")]
    return f"{parts[0]}/{parts[1]}/actions/runs/{parts[2]}" if all(parts) else ""


def passed_on(names: Iterable[str] = ()) -> dict[str, str]:
    """The variables for a program of others: where programs and a home are, and `names`; never a url or a password."""
    wanted = {"PATH", "HOME", "TMPDIR", *names}
    return {"LC_ALL": "C.UTF-8"} | {name: value for name, value in os.environ.items() if name in wanted}
