"""Runs Alembic in a process of its own, and answers what it asks of the run that it is a part of."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from provision.errors import FailedError, ProvisionError
from provision.model import Step, StoreOptions
from provision.ports import Journal
from provision.stores.postgres.migrate.shared_clock import Until

CHILD = Path(__file__).with_name("own_process_child.py")
TICK = 0.05  # seconds between two looks at the run lock, and at what the run was told
GONE = 5.0  # seconds that a process has to end by itself once it has said its last word


def run(options: StoreOptions, url: str, steps: Iterator[Step], journal: Journal, before: object) -> None:
    """Carry out the steps as `AlembicLane.run` does, in another process; `before` is the content that the run found.

    Raises what that raises.
    """
    with (
        _started() as (ours, until, process),
        Connection(os.dup(ours.fileno())) as connection,
        _deadline_passed_on(until, journal, process, ours),
    ):
        connection.send(list(sys.path))
        connection.send((options, url, journal.token, before))
        pulled: dict[str, Step] = {}
        answers = _answers(steps, journal, pulled)
        while True:
            try:
                name, arguments = connection.recv()
            except (EOFError, ConnectionError):
                raise _ended(options, process) from None
            if name == "ended":
                (error,) = arguments
                if error is not None:
                    raise error
                return
            _answer(connection, answers[name], arguments)
            if name == "pull" and pulled:
                next(reversed(pulled.values())).read_ahead()


def _unread(step: Step) -> Step:
    """As the other process gets it, which writes no entry itself."""
    return replace(step, revision=replace(step.revision, runs=None))


def _answers(steps: Iterator[Step], journal: Journal, pulled: dict[str, Step]) -> Mapping[str, Callable[..., object]]:
    """What the other process may ask, by name; adds to `pulled`, by id, what it pulls."""

    def pull() -> tuple[Step, int | None, Step | None, list[str]] | None:
        step = next(steps, None)
        if step is None:
            return None
        pulled[step.id], following = step, journal.follow()
        losing = [each.id for each in (step, following) if each is not None and journal.may_lose(each)]
        ahead = None if following is None else _unread(following)
        return _unread(step), journal.begin_at(step), ahead, losing

    return {
        "pull": pull,
        "event": lambda name, kind, fields: journal.event(pulled[name], kind, **fields),
        "check": journal.check,
        "note": lambda text, live: journal.note(text, live=live),
    }


def _answer(connection: Connection, answer: Callable[..., object], arguments: tuple[Any, ...]) -> None:
    try:
        found: tuple[str, object] = ("answer", answer(*arguments))
    except ProvisionError as error:
        found = ("raise", error)
    with suppress(BrokenPipeError, ConnectionError):  # it was killed meanwhile: reading from it says so
        connection.send(found)


def _until(journal: Journal) -> float:
    """The monotonic time up to which the lane need not ask before it sends something; in the past when it must."""
    try:
        journal.check()
    except Exception:  # whatever it is: the lane asks then, and is told
        return float("-inf")
    return journal.until


@contextmanager
def _deadline_passed_on(
    until: Until, journal: Journal, process: subprocess.Popen[bytes], ours: socket.socket
) -> Iterator[None]:
    """While the block runs, tell the other process how long it need not ask, and at once when it must.

    Once it has ended, what it said last is read and no more: children of its own may hold its end of the socket.
    """
    over = threading.Event()
    until.set(_until(journal))

    def keep() -> None:
        while not over.wait(TICK):
            until.set(_until(journal))
            if process.poll() is not None:
                ours.shutdown(socket.SHUT_RD)
                return

    thread = threading.Thread(target=keep, name="lane clock", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@contextmanager
def _started() -> Iterator[tuple[socket.socket, Until, subprocess.Popen[bytes]]]:
    ours, theirs = socket.socketpair()
    # The process ends when this pipe does, whatever becomes of us: nothing is sent for a run that is gone.
    life, held = os.pipe()
    with Until.made() as until:
        passed = (theirs.fileno(), until.descriptor, life)
        command = [sys.executable, "-P", str(CHILD), *map(str, passed)]
        process = subprocess.Popen(command, pass_fds=passed)
        theirs.close()
        os.close(life)
        try:
            yield ours, until, process
        finally:
            ours.close()
            os.close(held)
            _reaped(process)


def _reaped(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(GONE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _ended(options: StoreOptions, process: subprocess.Popen[bytes]) -> FailedError:
    code = process.wait(GONE)
    how = f"by {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"
    return FailedError(
        "process-ended",
        f"the process that ran the revisions of {options.name} was ended {how}",
        where=options.shown(options.path),
        fix="run the same command again: it finds out what became of the last statement",
    )
