"""Real servers for the tests, one of each per session: Debian's PostgreSQL 15 and Redis 7, and the embedded engines."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest
import redis

from provision import embedded
from provision.errors import ConfigError

DEBIAN_15 = Path("/usr/lib/postgresql/15/bin")
READY_WITHIN_SECONDS = 30.0
_QUICK = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "listen_addresses": "127.0.0.1"}


def not_run(what: str, source: str) -> None:
    """Skip with the reason; fail instead where every server is required."""
    say = pytest.fail if os.environ.get("PROVISION_REQUIRE_SERVERS") == "1" else pytest.skip
    say(f"not run: no {what} ({source})")


@contextmanager
def embedded_url(kind: str) -> Iterator[str]:
    """The url of an embedded engine of a new folder, gone with the block."""
    place = Path(tempfile.mkdtemp(prefix=f"provision-{kind}-"))
    engine = embedded.engine(kind, kind, place / ".provision")
    try:
        url = engine.start().url
    except ConfigError as error:
        shutil.rmtree(place)
        return not_run(f"embedded {kind}", error.fix)
    assert url is not None
    try:
        yield url
    finally:
        engine.reset()
        shutil.rmtree(place)


@contextmanager
def postgres_15_url(*preload: str) -> Iterator[str]:
    """The url of a private PostgreSQL 15 on a socket. `preload` are libraries such as pg_cron, pg_partman_bgw.

    On the same port of loopback it asks for passwords.
    """
    if not (DEBIAN_15 / "postgres").exists():
        return not_run("PostgreSQL 15", "apt-get install postgresql-15")
    place = Path(tempfile.mkdtemp(prefix="provision-pg15-"))
    port = _free_port()
    settings = _QUICK | {
        "port": str(port),
        "unix_socket_directories": str(place),
        "shared_preload_libraries": ",".join(preload),
    }
    become: list[str] = []
    if os.getuid() == 0:
        shutil.chown(place, "postgres", "postgres")
        become = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
    data = str(place / "data")
    initdb = [*become, str(DEBIAN_15 / "initdb"), "-D", data, "-U", "postgres", "-E", "UTF8"]
    initdb += ["--auth-local=trust", "--auth-host=scram-sha-256"]
    subprocess.run([*initdb, "--locale=C.UTF-8", "--no-sync"], check=True, stdout=subprocess.DEVNULL, cwd=place)
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    # The server ends with the test run, even where that one is killed.
    bound = ["setpriv", "--pdeathsig", "INT"] if become else []
    with (place / "log").open("wb") as log:
        command = [*become, *bound, str(DEBIAN_15 / "postgres"), "-D", data, *options]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=place)
    url = f"postgresql://postgres@/postgres?host={quote(str(place), safe='')}&port={port}"
    try:
        _until_ready(lambda: psycopg.connect(url).close(), psycopg.OperationalError, process, place / "log")
        yield url
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(20)
        shutil.rmtree(place)


@contextmanager
def redis_7_url() -> Iterator[str]:
    """The url of a private Redis 7 on a free port of loopback."""
    program = shutil.which("redis-server")
    if program is None:
        return not_run("redis-server 7", "apt-get install redis-server")
    place = Path(tempfile.mkdtemp(prefix="provision-redis7-"))
    port = _free_port()
    options = ["--port", str(port), "--bind", "127.0.0.1", "--dir", str(place), "--save", "", "--requirepass", "word"]
    with (place / "log").open("wb") as log:
        process = subprocess.Popen([program, *options], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    url = f"redis://:word@127.0.0.1:{port}/0"

    def answers() -> None:
        with redis.Redis.from_url(url) as client:
            client.ping()

    try:
        _until_ready(answers, redis.ConnectionError, process, place / "log")
        yield url
    finally:
        process.terminate()
        process.wait(20)
        shutil.rmtree(place)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _until_ready(
    ask: Callable[[], object], refused: type[Exception], process: subprocess.Popen[bytes], log: Path
) -> None:
    deadline = time.monotonic() + READY_WITHIN_SECONDS
    while True:
        try:
            ask()
            return
        except refused as error:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the server did not start:\n{log.read_text()[-1500:]}") from error
        time.sleep(0.02)
