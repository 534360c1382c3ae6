"""The package's own tests, run as its author runs them: SQLite passes the suite that every store passes."""

from __future__ import annotations

import os
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from provision.testing.contract import suite
from provision.testing.contract.running import needed
from tests.servers.running import roomy

# A file has no other tool's table, no statement outside the revision's transaction, no connection that can be cut.
LACKS = {"peer", "statements", "in_flight", "keeps_connection"}


def test_sqlite_passes_the_suite(installed: Path, tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    place = {"TMPDIR": roomy() or str(tmp_path)}
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests", f"--junitxml={report}"],
        cwd=installed.with_name("source"),
        env={**os.environ, **place, "PYTHONPATH": str(installed), "PYTHONDONTWRITEBYTECODE": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )

    assert ran.returncode == 0, ran.stdout + ran.stderr
    cases = ElementTree.parse(report).iter("testcase")
    done = {case.attrib["name"]: "skipped" if case.find("skipped") is not None else "passed" for case in cases}
    assert done == dict(_expected())
    assert list(done.values()).count("passed") > 25


def _expected() -> list[tuple[str, str]]:
    lacking = {name: needed(getattr(suite, name)) in LACKS for name in suite.__all__}
    return [
        (f"{name}[nobody]", "skipped") if lacks else (f"{name}[sqlite]", "passed") for name, lacks in lacking.items()
    ]
