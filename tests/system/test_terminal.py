"""What a person sees at a terminal of 80 columns: nothing wraps, and what loses data is asked about."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios

import pytest

from . import sites
from .sites import Site

# What is printed does not hang on the servers.
pytestmark = pytest.mark.parametrize("started", ["embedded"], indirect=True)
COLUMNS = 80
_WIPED = re.compile(r"[^\n\r]*\r\x1b\[2K")  # a line that was shown only for a while
_COLOUR = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


def at_terminal(site: Site, *arguments: str, answer: str = "") -> tuple[int, list[str]]:
    """Run the installed program at a terminal and type `answer`: its exit code and its lines, without colours."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, COLUMNS, 0, 0))
    dropped = ("PROVISION_ENV", "COLUMNS", "NO_COLOR")
    variables = {key: value for key, value in os.environ.items() if key not in dropped} | site.variables
    process = subprocess.Popen(
        [sites.PROGRAM, *arguments, "--env", site.environment],
        cwd=site.folder,
        env=variables | {"TERM": "xterm-256color"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    if answer:
        os.write(ours, f"{answer}\n".encode())
    told = b""
    try:
        while part := os.read(ours, 65536):
            told += part
    except OSError:
        pass  # how Linux says that the other side has closed
    os.close(ours)
    lines = _COLOUR.sub("", _WIPED.sub("", told.decode())).replace("\r", "").splitlines()
    return process.wait(60), lines


def test_refused_loss_is_shown_readably_and_changes_nothing(site: Site) -> None:
    before = site.events()
    code, lines = at_terminal(site, "down", "clickhouse/004", answer="no")
    assert code == 3
    shown = lines[: next(place for place, line in enumerate(lines) if line.startswith("2 steps lose data"))]
    assert [line for line in shown if line not in ("no", f"vfr · {site.environment}")] == [
        "  clickhouse/006  drops table model_performance and its rows",
        "  clickhouse/005  drops table confidence_monitoring and its rows",
    ]
    assert site.events() == before


def test_steps_and_states_fit_the_terminal(site: Site) -> None:
    code, down = at_terminal(site, "down", "clickhouse/004", answer="yes")
    assert (code, down[-1].split(" in ")[0]) == (0, "7 reverted")
    code, status = at_terminal(site, "status")
    assert (code, status[-1]) == (0, f"next: provision up --env {site.environment}")
    code, up = at_terminal(site, "up")
    assert (code, up[-1].split(" in ")[0]) == (0, "7 applied")
    steps = [line for line in (*down, *status, *up) if re.match(r" +[↩✓·] clickhouse/00[567] ", line)]
    assert len(steps) == 9
    assert max(map(len, steps)) <= COLUMNS
