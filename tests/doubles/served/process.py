"""A double in a process of its own: started on a free loopback port, ended with the one that asked for it."""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.doubles.served.server import LABEL, Double, Front, Listener

ROOT = Path(__file__).resolve().parents[3]
START_SECONDS = 60.0


def serve(double: Double, port: int) -> None:
    """Answer until SIGTERM or SIGINT; the first line on standard output says where."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    listener = Listener(port, Front(double))
    print(f"{double.name} {LABEL}: http://127.0.0.1:{listener.server_address[1]}", flush=True)
    try:
        listener.serve_forever(poll_interval=0.05)
    except KeyboardInterrupt:
        sys.exit(0)


def arguments(name: str) -> argparse.ArgumentParser:
    """The options that every double has."""
    parser = argparse.ArgumentParser(prog=f"python -m tests.doubles.{name}", description=f"{name} {LABEL}")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--parent", type=int, default=0, help="end when the process of this id does")
    return parser


def parsed(parser: argparse.ArgumentParser) -> argparse.Namespace:
    """What was asked for; from here on the process ends with the parent that was named, if one was."""
    asked = parser.parse_args()
    if asked.parent:
        threading.Thread(target=_leave_with, args=(asked.parent,), daemon=True).start()
    return asked


def _leave_with(parent: int) -> None:
    # The kernel's own signal comes with the end of the thread that started a process, not of its process.
    while os.getppid() == parent:
        time.sleep(0.2)
    os._exit(0)


@contextmanager
def running(module: str, options: Sequence[str] = ()) -> Iterator[str]:
    """The url of a double, alive inside. Raises AssertionError at the end when it gave an answer against the document.

    The process also ends when the one that started it is killed.
    """
    command = [sys.executable, "-m", module, "--port", "0", "--parent", str(os.getpid()), *options]
    child = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, start_new_session=True)
    try:
        url = _url(child)
        yield url
        wrong = counts(url)["invalid_answers"] if child.poll() is None else []
        assert not wrong, f"{module} broke its contract: {wrong[:3]}"
    finally:
        child.terminate()
        try:
            child.wait(5)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        if child.stdout is not None:
            child.stdout.close()


def counts(url: str) -> dict[str, Any]:
    """What a double saw so far: requests, and what was wrong with some of them."""
    return _own(url, "counts")


def reset(url: str) -> None:
    """Make a double forget what it keeps and what it counted, but for wrong answers of its own."""
    _own(url, "reset")


def _own(url: str, what: str) -> dict[str, Any]:
    with urllib.request.urlopen(f"{url}/_double/{what}", timeout=10) as answer:
        found: dict[str, Any] = json.loads(answer.read())
    return found


def _url(child: subprocess.Popen[str]) -> str:
    assert child.stdout is not None
    line = child.stdout.readline()
    if "http://" not in line:
        raise RuntimeError(f"the double did not start: {line.strip() or f'exit code {child.wait(START_SECONDS)}'}")
    return line.split()[-1]
