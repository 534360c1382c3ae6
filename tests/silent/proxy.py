"""A TCP proxy that can fall silent: connections stay open, take what is sent, and give nothing back."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable

Upstream = Callable[[], socket.socket]


class Proxy:
    """Forwards each connection to what `upstream` connects to, until `silent` is set; new ones are still accepted."""

    def __init__(self, upstream: Upstream) -> None:
        self._upstream, self.silent = upstream, threading.Event()
        self.taken = 0  # connections, silent ones too
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._open: list[socket.socket] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def turn(self, upstream: Upstream) -> None:
        """From now on forward elsewhere; what is open is closed."""
        self._upstream, closing, self._open = upstream, self._open, []
        self._close(closing)

    def close(self) -> None:
        self._close([self._listening, *self._open])

    def _close(self, sockets: list[socket.socket]) -> None:
        for each in sockets:
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:  # its other end was quicker
                continue
            finally:
                each.close()

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
                if not self.silent.is_set():
                    target.sendall(data)
            if not self.silent.is_set():
                target.shutdown(socket.SHUT_WR)
        except OSError:
            return  # one of both ends is gone


def tcp(host: str, port: int) -> Upstream:
    return lambda: socket.create_connection((host, port))


def unix(path: str) -> Upstream:
    def connect() -> socket.socket:
        made = socket.socket(socket.AF_UNIX)
        made.connect(path)
        return made

    return connect
