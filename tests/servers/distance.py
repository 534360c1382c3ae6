"""A TCP proxy that puts a network between two ends: each byte comes later, and round trips are counted."""

from __future__ import annotations

import queue
import socket
import threading
import time
from types import TracebackType
from typing import Self

from tests.silent.proxy import Upstream, shut


class Distance:
    """Forwards connections to what `upstream` connects to; `seconds` is how long a round trip takes.

    `turns` counts, of all connections, how often the client spoke after it had heard the server: its round trips.
    """

    def __init__(self, upstream: Upstream, seconds: float) -> None:
        self._upstream, self.seconds, self.turns = upstream, seconds, 0
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._open = [self._listening]
        threading.Thread(target=self._serve, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        for each in self._open:
            shut(each)

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
                server = self._upstream()
            except OSError:
                return
            self._open += [client, server]
            heard = threading.Event()
            for source, target, from_client in ((client, server, True), (server, client, False)):
                source.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
                due: queue.SimpleQueue[tuple[float, bytes]] = queue.SimpleQueue()
                threading.Thread(target=self._take, args=(source, due, heard, from_client), daemon=True).start()
                threading.Thread(target=self._give, args=(due, target), daemon=True).start()

    def _take(
        self, source: socket.socket, due: queue.SimpleQueue[tuple[float, bytes]], heard: threading.Event, client: bool
    ) -> None:
        try:
            while data := source.recv(65536):
                if not client:
                    heard.set()
                elif heard.is_set():
                    heard.clear()
                    self.turns += 1
                due.put((time.monotonic() + self.seconds / 2, data))
        except OSError:
            return  # its end is gone
        finally:
            due.put((0.0, b""))

    def _give(self, due: queue.SimpleQueue[tuple[float, bytes]], target: socket.socket) -> None:
        while True:
            at, data = due.get()
            if not data:
                shut(target)
                return
            time.sleep(max(at - time.monotonic(), 0.0))
            try:
                target.sendall(data)
            except OSError:
                return  # the other end is gone
