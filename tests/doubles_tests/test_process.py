"""A double is a process of its own, says that it is a double, and leaves with the one that started it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.doubles.arango import arango_double
from tests.doubles.served.process import ROOT, counts
from tests.doubles_tests.wire import Wire

_STARTER = """
import time
from tests.doubles.arango import arango_double
with arango_double() as url:
    print(url, flush=True)
    time.sleep(60)
"""


def alive(url: str) -> bool:
    try:
        return bool(counts(url))
    except OSError:
        return False


def test_start_line_and_every_header_say_double() -> None:
    command = [sys.executable, "-m", "tests.doubles.arango", "--port", "0", "--password", "p"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        line = child.stdout.readline()
        assert line.startswith("ArangoDB contract double, no server: http://127.0.0.1:")
        wire = Wire(line.split()[-1])
        assert wire.send("GET", "/nothing").headers["server"] == "ArangoDB (contract double, no server)"
        wire.close()
        child.send_signal(signal.SIGTERM)
        assert child.wait(5) == 0


def test_version_says_double(arango: Wire) -> None:
    assert arango.made("GET", "/_api/version")["version"] == "3.12.10-double"


def test_double_is_gone_after_its_block() -> None:
    with arango_double(version="3.10.0") as url:
        wire = Wire(url)
        assert wire.made("GET", "/_api/version")["version"] == "3.10.0"
        wire.close()
    assert not alive(url)


def test_double_ends_with_a_killed_parent() -> None:
    with subprocess.Popen([sys.executable, "-c", _STARTER], cwd=ROOT, stdout=subprocess.PIPE, text=True) as starter:
        assert starter.stdout is not None
        url = starter.stdout.readline().strip()
        assert alive(url)
        os.kill(starter.pid, signal.SIGKILL)
        starter.wait()
        ends = time.monotonic() + 5
        while alive(url) and time.monotonic() < ends:
            time.sleep(0.02)
        assert not alive(url)


def test_no_shipped_module_knows_a_double() -> None:
    shipped = (path for path in Path(ROOT / "provision").rglob("*.py") if "tests.doubles" in path.read_text())
    assert list(shipped) == []
