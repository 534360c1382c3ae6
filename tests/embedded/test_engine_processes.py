"""Engines and the processes that start them: many at once, killed ones, pipes, ports."""

from __future__ import annotations

import socket
import subprocess
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from provision.embedded import engine
from tests.embedded.conftest import alive, environment, installed, kept, put, run, script, wait_until
from tests.embedded.programs import ENGINES

ALL = """
root, found = Path(sys.argv[1]), {}
kinds = sys.argv[2].split()
def start(kind):
    found[kind] = engine(kind, kind, root).start()
threads = [threading.Thread(target=start, args=(kind,)) for kind in kinds]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
print(*(found[kind].pid for kind in kinds))
"""


def test_six_processes_at_once_start_one_engine_of_each_kind(root: Path) -> None:
    processes = [
        subprocess.Popen(
            script(ALL, root, " ".join(installed())),
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(6)
    ]
    answers = [process.communicate(timeout=60) for process in processes]
    assert [error for _, error in answers] == [""] * 6
    assert len({output for output, _ in answers}) == 1
    assert len(answers[0][0].split()) == len(installed())


def test_pipe_ends_with_the_command_and_the_engines_stay(root: Path) -> None:
    begin = time.monotonic()
    piped = ["sh", "-c", '"$@" 2>&1 | cat', "-", *script(ALL, root, " ".join(installed()))]
    done = subprocess.run(piped, env=environment(), timeout=30, stdout=subprocess.PIPE, text=True, check=True)
    assert time.monotonic() - begin < 20
    assert done.stdout.replace(" ", "").strip().isdigit(), done.stdout
    pids = [int(pid) for pid in done.stdout.split()]
    assert all(alive(pid) for pid in pids)
    for pid in pids:
        open_files = {Path(f"/proc/{pid}/fd/{number}").readlink() for number in (0, 1, 2)}
        assert not any(str(path).startswith(("pipe:", "/dev/pts")) for path in open_files)


@pytest.mark.parametrize("kind", ENGINES)
def test_start_killed_anywhere_is_finished_by_the_next(kind: str, root: Path) -> None:
    made = engine(kind, kind, root)
    for wait_s in (0.15, 0.4):
        source = "engine(sys.argv[1], sys.argv[1], Path(sys.argv[2])).start()"
        starter = subprocess.Popen(script(source, kind, root), env=environment())
        time.sleep(wait_s)
        starter.kill()
        starter.wait()
        put(made.start(), 1)
        assert kept(made.status()) == [1]
        made.reset()


@pytest.mark.parametrize("kind", ["clickhouse", "redis", "influx", "influx2", "weaviate"])
def test_port_taken_by_another_program_is_replaced(kind: str, root: Path) -> None:
    made = engine(kind, kind, root)
    first = made.start()
    put(first, 1)
    made.stop()
    assert first.url is not None
    port = urlsplit(first.url).port
    with socket.create_server(("127.0.0.1", port)):
        second = made.start()
        assert second.url is not None
        assert urlsplit(second.url).port != port
        assert kept(second) == [1]


@pytest.mark.parametrize("kind", ENGINES)
def test_watcher_ends_with_its_engine(kind: str, root: Path) -> None:
    made = engine(kind, kind, root)
    made.start()
    watchers = _watchers(root / kind)
    assert len(watchers) == 1
    made.stop()
    assert wait_until(lambda: not alive(watchers[0]), 3)


def _watchers(folder: Path) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if any(word.endswith(b"launch.py") for word in words) and bytes(folder) in words:
                found.append(int(entry.name))
    return found


def test_engines_of_a_store_name_are_told_apart(root: Path) -> None:
    first, second = (engine("redis", store, root) for store in ("orders", "events"))
    put(first.start(), 1)
    put(second.start(), 2)
    assert first.stop()
    assert second.status().state == "running"
    assert kept(second.status()) == [2]
    assert first.reset()
    assert second.reset()


def test_start_loads_no_driver_and_no_engine_in_the_caller(root: Path) -> None:
    source = ALL + "print([name for name in ('psycopg', 'chdb', 'redis', 'clickhouse_connect') if name in sys.modules])"
    assert run(script(source, root, " ".join(installed()))).splitlines()[1] == "[]"
