"""A way to the server that misbehaves when it is told to: answers by itself, hangs, or cuts the line."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import urllib3

Fault = tuple[int, Any] | str | None  # an answer, "hang", "lost" (done, not answered), "cut"; None: pass on
Rule = Callable[[str, str], Fault]


def error(status: int, number: int, message: str) -> tuple[int, Any]:
    """An answer as ArangoDB refuses."""
    return status, {"error": True, "code": status, "errorNum": number, "errorMessage": message}


class Gate:
    """`rule` is asked for each request by method and path; `seen` are those that reached the server."""

    def __init__(self, server: str) -> None:
        self.server, self.rule, self.seen = server, _pass, list[str]()
        self.released = threading.Event()
        self._pool = urllib3.PoolManager(maxsize=16)
        self._listener = ThreadingHTTPServer(("127.0.0.1", 0), _exchange(self))
        self._listener.daemon_threads = True
        self.port = self._listener.server_address[1]
        self._thread = threading.Thread(target=self._listener.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def passed(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> urllib3.BaseHTTPResponse:
        self.seen.append(f"{method} {path}")
        kept = {name: value for name, value in headers.items() if name.lower() not in ("host", "content-length")}
        return self._pool.request(method, self.server + path, body=body or None, headers=kept, retries=False)

    def close(self) -> None:
        self.released.set()
        self._listener.shutdown()
        self._listener.server_close()
        self._thread.join()
        self._pool.clear()


@contextmanager
def gate(server: str) -> Iterator[Gate]:
    made = Gate(server)
    try:
        yield made
    finally:
        made.close()


def _pass(_method: str, _path: str) -> Fault:
    return None


def _exchange(owner: Gate) -> type[BaseHTTPRequestHandler]:
    class Exchange(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            fault = owner.rule(self.command, self.path)
            if fault == "hang":
                owner.released.wait(10)
            if fault in ("hang", "cut"):
                self.close_connection = True
                return
            if isinstance(fault, tuple):
                self._send(fault[0], json.dumps(fault[1]).encode())
                return
            answer = owner.passed(self.command, self.path, body, dict(self.headers.items()))
            if fault == "lost":
                self.close_connection = True
                return
            self._send(answer.status, answer.data)

        def _send(self, status: int, body: bytes) -> None:
            self.send_response_only(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = _answer

    return Exchange
