"""Waits for an answer over HTTP as long as the server still answers anybody: a question may take hours.

A peer that takes every packet and answers nothing is not found by the kernel. So who waits looks from another
connection, again and again, whether the server is there.
"""

from __future__ import annotations

import io
import socket
import time
from typing import Any

from provision.threads import watched

# Seconds without a byte before a server is looked at, and that such a look may take.
LOOK_SECONDS, ANSWER_SECONDS = 10.0, 5.0
REQUEST = b"GET / HTTP/1.0\r\n\r\n"


def attentive(connection: socket.socket) -> io.BufferedReader:
    """What is read from a connection. Raises TimeoutError where another connection gets no answer either."""
    return io.BufferedReader(_Attentive(connection))


def answers(connection: socket.socket) -> bool:
    """Whether the server of a connection answers another one, if only with a refusal."""
    try:
        with socket.create_connection(connection.getpeername()[:2], ANSWER_SECONDS) as other:
            return _greeted(other, connection)
    except TimeoutError:
        return False
    except OSError:
        return True


def _greeted(other: socket.socket, like: socket.socket) -> bool:
    """True after the first byte of an answer. Raises OSError."""
    import ssl

    if isinstance(like, ssl.SSLSocket):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        # Nothing is told or believed: all that counts is that somebody answers.
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        other = context.wrap_socket(other, server_hostname=like.server_hostname)
    other.sendall(REQUEST)
    other.recv(1)
    return True


class _Attentive(io.RawIOBase):
    def __init__(self, connection: socket.socket) -> None:
        self._connection, self._limit = connection, connection.gettimeout()
        self._file = connection.makefile("rb", buffering=0)  # keeps the connection open until this is closed

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        began = time.monotonic()
        self._connection.settimeout(LOOK_SECONDS)
        try:
            while True:
                try:
                    return self._connection.recv_into(buffer)
                except TimeoutError:
                    self._look(time.monotonic() - began)
        finally:
            self._connection.settimeout(self._limit)

    def _look(self, waited: float) -> None:
        """Raises TimeoutError where the limit is over, or nobody is answered."""
        if self._limit is not None and waited >= self._limit:
            raise TimeoutError("timed out")
        if not watched() and not answers(self._connection):
            raise TimeoutError("timed out: neither this connection nor another one is answered")

    def close(self) -> None:
        self._file.close()
        super().close()
