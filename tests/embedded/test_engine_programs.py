"""InfluxDB and Weaviate of PATH: nobody enters without the password, all that can be said listens on loopback only."""

from __future__ import annotations

import os
import socket
import subprocess
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from provision.embedded import engine
from provision.embedded.programs import program
from tests.embedded.conftest import kept, put
from tests.servers import rest

WORD = "made-up-word"


@pytest.mark.parametrize("kind", ["influx"])
@pytest.mark.parametrize("login", ["", f"provision:{WORD}@"])
def test_influx_without_the_password_is_refused(kind: str, login: str, root: Path) -> None:
    url = engine(kind, kind, root).start().url
    assert url is not None
    keys = {"url": f"http://{login}127.0.0.1:{urlsplit(url).port}"}
    status, answer = rest.sent(keys, "POST", "/query?q=SHOW+DATABASES")
    assert (status, list(answer)) == (401, ["error"])


@pytest.mark.parametrize("kind", ["influx2"])
@pytest.mark.parametrize("option", ["", f"?token={WORD}"])
def test_influx_2_without_the_token_is_refused(kind: str, option: str, root: Path) -> None:
    url = engine(kind, kind, root).start().url
    assert url is not None
    keys = {"url": f"http://127.0.0.1:{urlsplit(url).port}{option}", "org": "provision"}
    assert rest.sent(keys, "GET", "/api/v2/buckets") == (
        401,
        {"code": "unauthorized", "message": "unauthorized access"},
    )


@pytest.mark.parametrize("kind", ["weaviate"])
@pytest.mark.parametrize("option", ["", f"?token={WORD}"])
def test_weaviate_without_the_key_is_refused(kind: str, option: str, root: Path) -> None:
    url = engine(kind, kind, root).start().url
    assert url is not None
    port = urlsplit(url).port
    assert port is not None
    assert rest.sent({"url": f"http://127.0.0.1:{port}{option}"}, "GET", "/v1/schema")[0] == 401
    assert _exchange(port + 5) == 401


def _exchange(port: int) -> int:
    """The status with which the port of the data exchange answers one who has no password."""
    return rest.asked("GET", f"http://127.0.0.1:{port}/nodes/status", None, {})[0]


@pytest.mark.parametrize("kind", ["influx", "influx2", "weaviate"])
def test_password_is_on_no_command_line(kind: str, root: Path) -> None:
    status = engine(kind, kind, root).start()
    assert status.url is not None
    secret = _secret(status.url)
    assert len(secret) == 32
    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert secret not in listed


@pytest.mark.parametrize("kind", ["influx", "influx2"])
def test_influx_listens_on_loopback_only(kind: str, root: Path) -> None:
    status = engine(kind, kind, root).start()
    assert status.url is not None
    port = urlsplit(status.url).port
    assert port is not None
    assert _listening(status.pid) == {f"127.0.0.1:{port + more}" for more in range(2 if kind == "influx" else 1)}


@pytest.mark.parametrize("kind", ["influx", "influx2"])
def test_influx_whose_record_and_server_are_gone_keeps_its_password(kind: str, root: Path) -> None:
    made = engine(kind, kind, root)
    first = made.start()
    put(first, 1)
    made.stop()
    (root / kind / "engine.json").unlink()
    again = made.start()
    assert again.url is not None
    assert first.url is not None
    assert _secret(again.url) == _secret(first.url)
    assert kept(again) == [1]


@pytest.mark.parametrize("kind", ["weaviate"])
def test_weaviate_whose_second_port_was_taken_moves_with_its_data(kind: str, root: Path) -> None:
    made = engine(kind, kind, root)
    first = made.start()
    put(first, 1)
    made.stop()
    assert first.url is not None
    port = urlsplit(first.url).port
    assert port is not None
    with socket.create_server(("127.0.0.1", port + 1)):
        second = made.start()
        assert second.url is not None
        assert urlsplit(second.url).port != port
        assert kept(second) == [1]


@pytest.mark.parametrize("kind", ["influx", "influx2", "weaviate"])
def test_a_port_that_is_taken_for_a_moment_is_tried_again(
    kind: str, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Path(program(kind, kind))
    (tmp_path / real.name).write_text(
        f"#!/bin/sh\n[ -e '{tmp_path}/tried' ] || [ \"$1\" = version ] && exec '{real}' \"$@\"\n: >'{tmp_path}/tried'\n"
        "echo 'failed to start: listen tcp 127.0.0.1: bind: address already in use' >&2\nexit 1\n"
    )
    (tmp_path / real.name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    put(engine(kind, kind, root).start(), 1)

    assert (tmp_path / "tried").exists()


def _secret(url: str) -> str:
    """The password or token of a url."""
    parts = urlsplit(url)
    return parts.password or parts.query.rpartition("token=")[2]


def _listening(pid: int | None) -> set[str]:
    """Where the process listens, as address:port."""
    sockets = set()
    for each in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            sockets.add(os.readlink(each))
    found = set()
    for name in ("tcp", "tcp6"):
        for line in Path(f"/proc/{pid}/net/{name}").read_text().splitlines()[1:]:
            parts = line.split()
            if parts[3] == "0A" and f"socket:[{parts[9]}]" in sockets:
                address, port = parts[1].split(":")
                shown = ".".join(str(int(address[i : i + 2], 16)) for i in (6, 4, 2, 0)) if name == "tcp" else address
                found.add(f"{shown}:{int(port, 16)}")
    return found
