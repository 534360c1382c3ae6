"""The few questions of a run that finds nothing to do, asked without redis-py: loading it costs more than all of them.

Whatever is no plain answer at once is left to redis-py, so that time limits, retries and words are its own.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, BinaryIO
from urllib.parse import SplitResult, unquote, urlsplit

from provision.net.keepalive import keep_alive

# Who needs longer is asked by redis-py, which waits as long as its time limits say.
SECONDS = 2.0
PORT = 6379


class NotPlain(Exception):
    """Raised where redis-py has to ask."""


class PlainRedis:
    """A connection that sends a command at a time; a second thread that comes meanwhile gets no answer."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._answers = connection.makefile("rb")
        self._lock = threading.Lock()

    def call(self, *words: str) -> Any:
        """The answer as the protocol has it: text, numbers and lists. Raises NotPlain."""
        if not self._lock.acquire(blocking=False):
            raise NotPlain
        try:
            self._connection.sendall(_sent(words))
            return _answer(self._answers)
        except (OSError, ValueError):
            raise NotPlain from None
        finally:
            self._lock.release()

    def close(self) -> None:
        self._answers.close()
        self._connection.close()


def opened(url: str) -> PlainRedis | None:
    """A connection to the database of the url; None where the url says more than that, or the server says no."""
    greeting = _greeting(url)
    if greeting is None:
        return None
    host, port, commands = greeting
    try:
        connection = socket.create_connection((host, port), SECONDS)
        keep_alive(connection)
        plain = PlainRedis(connection)
    except (OSError, ValueError):
        return None
    with suppress(NotPlain):
        if all(plain.call(*words) in ("OK", "PONG") for words in commands):
            return plain
    plain.close()
    return None


def _greeting(url: str) -> tuple[str, int, list[Sequence[str]]] | None:
    """Host, port and what is sent first."""
    try:
        parts = urlsplit(url)
        port = parts.port or PORT
    except ValueError:
        return None
    number = parts.path.removeprefix("/")
    if not _is_plain(parts) or not (number.isdecimal() or number == ""):
        return None
    commands: list[Sequence[str]] = []
    if parts.password:
        commands.append(("AUTH", *filter(None, (unquote(parts.username or ""), unquote(parts.password)))))
    if int(number or 0):
        commands.append(("SELECT", str(int(number))))
    commands.append(("PING",))  # a port that never answers is found out here
    return unquote(parts.hostname or ""), port, commands


def _is_plain(parts: SplitResult) -> bool:
    lone_user = bool(parts.username) and not parts.password
    return parts.scheme == "redis" and bool(parts.hostname) and not (parts.query or parts.fragment or lone_user)


def _sent(words: Sequence[str]) -> bytes:
    encoded = [word.encode("utf-8", "surrogateescape") for word in words]
    return b"*%d\r\n" % len(encoded) + b"".join(b"$%d\r\n%b\r\n" % (len(word), word) for word in encoded)


def _answer(answers: BinaryIO) -> Any:
    """One answer of RESP 2. Raises NotPlain for a refusal, a null and what is cut off, ValueError and OSError."""
    line = answers.readline()
    kind, said = line[:1], line[1:].removesuffix(b"\r\n")
    if not line.endswith(b"\r\n") or kind not in (b"+", b":", b"$", b"*"):
        raise NotPlain
    if kind == b"+":
        return _text(said)
    number = int(said)
    if kind == b":":
        return number
    if number < 0:
        raise NotPlain
    if kind == b"*":
        return [_answer(answers) for _ in range(number)]
    data = answers.read(number + 2)
    if len(data) != number + 2:
        raise NotPlain
    return _text(data[:-2])


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")
