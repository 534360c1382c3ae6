"""A double is a process of its own, says that it is a double, and leaves with the one that started it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

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


@pytest.mark.parametrize(
    ("module", "options", "name"),
    [("arango", ["--password", "p"], "ArangoDB"), ("influx2", ["--token", "t", "--org", "o"], "InfluxDB")],
)
def test_start_line_and_every_header_say_double(module: str, options: list[str], name: str) -> None:
    command = [sys.executable, "-m", f"tests.doubles.{module}", "--port", "0", *options]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        line = child.stdout.readline()
        assert line.startswith(f"{name} contract double, no server: http://127.0.0.1:")
        wire = Wire(line.split()[-1])
        assert wire.send("GET", "/nothing").headers["server"] == f"{name} (contract double, no server)"
        wire.close()
        child.send_signal(signal.SIGTERM)
        assert child.wait(5) == 0


def test_version_says_double(arango: Wire, influx2: Wire) -> None:
    assert arango.made("GET", "/_api/version")["version"] == "3.12.10-double"
    assert influx2.send("GET", "/ping").headers["x-influxdb-version"] == "v2.7.12-double"


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
