"""One statement on one chDB client."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

from provision.embedded.clickhouse_server.faults import EngineFault, QueryFault, not_allowed_several
from provision.embedded.clickhouse_server.request import Request

READ_ONLY_CLASS = 0
_SETTINGS = re.compile(rb"\sSETTINGS\s+\w+\s*=", re.IGNORECASE)
# Of these formats the engine's pieces, one after the other, are the whole: no head, no foot.
STREAMED = {
    *("native", "rowbinary", "csv", "jsoneachrow", "jsoncompacteachrow"),
    *("tabseparated", "tsv", "tabseparatedraw", "tsvraw"),
}


@dataclass
class Summary:
    """What a statement read and wrote; filled as it goes."""

    read_rows: int = 0
    read_bytes: int = 0
    written_rows: int = 0
    written_bytes: int = 0
    result_rows: int = 0
    result_bytes: int = 0
    elapsed_ns: int = 0

    def add(self, result: Any) -> None:
        """Count one result of the engine."""
        self.read_rows += result.storage_rows_read()
        self.read_bytes += result.storage_bytes_read()
        self.written_rows += result.rows_written()
        self.written_bytes += result.bytes_written()
        self.result_rows += result.rows_read()
        self.result_bytes += result.size()
        self.elapsed_ns += int(result.elapsed() * 1e9)


def check(request: Request) -> None:
    """Refuse what a real server refuses and chDB would do. Raises QueryFault."""
    statement = request.statement
    if statement.several:
        raise not_allowed_several()
    if not statement.words:
        raise QueryFault(62, "SYNTAX_ERROR", "Syntax error: failed at position 1 (end of query): Empty query")
    if statement.to_file:
        raise QueryFault(358, "INTO_OUTFILE_NOT_ALLOWED", "Files of the server's machine cannot be named over HTTP")


def is_read_only(client: Any, request: Request) -> bool:
    """Say whether the engine takes the statement for one that changes nothing."""
    return int(client.classify_query(_text(request))["query_class"]) == READ_ONLY_CLASS


def run(client: Any, request: Request, summary: Summary) -> Generator[bytes]:
    """Run the statement and give its result in pieces. Raises EngineFault, before the first piece or after some."""
    try:
        if request.statement.input_format:
            _insert(client, request, summary)
        elif _is_streamed(request):
            yield from _stream(client, request, summary)
        else:
            result = client.query(_text(request), request.format, params=request.parameters)
            summary.add(result)
            yield result.bytes() or b""
    except RuntimeError as error:
        raise EngineFault(error) from None


def _is_streamed(request: Request) -> bool:
    statement = request.statement
    wanted = (statement.output_format or request.format).lower()
    return statement.is_select and wanted in STREAMED and not statement.totals and "extremes" not in request.settings


def _stream(client: Any, request: Request, summary: Summary) -> Generator[bytes]:
    stream = client.send_query(_text(request), request.format, params=request.parameters)
    ended = False
    try:
        while not ended:
            result = client.streaming_fetch_result(stream)
            summary.add(result)
            ended = result.rows_read() == 0
            if result.size():
                yield result.bytes()
    finally:
        if not ended:
            client.streaming_cancel_query(stream)


def _insert(client: Any, request: Request, summary: Summary) -> None:
    """Insert the data once all of them are there, from a file; a client that goes in the middle inserts nothing.

    chDB says nothing of rows that a constraint refuses in data that it is fed piece by piece, and stores none of them;
    in a statement data end at the first empty line, or at two such bytes in a binary format.
    """
    with tempfile.NamedTemporaryFile(prefix="provision-insert-") as file:
        for piece in request.data:
            file.write(piece)
        file.flush()
        summary.add(client.query(_from_file(request, file.name), "Null", params=request.parameters))


def _from_file(request: Request, name: str) -> bytes:
    statement = request.statement
    settings = _SETTINGS.search(statement.head)
    at = settings.start() if settings else len(statement.head)
    source = f" FROM INFILE {literal(name)} COMPRESSION 'none' ".encode()
    return b"%s%s%s FORMAT %s" % (statement.head[:at], source, statement.head[at:], statement.input_format.encode())


def set_parameters(client: Any, parameters: dict[str, str]) -> None:
    """Give parameters to a statement that cannot take them along."""
    if parameters:
        client.query(
            "SET " + ", ".join(f"param_{name} = {literal(value)}" for name, value in parameters.items()), "Null"
        )


def literal(value: str) -> str:
    """Quote a value for a statement."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _text(request: Request) -> bytes:
    return request.statement.text
