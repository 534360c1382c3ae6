"""Single requests over the standard library's http.client: all that a run asks which finds nothing to do.

Loading urllib3 costs more than all questions of such a run. Whatever is no plain answer at once is left to it, so that
time limits, retries and words are the same.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from provision.errors import ProvisionError

if TYPE_CHECKING:
    from http.client import HTTPConnection

BUSY = (429, 503)


class Silent(Exception):
    """Raised when the server took the request and said nothing for the whole time limit."""


class Reply(NamedTuple):
    """An answer as it came; names of headers in small letters."""

    status: int
    data: bytes
    headers: Mapping[str, str]


class PlainHttp:
    """A server at an http url, over one connection that is kept; a second thread that comes meanwhile gets no reply."""

    def __init__(self, base: str, connect_seconds: float) -> None:
        self._base, self._connect_seconds = base, connect_seconds
        self._lock = threading.Lock()
        self._connection: HTTPConnection | None = None
        self._closed = False

    def ask(
        self, method: str, target: str, body: bytes | None, headers: Mapping[str, str], seconds: float
    ) -> Reply | None:
        """The reply to a request that may be sent twice; None where there is no plain one.

        Raises Silent, and what `net.guard` does.
        """
        from http.client import HTTPException  # who reads files alone has no use for it

        if not self._lock.acquire(blocking=False):
            return None
        try:
            connection = self._connected()
            connection.sock.settimeout(seconds)
            try:
                connection.request(method, target, body, dict(headers))
                raw = connection.getresponse()
                reply = Reply(raw.status, raw.read(), {name.lower(): value for name, value in raw.getheaders()})
            except TimeoutError:
                self._drop()
                raise Silent from None
            return reply if "content-encoding" not in reply.headers else None
        except (OSError, HTTPException, ValueError):
            self._drop()
            return None
        except ProvisionError:
            self._drop()
            raise
        finally:
            if self._closed:
                self._drop()
            self._lock.release()

    def close(self) -> None:
        """Close the connection, once its request has ended where another thread is at one: nobody waits for that."""
        self._closed = True
        if self._lock.acquire(blocking=False):
            self._drop()
            self._lock.release()

    def __del__(self) -> None:
        self._drop()  # as a pool does of which nobody knows any more

    def _connected(self) -> HTTPConnection:
        """The connection, open. Raises OSError."""
        from http.client import HTTPConnection

        from provision.net.guard import Guarded

        if self._connection is None:
            parts = urlsplit(self._base)
            self._connection = HTTPConnection(parts.hostname or "", parts.port, timeout=self._connect_seconds)
            self._connection.response_class = Guarded
        if self._connection.sock is None:
            _connect(self._connection)
        return self._connection

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _connect(connection: HTTPConnection) -> None:
    from provision.net import keepalive

    connection.connect()
    keepalive.keep_alive(connection.sock)
