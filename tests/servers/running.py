"""A real server in a folder of its own: launched, waited for, stopped; killed and started again on its data."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import ClassVar

from tests.servers.required import not_run

HOST = "127.0.0.1"
READY_WITHIN_SECONDS = 60.0
ATTEMPTS = 3
# What the servers say when another program took their port between its choice and their start.
_PORT_TAKEN = ("ddress already in use", "could not bind", "Could not create server TCP")


def roomy() -> str | None:
    """A file system in memory, where databases are quicker; None where there is no roomy one."""
    place = "/dev/shm"
    return place if Path(place).is_dir() and shutil.disk_usage(place).free > 2 << 30 else None


def free_ports(count: int) -> list[int]:
    """Ports of loopback that are free at this moment."""
    sockets = [socket.create_server((HOST, 0)) for _ in range(count)]
    ports = [int(each.getsockname()[1]) for each in sockets]
    for each in sockets:
        each.close()
    return ports


def answers(url: str) -> bool:
    """Whether a GET is answered with a success."""
    try:
        with urllib.request.urlopen(url, timeout=2):
            return True
    except OSError:
        return False


class Server:
    """A kind of server. It leads a session of its own, so that Ctrl-C reaches the tests only, and ends with them."""

    name: ClassVar[str]
    """Its name in PROVISION_TEST_REQUIRE."""
    what: ClassVar[str]
    source: ClassVar[str]
    ports: ClassVar[int] = 1
    url: str

    def __init__(self, place: Path | None = None) -> None:
        self.place = place or Path(tempfile.mkdtemp(prefix=f"provision-{self.name}-", dir=roomy()))
        self.place.mkdir(exist_ok=True)
        self.process: subprocess.Popen[bytes] | None = None
        self.listens: list[int] = []

    def program(self) -> str | None:
        """The server's program; None where it is not installed."""
        raise NotImplementedError

    def command(self, program: str) -> tuple[list[str], dict[str, str]]:
        """What to execute, with the environment variables besides PATH; sets `url`."""
        raise NotImplementedError

    def ready(self) -> bool:
        """Whether it answers, prepared for the tests."""
        raise NotImplementedError

    def launch(self) -> None:
        """Start it without waiting; where it is not installed, nothing happens: `wait` says so."""
        program = self.program()
        if program is None:
            return
        self.listens = self.listens or free_ports(self.ports)
        argv, variables = self.command(program)
        with (self.place / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [*bound(), *argv],
                env={"PATH": os.environ["PATH"], "HOME": str(self.place), "LC_ALL": "C.UTF-8", **variables},
                cwd=self.place,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def wait(self) -> None:
        """Return when it answers. A missing one is skipped or fails; one that does not start raises RuntimeError."""
        if self.process is None:
            not_run(self.what, self.source, self.name)
        for attempt in range(ATTEMPTS):
            if self._answers():
                return
            self.kill()
            said = (self.place / "log").read_text(errors="replace")
            if attempt == ATTEMPTS - 1 or not any(word in said for word in _PORT_TAKEN):
                raise RuntimeError(f"{self.what} did not start:\n{said[-1500:]}")
            shutil.rmtree(self.place)
            self.place.mkdir()
            self.listens = []
            self.launch()

    def start_again(self) -> None:
        """Start one that was killed or stopped: the same data, the same address."""
        for _ in range(ATTEMPTS):
            self.launch()
            if self._answers():
                return
            self.kill()
        raise RuntimeError(f"{self.what} did not start again:\n{(self.place / 'log').read_text()[-1500:]}")

    def kill(self) -> None:
        """SIGKILL, as a machine that loses its power."""
        self._signal(signal.SIGKILL)
        if self.process is not None:
            self.process.wait(20)

    def stop(self) -> None:
        """End it and remove its folder."""
        self.ask_to_stop()
        try:
            if self.process is not None:
                self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.kill()
        shutil.rmtree(self.place, ignore_errors=True)

    def ask_to_stop(self) -> None:
        """Signal its end without waiting for it."""
        self._signal(signal.SIGTERM)

    def _signal(self, number: signal.Signals) -> None:
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, number)

    def _answers(self) -> bool:
        """Wait until it answers; False when it ended or fell silent instead."""
        assert self.process is not None
        deadline = time.monotonic() + READY_WITHIN_SECONDS
        while self.process.poll() is None and time.monotonic() < deadline:
            if self.ready():
                return True
            time.sleep(0.02)
        return False

    def __enter__(self) -> Server:
        try:
            self.launch()
            self.wait()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def bound() -> list[str]:
    """The words before a command that end it when this process ends, however that happens (Linux)."""
    program = shutil.which("setpriv")
    return [program, "--pdeathsig", "TERM", "--"] if program else []
