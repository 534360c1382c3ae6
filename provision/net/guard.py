"""What no server may do to who asks it over HTTP: send a request elsewhere, or answer without an end.

Every client's answers are read by way of `Guarded`: that of `plain`, of urllib3, and of the drivers that stand on it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPResponse, IncompleteRead
from socket import socket
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from provision.errors import ConfigError, FailedError

if TYPE_CHECKING:
    import urllib3

# Bytes. The largest answer that is asked for is a page of 500 objects of Weaviate, of 50 MB where each has two vectors
# of 4,096 numbers; what holds it needs some times as much.
LARGEST = 128 << 20
_CHUNK = 1 << 20
# An answer that may take longer is waited for as long as the server answers anybody.
LONG_SECONDS = 60.0
_PLAIN = "identity"
_ELSEWHERE = (301, 302, 303, 307, 308)
_streamed = threading.local()


class Guarded(HTTPResponse):
    """An answer. Raises ConfigError (redirected, server-refused) and FailedError (answer-too-large)."""

    _left: int | None = LARGEST

    def __init__(self, sock: Any, *given: Any, **named: Any) -> None:
        super().__init__(sock, *given, **named)
        limit = sock.gettimeout() if isinstance(sock, socket) else 0.0  # not that of TLS through the TLS of a proxy
        if limit is None or limit > LONG_SECONDS:
            from provision.net.listening import attentive  # most questions are answered soon, or given up

            self.fp.close()
            self.fp = attentive(sock)

    def begin(self) -> None:
        super().begin()
        if self.status in _ELSEWHERE and self.headers.get("location"):
            raise _redirected(str(self.headers["location"]))
        self._left = None if _streaming() else LARGEST

    def read(self, amt: int | None = None) -> bytes:
        if amt is not None or self._left is None:
            return self._counted(super().read(amt))
        parts = []
        while part := self.read(_CHUNK):
            parts.append(part)
        if self.length:  # which `read` of a part does not mind
            raise IncompleteRead(b"".join(parts), self.length)
        return b"".join(parts)

    def read1(self, n: int = -1) -> bytes:
        return self._counted(super().read1(n))

    def readinto(self, b: Any) -> int:
        count = super().readinto(b)
        self._count(count)
        return count

    def _counted(self, data: bytes) -> bytes:
        self._count(len(data))
        return data

    def _count(self, count: int) -> None:
        if self._left is None:
            return
        self._left -= count
        if self._left < 0:
            self.close()
            raise _too_large()


class GuardedUnpacked(Guarded):
    """For a client that asks for nothing compressed, and would unpack it without a bound. Raises as `Guarded`."""

    def begin(self) -> None:
        super().begin()
        if self.headers.get("content-encoding", _PLAIN) != _PLAIN:
            raise _unknown_form()


def unpacked(data: bytes, encoding: str) -> bytes:
    """The body of an answer that a proxy on the way may have compressed. Raises as `Guarded`."""
    if encoding == _PLAIN:
        return data
    if encoding not in ("gzip", "deflate"):
        raise _unknown_form()
    import zlib

    packed = zlib.decompressobj(zlib.MAX_WBITS | 32)
    try:
        found = packed.decompress(data, LARGEST)
    except zlib.error:
        raise _unknown_form() from None
    if packed.unconsumed_tail:
        raise _too_large()
    return found


def _too_large() -> FailedError:
    return FailedError(
        "answer-too-large",
        f"the server's answer goes on beyond {LARGEST >> 20} MiB",
        fix="see what answers at that url; a check or a backfill that needs so much is to be narrowed",
    )


def _unknown_form() -> ConfigError:
    what = "the answer is compressed in a way that nobody asked for"
    return ConfigError("server-refused", what, fix="see what stands between provision and the server")


@contextmanager
def streamed() -> Iterator[None]:
    """Answers to what this thread asks in the block may be of any length: they are read part by part."""
    _streamed.now = True
    try:
        yield
    finally:
        _streamed.now = False


def guarded(manager: urllib3.PoolManager, answer: type[Guarded] = GuardedUnpacked) -> None:
    """Read the answers of a manager by way of `answer`, and keep its connections alive."""
    from urllib3.connection import HTTPConnection, HTTPSConnection
    from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

    from provision.net import keepalive

    class Plain(HTTPConnection):
        response_class = answer

    class Secure(HTTPSConnection):
        response_class = answer

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

    manager.pool_classes_by_scheme = {"http": PlainPool, "https": SecurePool}
    manager.connection_pool_kw["socket_options"] = keepalive.options()


def _streaming() -> bool:
    return getattr(_streamed, "now", False)


def _redirected(target: str) -> ConfigError:
    return ConfigError(
        "redirected",
        f"the server sends the request on to {_origin(target)}, which is not followed",
        fix="write the url of the server itself",
    )


def _origin(target: str) -> str:
    """Scheme, host and port of a target: what else it holds may be a secret, or may be anything."""
    try:
        parts = urlsplit(target)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "a url that cannot be read"
    if not parts.hostname:
        return "another path of its own"
    return "".join(each for each in f"{parts.scheme or 'http'}://{parts.hostname}{port}" if each.isprintable())[:200]
