"""The HTTP part of a double: every request and every answer passes the contract."""

from __future__ import annotations

import json
import threading
import traceback
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol
from urllib.parse import parse_qs, urlsplit

from tests.doubles.served.contract import Contract, Place
from tests.doubles.served.messages import Answer, Headers, Request

LABEL = "contract double, no server"


class Double(Protocol):
    """What a double is to its HTTP server. `name` is the product that it stands in for."""

    name: str
    contract: Contract

    def seen(self, request: Request) -> Request:
        """The request as the document writes it."""
        ...

    def refused(self, request: Request, place: Place | None) -> Answer | None:
        """What is answered before the document is asked: login, unknown path, broken JSON; or None."""
        ...

    def invalid(self, place: Place, problems: list[str]) -> Answer:
        """The answer to a request that the document forbids."""
        ...

    def answered(self, request: Request, place: Place) -> Answer:
        """The answer to a valid request. Called by one thread at a time."""
        ...

    def failed(self, reason: str) -> Answer:
        """The answer when the double itself is wrong."""
        ...

    def reset(self) -> None:
        """Forget everything."""
        ...


class Front:
    """A double behind its contract, with what went wrong so far."""

    def __init__(self, double: Double) -> None:
        self.double = double
        self.requests = 0
        self.invalid_requests: list[str] = []
        self.invalid_answers: list[str] = []
        self._one_at_a_time = threading.Lock()

    def answer(self, raw: Request) -> Answer:
        self.requests += 1
        if raw.path.startswith("/_double/"):
            return self._about(raw)
        request = self.double.seen(raw)
        place = self.double.contract.place(request.method, request.path)
        answer = self.double.refused(request, place)
        if place is None:
            return answer or self.double.failed(f"no operation {request.method} {request.path}")
        answer = answer or self._checked(request, place)
        return self._valid(answer, request, place)

    def _checked(self, request: Request, place: Place) -> Answer:
        problems = self.double.contract.request_problems(request, place)
        if problems:
            self.invalid_requests.append(f"{request.method} {request.path}: {'; '.join(problems)}")
            return self.double.invalid(place, problems)
        with self._one_at_a_time:
            try:
                return self.double.answered(request, place)
            except Exception:
                return self._wrong(f"{request.method} {request.path}: {traceback.format_exc()}")

    def _valid(self, answer: Answer, request: Request, place: Place) -> Answer:
        if answer.headers.get("X-Double-Failed"):
            return answer
        problems = self.double.contract.answer_problems(answer, place)
        if not problems:
            return answer
        return self._wrong(f"{request.method} {request.path} → {answer.status}: {'; '.join(problems)}")

    def _wrong(self, reason: str) -> Answer:
        self.invalid_answers.append(reason)
        answer = self.double.failed(reason)
        answer.headers["X-Double-Failed"] = "1"
        return answer

    def _about(self, request: Request) -> Answer:
        """The double's own questions, which no server has: /_double/counts and /_double/reset."""
        if request.path == "/_double/reset":
            with self._one_at_a_time:
                self.double.reset()
                self.requests = 0
                # What the double itself did wrong is never forgotten.
                self.invalid_requests.clear()
        counts = {
            "double": self.double.name,
            "requests": self.requests,
            "invalid_requests": self.invalid_requests,
            "invalid_answers": self.invalid_answers,
        }
        return Answer(200, counts)


class Listener(ThreadingHTTPServer):
    """Listens on loopback; connections end with the process."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, front: Front) -> None:
        super().__init__(("127.0.0.1", port), _exchange(front))

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away in the middle is its own affair."""
        del request, client_address


def _exchange(front: Front) -> type[BaseHTTPRequestHandler]:
    class Exchange(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def _answer(self) -> None:
            answer = front.answer(_request(self))
            bare = self.command == "HEAD" or answer.status in (204, 304)
            body = b"" if bare else answer.encoded()
            self.send_response_only(answer.status)
            self.send_header("Server", f"{front.double.name} ({LABEL})")
            if answer.kind and not bare:
                self.send_header("Content-Type", answer.kind)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            if answer.status != 204:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _answer

    return Exchange


def _request(exchange: BaseHTTPRequestHandler) -> Request:
    parts = urlsplit(exchange.path)
    repeated = parse_qs(parts.query, keep_blank_values=True)
    if exchange.headers.get("Transfer-Encoding", "").lower() == "chunked":
        body = b"".join(_chunks(exchange.rfile.readline, exchange.rfile.read))
    else:
        body = exchange.rfile.read(int(exchange.headers.get("Content-Length") or 0))
    query = {name: values[-1] for name, values in repeated.items()}
    headers = Headers(dict(exchange.headers.items()))
    return Request(exchange.command, parts.path, query, repeated, headers, body)


def _chunks(line: Callable[[], bytes], read: Callable[[int], bytes]) -> Any:
    while size := int(line().split(b";")[0] or b"0", 16):
        yield read(size)
        line()
    line()


def decoded(request: Request) -> Any:
    """The JSON of a request, or None where it sent none. Raises ValueError."""
    return json.loads(request.body) if request.body.strip() else None


def fields(body: Any) -> Mapping[str, Any]:
    """The body where it is an object, else nothing."""
    return body if isinstance(body, dict) else {}
