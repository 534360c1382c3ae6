"""A proxy in front of an HTTP server that loses one answer: the request arrives, its client sees a reset."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Wire:
    """Forwards connections to `port`. The first answer to a request that holds `lost` is swallowed."""

    def __init__(self, port: int, lost: bytes) -> None:
        self._port, self._lost = port, lost
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self.arrived = 0
        """How often a request that holds `lost` was forwarded."""

    def serve(self) -> None:
        """Accept connections until the wire is closed."""
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._pass_on, args=(client,), daemon=True).start()

    def close(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _pass_on(self, client: socket.socket) -> None:
        with client, socket.create_connection(("127.0.0.1", self._port)) as server:
            while request := _message(client):
                server.sendall(request)
                answer = _message(server)
                if self._lost in request:
                    self.arrived += 1
                    if self.arrived == 1:
                        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                        return
                client.sendall(answer)


@contextmanager
def losing(port: int, lost: bytes) -> Iterator[Wire]:
    """A wire to `port` while the block runs."""
    wire = Wire(port, lost)
    thread = threading.Thread(target=wire.serve, daemon=True)
    thread.start()
    try:
        yield wire
    finally:
        wire.close()
        thread.join()


def _message(peer: socket.socket) -> bytes:
    """One HTTP message with a length or in chunks; empty when the connection was closed."""
    held = b""
    while b"\r\n\r\n" not in held:
        if not (piece := peer.recv(65536)):
            return b""
        held += piece
    head, _, body = held.partition(b"\r\n\r\n")
    fields = {
        name.strip().lower(): value.strip() for name, _, value in (line.partition(b":") for line in head.split(b"\r\n"))
    }
    chunked = fields.get(b"transfer-encoding") == b"chunked"
    length = int(fields.get(b"content-length", b"0"))
    while not (body.endswith(b"0\r\n\r\n") if chunked else len(body) >= length):
        body += peer.recv(65536)
    return head + b"\r\n\r\n" + body
