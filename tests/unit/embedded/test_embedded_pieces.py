"""Records, locks, processes, login and codings, without an engine."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from provision.embedded import engine, process, record
from provision.embedded.clickhouse_server import coding
from provision.embedded.clickhouse_server.faults import EngineFault, QueryFault
from provision.embedded.clickhouse_server.request import understand
from provision.embedded.lock import locked
from provision.embedded.loopback import is_free
from provision.embedded.process import Process
from provision.embedded.record import Record
from provision.errors import FailedError


def test_record_is_private_and_comes_back(tmp_path: Path) -> None:
    known = Record("redis", "6.2", 1234, "secret", ready="1 2")
    record.save(tmp_path, known)
    assert record.load(tmp_path, "redis") == known
    assert (tmp_path / record.NAME).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("content", ["", "[]", '{"kind": "postgres"}', '{"kind": "redis", "port": "x", "password": 3}'])
def test_record_that_cannot_be_read_is_empty(tmp_path: Path, content: str) -> None:
    (tmp_path / record.NAME).write_text(content)
    assert record.load(tmp_path, "redis") == Record("redis")


def test_lock_is_held_by_one_and_survives_its_removal(tmp_path: Path) -> None:
    path, inside, most = tmp_path / "x.lock", [0], [0]

    def work(number: int) -> None:
        with locked(path, remove=number % 2 == 0):
            inside[0] += 1
            most[0] = max(most[0], inside[0])
            inside[0] -= 1

    threads = [threading.Thread(target=work, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1]


def test_lock_that_is_never_free_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "x.lock"
    with locked(path), pytest.raises(FailedError) as caught, locked(path, patience_s=0.01):
        raise AssertionError
    assert (caught.value.code, caught.value.where) == ("engine-busy", str(path))


def test_end_leaves_a_process_with_another_start_time(tmp_path: Path) -> None:
    sleeper = subprocess.Popen(["sleep", "60"])
    try:
        mark = process.mark_of(sleeper.pid)
        assert mark is not None
        process.end(Process(sleeper.pid, "1"), ((signal.SIGTERM, 1.0),))
        assert process.mark_of(sleeper.pid) == mark
        (tmp_path / process.NAME).write_text(f"{sleeper.pid} {mark} 1:1")
        assert process.running(tmp_path) is None
        (tmp_path / process.NAME).write_text(f"{sleeper.pid} {mark} {process.identity(tmp_path)}")
        assert process.running(tmp_path) == Process(sleeper.pid, mark)
        process.end(Process(sleeper.pid, mark), ())
        assert process.mark_of(sleeper.pid) is None
    finally:
        sleeper.kill()
        sleeper.wait()


def test_process_runs_until_its_last_thread_has_ended() -> None:
    """As a server of Go for a moment when it ends: the first thread is gone, another still listens."""
    script = (
        "import ctypes, socket, threading, time\n"
        "listener = socket.create_server(('127.0.0.1', 0))\n"
        "print(listener.getsockname()[1], flush=True)\n"
        "threading.Thread(target=time.sleep, args=(60,)).start()\n"
        "ctypes.CDLL(None).pthread_exit(None)\n"
    )
    child = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    try:
        assert child.stdout is not None
        port = int(child.stdout.readline())
        while ") Z " not in Path(f"/proc/{child.pid}/stat").read_text():
            time.sleep(0.01)
        mark = process.mark_of(child.pid)
        assert mark is not None
        assert not is_free(port)
        assert process.end(Process(child.pid, mark), ((signal.SIGTERM, 10.0),))
        assert is_free(port)
    finally:
        child.kill()
        child.communicate()


def test_engine_that_outlives_its_kill_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "running", lambda _: Process(7, "1"))
    monkeypatch.setattr(process, "end", lambda *_: False)
    (tmp_path / "redis").mkdir()

    with pytest.raises(FailedError) as caught:
        engine("redis", "redis", tmp_path).stop()

    assert (caught.value.code, caught.value.where) == ("engine-failed", "redis")
    assert caught.value.what == "the embedded redis of redis does not end, its process 7 was killed and is still there"


def test_unknown_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        ValueError, match="arango has no embedded engine; those that have: clickhouse, influx, postgres, "
    ):
        engine("arango", "arango", tmp_path)


@pytest.mark.parametrize("name", ["gzip", "deflate", "lz4", "zstd"])
def test_codings_come_back_in_pieces_and_frames(name: str) -> None:
    content = os.urandom(5000) + b"a" * 5000
    coded = b""
    for half in (content[:4000], content[4000:]) if name in ("lz4", "zstd") else (content,):
        found = coding.encoder(f"br, {name};q=1")
        assert found is not None
        assert found[0] == name
        coded += found[1].compress(half) + found[1].flush()
    decode = coding.decoder(name)
    assert b"".join(decode(coded[start : start + 700]) for start in range(0, len(coded), 700)) == content


def test_unknown_coding_is_refused() -> None:
    assert coding.encoder("br, identity") is None
    with pytest.raises(QueryFault, match=r"Code: 89\. DB::Exception: Unknown compression method: br\."):
        coding.decoder("br")


def test_request_takes_parameters_settings_and_protocol_apart() -> None:
    url = "query=SELECT+1&param_x=a%09b&max_threads=2&database=d&session_id=s&wait_end_of_query=1&readonly=0"
    request = understand(url, {}, iter(()), read_only=True)
    assert request.parameters == {"x": "a\tb"}
    assert request.settings == {"max_threads": "2", "readonly": "2"}
    assert (request.database, request.session, request.wait_end) == ("d", "s", True)


def test_data_of_an_insert_are_not_gathered() -> None:
    taken: list[int] = []

    def body() -> object:
        for number in range(3):
            taken.append(number)
            yield b"%d\n" % number

    request = understand("query=INSERT+INTO+t+FORMAT+CSV", {}, body(), read_only=False)  # type: ignore[arg-type]
    assert taken == []
    assert b"".join(request.data) == b"0\n1\n2\n"


def test_engine_fault_keeps_the_engines_words() -> None:
    fault = EngineFault(RuntimeError("x: Code: 60. DB::Exception: Table a.b does not exist. (UNKNOWN_TABLE)"))
    assert (fault.code, fault.state) == (60, 404)
    assert str(fault) == "Code: 60. DB::Exception: Table a.b does not exist. (UNKNOWN_TABLE)"
    assert (EngineFault(RuntimeError("odd")).code, EngineFault(RuntimeError("odd")).state) == (1001, 500)
