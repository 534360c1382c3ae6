"""What one HTTP request asks for: statement, parameters, settings, session, and how the answer is to look."""

from __future__ import annotations

import email.parser
import email.policy
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import parse_qsl

from provision.embedded.clickhouse_server.faults import QueryFault
from provision.embedded.clickhouse_server.statement import SentStatement, parse

# Parameters of the protocol that are no settings of the engine.
NOT_SETTINGS = {
    *("query", "user", "password", "database", "query_id", "quota_key", "default_format", "stacktrace"),
    *("session_id", "session_timeout", "session_check", "close_session"),
    *("wait_end_of_query", "buffer_size", "client_protocol_version"),
}
# Ask for what this server does not do: refused, never ignored.
REFUSED = {"compress": "0", "decompress": "0", "role": ""}
SESSION_TIMEOUT_S = 60
SESSION_TIMEOUT_MAX_S = 3600


class Headers(Protocol):
    """Headers of a request."""

    def get(self, name: str, /) -> str | None:
        """Return a header's value, None when it was not sent."""
        ...


@dataclass
class Request:
    """One request, understood."""

    statement: SentStatement
    data: Iterator[bytes]
    """Data of an insert that follow the statement."""
    database: str = ""
    parameters: dict[str, str] = field(default_factory=dict)
    settings: dict[str, str] = field(default_factory=dict)
    format: str = "TabSeparated"
    session: str = ""
    session_must_exist: bool = False
    session_timeout_s: int = SESSION_TIMEOUT_S
    close_session: bool = False
    query_id: str = ""
    wait_end: bool = False
    compress: bool = False


def understand(url_query: str, headers: Headers, body: Iterator[bytes], *, read_only: bool) -> Request:
    """Build a Request. Raises QueryFault for what cannot be done as asked."""
    fields = dict(parse_qsl(url_query, keep_blank_values=True, errors="surrogateescape"))
    kind = headers.get("Content-Type") or ""
    if kind.lower().startswith("multipart/form-data"):
        fields |= _form(kind, b"".join(body))
        body = iter(())
    _refuse(fields)
    statement, data = _statement(fields.get("query", "").encode("utf-8", "surrogateescape"), body)
    settings = {name: value for name, value in fields.items() if _is_setting(name)}
    if read_only and settings.get("readonly", "0") == "0":
        settings["readonly"] = "2"
    return Request(
        statement=statement,
        data=data,
        database=fields.get("database") or headers.get("X-ClickHouse-Database") or "",
        parameters={name[6:]: value for name, value in fields.items() if name.startswith("param_")},
        settings=settings,
        format=headers.get("X-ClickHouse-Format") or fields.get("default_format") or "TabSeparated",
        session=fields.get("session_id", ""),
        session_must_exist=fields.get("session_check") == "1",
        session_timeout_s=_timeout(fields.get("session_timeout")),
        close_session=fields.get("close_session") == "1",
        query_id=fields.get("query_id", ""),
        wait_end=fields.get("wait_end_of_query", "0") not in ("0", "false"),
        compress=fields.get("enable_http_compression", "0") not in ("0", "false"),
    )


def _statement(text: bytes, body: Iterator[bytes]) -> tuple[SentStatement, Iterator[bytes]]:
    """A statement is `query` and the body after it; the data of an insert are not kept in memory."""
    if text:
        statement = parse(text)
        if statement.input_format:
            return statement, _chain(statement.data, body)
    rest = b"".join(body)
    statement = parse(text + b"\n" + rest if text and rest else text or rest)
    return statement, iter((statement.data,))


def _chain(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    if first:
        yield first + b"\n"  # where `query` ends and the body begins is a line end
    yield from rest


def _is_setting(name: str) -> bool:
    if name in NOT_SETTINGS or name in REFUSED or name.startswith("param_"):
        return False
    if not re.fullmatch(r"\w[\w.]*", name, re.ASCII):
        raise QueryFault(115, "UNKNOWN_SETTING", f"Unknown setting '{name}'")
    return True


def _refuse(fields: Mapping[str, str]) -> None:
    for name, harmless in REFUSED.items():
        if fields.get(name, harmless) not in (harmless, ""):
            raise QueryFault(48, "NOT_IMPLEMENTED", f"The embedded server does not support the parameter '{name}'")


def _timeout(text: str | None) -> int:
    if text is None:
        return SESSION_TIMEOUT_S
    if not text.isdigit() or int(text) > SESSION_TIMEOUT_MAX_S:
        raise QueryFault(374, "INVALID_SESSION_TIMEOUT", f"Invalid session timeout: '{text}'")
    return int(text)


def _form(kind: str, body: bytes) -> dict[str, str]:
    message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(
        b"Content-Type: " + kind.encode() + b"\r\n\r\n" + body
    )
    fields = {}
    for part in message.iter_parts():
        if part.get_filename() is not None:
            raise QueryFault(48, "NOT_IMPLEMENTED", "The embedded server does not support external tables")
        content = part.get_payload(decode=True)
        assert isinstance(content, bytes)
        fields[str(part.get_param("name", header="content-disposition"))] = content.decode("utf-8", "surrogateescape")
    return fields


def body_of(headers: Headers, read: Callable[[int], bytes], read_line: Callable[[], bytes]) -> Iterator[bytes]:
    """Give the body as it was sent, in pieces of at most 1 MiB. Raises EOFError when the client goes in the middle."""
    if (headers.get("Transfer-Encoding") or "").lower() == "chunked":
        while size := int(read_line().split(b";")[0] or b"0", 16):
            yield from _pieces(size, read)
            read_line()
        while read_line().strip():
            continue
        return
    yield from _pieces(int(headers.get("Content-Length") or 0), read)


def _pieces(size: int, read: Callable[[int], bytes]) -> Iterator[bytes]:
    while size:
        piece = read(min(size, 1 << 20))
        if not piece:
            raise EOFError("the client has gone")
        size -= len(piece)
        yield piece
