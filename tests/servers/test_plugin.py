"""The servers of a test run: all at once, none left behind, a missing one named."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.servers.required import NAMES

REPOSITORY = Path(__file__).resolve().parents[2]
RUN = [sys.executable, "-m", "pytest", "-p", "tests.servers.plugin", "-p", "no:cacheprovider", "-n", "0", "-s"]
NATIVE = ("postgres_15", "redis_7", "influx_1", "influx_2", "weaviate")
LAUNCHED = """
from tests.servers.plugin import servers

def test_first(redis_7, pytestconfig):
    made = servers(pytestconfig).running
    assert sorted(made) == sorted({names!r})
    print("folder", servers(pytestconfig).folder)
    print("pids", *(each.process.pid for each in made.values() if getattr(each, "process", None)))

def test_others({arguments}):
    print("all are ready", flush=True)
    import time
    time.sleep({seconds})
"""


def variables(**more: str) -> dict[str, str]:
    mine = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST_", "PROVISION_TEST"))}
    return mine | {"PYTHONPATH": str(REPOSITORY)} | more


def started(folder: Path, names: tuple[str, ...], seconds: int) -> subprocess.Popen[str]:
    """A test run of its own whose second test goes on for that long once the servers answer."""
    text = LAUNCHED.format(names=names, arguments=", ".join(names), seconds=seconds)
    (folder / "test_it.py").write_text(text, encoding="utf-8")
    return subprocess.Popen(
        [*RUN, str(folder)],
        cwd=folder,
        env=variables(PROVISION_TEST_REQUIRE="all"),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        # A shell hands "ignored" down to what it starts in the background.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def under(folder: str) -> list[int]:
    """The processes that work in a folder or below."""
    found = []
    for each in Path("/proc").glob("[0-9]*"):
        try:
            working = os.readlink(each / "cwd")
        except OSError:
            continue
        if working.startswith(folder) and alive(int(each.name)):
            found.append(int(each.name))
    return found


def test_servers_that_the_tests_name_are_launched_together(tmp_path: Path) -> None:
    run = started(tmp_path, NATIVE, 0)
    out, _ = run.communicate(timeout=120)
    assert run.returncode == 0, out
    folder = re.findall(r"folder (\S+)", out)[0]
    assert len(re.findall(r"pids (.*)", out)[0].split()) == len(NATIVE)
    assert under(folder) == []
    assert not Path(folder).exists()


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_servers_end_with_the_run_however_it_ends(tmp_path: Path, end: signal.Signals) -> None:
    run = started(tmp_path, (*NATIVE, "redis_6", "clickhouse_embedded"), 120)
    assert run.stdout is not None
    told = ""
    while "all are ready" not in told:
        line = run.stdout.readline()
        assert line, told
        told += line
    folder = re.findall(r"folder (\S+)", told)[0]
    assert len(under(folder)) >= len(NATIVE)
    os.killpg(run.pid, end)
    run.communicate(timeout=60)
    deadline = time.monotonic() + 20
    while (left := under(folder)) or Path(folder).exists():
        assert time.monotonic() < deadline, [Path(f"/proc/{pid}/cmdline").read_text() for pid in left] or folder
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("required", "outcome"),
    [("", "1 skipped"), ("postgres,weaviate", "1 skipped"), ("redis", "1 error"), ("all", "1 error")],
)
def test_missing_server_is_named_and_fails_where_it_is_required(tmp_path: Path, required: str, outcome: str) -> None:
    (tmp_path / "test_it.py").write_text("def test_it(redis_7): pass\n", encoding="utf-8")
    run = subprocess.run(
        [*RUN, *(["-rE"] if outcome == "1 error" else []), str(tmp_path)],
        cwd=tmp_path,
        env=variables(PATH=str(tmp_path), PROVISION_TEST_REQUIRE=required),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert outcome in run.stdout
    assert "not run: no redis-server 7 (apt-get install redis-server)" in run.stdout


def test_unknown_name_among_the_required_is_refused(tmp_path: Path) -> None:
    run = subprocess.run(
        [*RUN, str(tmp_path)],
        cwd=tmp_path,
        env=variables(PROVISION_TEST_REQUIRE="postgres,redys"),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == pytest.ExitCode.USAGE_ERROR
    known = ", ".join(NAMES)
    assert run.stderr.strip() == f"ERROR: PROVISION_TEST_REQUIRE names redys; known: {known}, all"
