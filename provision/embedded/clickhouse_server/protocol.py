"""One connection: requests in, answers out, as ClickHouse's HTTP interface does it."""

from __future__ import annotations

import json
import secrets
import uuid
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import urlsplit

from provision.embedded.clickhouse_server import coding
from provision.embedded.clickhouse_server.clients import Clients
from provision.embedded.clickhouse_server.execution import Summary, check, run
from provision.embedded.clickhouse_server.faults import QueryFault
from provision.embedded.clickhouse_server.login import authenticate
from provision.embedded.clickhouse_server.request import Request, body_of, understand

BUFFER = 64 * 1024
TYPES = {
    "tabseparated": "text/tab-separated-values; charset=UTF-8",
    "tsv": "text/tab-separated-values; charset=UTF-8",
    "csv": "text/csv; charset=UTF-8",
    "json": "application/json; charset=UTF-8",
    "jsoncompact": "application/json; charset=UTF-8",
    "jsoneachrow": "application/x-ndjson; charset=UTF-8",
}


class Service:
    """What all connections share."""

    def __init__(self, clients: Clients, password: str, version: str, timezone: str, name: str) -> None:
        self.clients = clients
        self.password = password
        self.version = version
        self.timezone = timezone
        self.name = name


class HttpConnection(BaseHTTPRequestHandler):
    """See the module. Errors before the first byte get a status of their own, later ones a block in the answer."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 256 * 1024
    service: Service

    def log_message(self, format: str, *arguments: Any) -> None:
        """Say nothing: statements may hold secrets."""

    def do_GET(self) -> None:
        """Answer /ping, or run a statement that changes nothing."""
        path = urlsplit(self.path)
        if path.path in ("/ping", "/replicas_status") or (path.path == "/" and not path.query):
            self._plain(200, b"Ok.\n")
        else:
            self._answer(read_only=True)

    do_HEAD = do_GET

    def do_POST(self) -> None:
        """Run a statement."""
        self._answer(read_only=False)

    do_PUT = do_POST

    def _answer(self, *, read_only: bool) -> None:
        url = urlsplit(self.path)
        body = body_of(self.headers, self.rfile.read, self.rfile.readline)
        self._query_id = ""
        self._begun = False
        try:
            if url.path not in ("/", "/query"):
                self._plain(404, f"There is no handle {url.path}\n".encode())
                return
            authenticate(url.query, self.headers, self.service.password)
            request = understand(url.query, self.headers, self._decoded(body), read_only=read_only)
            self._query_id = _printable(request.query_id) or str(uuid.uuid4())
            check(request)
            with self.service.clients.client(request) as client:
                self._send(request, client)
        except QueryFault as fault:
            self._refuse(fault)
        except (EOFError, ConnectionError):
            self.close_connection = True
        except (ValueError, OSError) as error:
            self.close_connection = self._begun or self.close_connection
            if not self._begun:
                self._refuse(QueryFault(1001, "STD_EXCEPTION", f"{type(error).__name__}: {error}"))
        self._drain(body)

    def _decoded(self, body: Iterator[bytes]) -> Iterator[bytes]:
        decode = coding.decoder((self.headers.get("Content-Encoding") or "").strip().lower())
        return (piece for piece in map(decode, body) if piece)

    def _drain(self, body: Iterator[bytes]) -> None:
        """Read what an answer did not need, or the next request would begin in the middle of it."""
        try:
            for _ in body:
                continue
        except (EOFError, OSError, ValueError):
            self.close_connection = True

    def _send(self, request: Request, client: Any) -> None:
        """Gather the result; one that is larger than the buffer goes out while it is made, unless it is to be whole."""
        summary = Summary()
        gathered: list[bytes] = []
        size = 0
        with closing(run(client, request, summary)) as pieces:
            for piece in pieces:
                gathered.append(piece)
                size += len(piece)
                if size > BUFFER and not request.wait_end:
                    self._stream(request, b"".join(gathered), pieces)
                    return
        result = b"".join(gathered)
        chosen = coding.encoder(self.headers.get("Accept-Encoding") or "") if request.compress and result else None
        if chosen:
            result = chosen[1].compress(result) + chosen[1].flush()
        self._head(200, request, chosen[0] if chosen else "", summary)
        self._finish(result)

    def _stream(self, request: Request, first: bytes, rest: Iterator[bytes]) -> None:
        chosen = coding.encoder(self.headers.get("Accept-Encoding") or "") if request.compress else None
        tag = secrets.token_hex(8)
        self._begun = True
        self._head(200, request, chosen[0] if chosen else "", Summary())
        self.send_header("X-ClickHouse-Exception-Tag", tag)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        whole = True
        try:
            self._chunk(chosen[1].compress(first) if chosen else first)
            for piece in rest:
                self._chunk(chosen[1].compress(piece) if chosen else piece)
        except QueryFault as fault:
            whole = False
            text = f"{fault} (version {self.service.version})\n".encode()
            block = b"\r\n__exception__\r\n%s\r\n%s%d %s\r\n__exception__\r\n"
            last = block % (tag.encode(), text, len(text), tag.encode())
            self._chunk(chosen[1].compress(last) if chosen else last)
        if chosen:
            self._chunk(chosen[1].flush())
        if whole:
            self.wfile.write(b"0\r\n\r\n")
        self.close_connection = self.close_connection or not whole  # no end mark: other clients see that it broke off
        self.wfile.flush()

    def _chunk(self, piece: bytes) -> None:
        if piece:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))

    def _head(self, state: int, request: Request, content_coding: str, summary: Summary) -> None:
        wanted = request.statement.output_format or request.format
        self.send_response(state)
        self.send_header("Content-Type", TYPES.get(wanted.lower(), "application/octet-stream"))
        self.send_header("X-ClickHouse-Server-Display-Name", self.service.name)
        self.send_header("X-ClickHouse-Query-Id", self._query_id)
        self.send_header("X-ClickHouse-Format", _printable(wanted))
        self.send_header("X-ClickHouse-Timezone", self.service.timezone)
        counted = asdict(summary) | {"total_rows_to_read": 0}
        self.send_header("X-ClickHouse-Summary", json.dumps({name: str(value) for name, value in counted.items()}))
        if content_coding:
            self.send_header("Content-Encoding", content_coding)

    def _refuse(self, fault: QueryFault) -> None:
        self.send_response(fault.state)
        self.send_header("Content-Type", "text/plain; charset=UTF-8")
        self.send_header("X-ClickHouse-Server-Display-Name", self.service.name)
        self.send_header("X-ClickHouse-Query-Id", self._query_id)
        self.send_header("X-ClickHouse-Exception-Code", str(fault.code))
        self._finish(f"{fault} (version {self.service.version})\n".encode("utf-8", "surrogateescape"))

    def _plain(self, state: int, content: bytes) -> None:
        self.send_response(state)
        self.send_header("Content-Type", "text/html; charset=UTF-8")
        self._finish(content)

    def _finish(self, content: bytes) -> None:
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)
        self.wfile.flush()


def _printable(text: str) -> str:
    """A header's value: nothing that could begin another header."""
    return "".join(letter for letter in text if " " <= letter <= "~")
