"""HTTP servers that do what none should: send a request on to another host, or answer without an end."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Hostile(ThreadingHTTPServer):
    """Keeps the path and body of each request in `asked`; a request is answered with `answer(handler)`."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[str] = []
        self.target = ""  # where to send each request on to; empty: answer without an end
        self.sent = 0

    @property
    def port(self) -> int:
        return int(self.server_address[1])


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Hostile

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        self.server.asked.append(self.path + body.decode(errors="replace"))
        if self.server.target:
            self.send_response(307)
            self.send_header("location", self.server.target + self.path)
            self.send_header("content-length", "0")
            self.end_headers()
            return
        self._without_end()

    def _without_end(self) -> None:
        self.send_response(200)
        self.send_header("connection", "close")
        self.end_headers()
        part = b"1" * (1 << 20)
        try:
            while True:
                self.wfile.write(part)
                self.server.sent += len(part)
        except OSError:
            return  # the client has had enough

    do_GET = do_POST = do_PUT = do_HEAD = do_DELETE = _answer

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


@contextmanager
def hostile() -> Iterator[Hostile]:
    """A server while the block runs."""
    with Hostile() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server
        finally:
            server.shutdown()
