"""A TCP proxy that can fall silent: connections stay open, take what is sent, and give nothing back.

What is sent meanwhile is lost, or, where it `holds`, arrives once it speaks again.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from urllib.parse import unquote, urlsplit

Upstream = Callable[[], socket.socket]


class Proxy:
    """Forwards each connection to what `upstream` connects to, until `silent` is set; new ones are still accepted."""

    def __init__(self, upstream: Upstream, *, holds: bool = False) -> None:
        self._upstream, self.silent, self._holds = upstream, threading.Event(), holds
        self._speaks, self._torn = threading.Event(), list[socket.socket]()
        self.taken = 0  # connections, silent ones too
        self.behind = b""  # falls silent behind the first request that holds this: it arrives, its answer does not
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._open: list[socket.socket] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def turn(self, upstream: Upstream) -> None:
        """From now on forward elsewhere; what is open is closed."""
        self._upstream, closing, self._open = upstream, self._open, []
        self._close(closing)

    def speak(self) -> None:
        """Forward again; connections that have lost something are closed, as no network goes on with a hole."""
        self.silent.clear()
        self._speaks.set()
        self._close(self._torn)

    def close(self) -> None:
        self.silent.set()  # what is held is not sent to whoever listens there next
        self._close([self._listening, *self._open])
        self._speaks.set()

    def _close(self, sockets: list[socket.socket]) -> None:
        for each in sockets:
            shut(each)

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
                server = self._upstream()
            except OSError:
                return
            self._open += [client, server]
            self.taken += 1
            for source, target in ((client, server), (server, client)):
                threading.Thread(target=self._pump, args=(source, target), daemon=True).start()

    def _pump(self, source: socket.socket, target: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                if self.behind and self.behind in data:
                    target.sendall(data)
                    self.behind = b""
                    self.silent.set()
                    continue
                if self.silent.is_set() and self._holds:
                    self._speaks.wait()
                if self.silent.is_set():
                    self._torn += [source, target]
                else:
                    target.sendall(data)
            if not self.silent.is_set():
                target.shutdown(socket.SHUT_WR)
        except OSError:
            return  # one of both ends is gone


def shut(each: socket.socket) -> None:
    """Close a connection, so that whoever reads from it hears of that."""
    try:
        each.shutdown(socket.SHUT_RDWR)
    except OSError:  # its other end was quicker
        return
    finally:
        each.close()


def tcp(host: str, port: int) -> Upstream:
    return lambda: socket.create_connection((host, port))


def unix(path: str) -> Upstream:
    """What listens on a socket of the file system."""

    def connect() -> socket.socket:
        made = socket.socket(socket.AF_UNIX)
        made.connect(path)
        return made

    return connect


def before(url: str, *, holds: bool = False) -> tuple[Proxy, str]:
    """A proxy before the server of a url, and the url through it."""
    parts = urlsplit(url)
    on_socket = parts.query.startswith("host=")
    if on_socket:
        upstream = unix(f"{unquote(parts.query.removeprefix('host='))}/.s.PGSQL.5432")
    else:
        assert parts.hostname
        assert parts.port
        upstream = tcp(parts.hostname, parts.port)
    made = Proxy(upstream, holds=holds)
    login = f"{parts.netloc.rpartition('@')[0]}@" if "@" in parts.netloc else ""
    netloc = f"{login}127.0.0.1:{made.port}"
    return made, parts._replace(netloc=netloc, query="" if on_socket else parts.query).geturl()
