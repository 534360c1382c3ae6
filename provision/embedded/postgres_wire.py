"""As much of PostgreSQL's protocol as it takes to ask a local server whether it is ready: no driver is loaded."""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass, field

PROTOCOL_3 = 196608


@dataclass
class WireAnswer:
    """What a server said until it was ready for a statement, or refused."""

    ready: bool = False
    parameters: dict[str, str] = field(default_factory=dict)
    error: str = ""
    """SQLSTATE and message of the last error."""


def ask(address: str, database: str, statement: str | None = None, timeout_s: float = 30.0) -> WireAnswer:
    """Log in as `postgres` over the socket file `address`, run one statement, return what the server said.

    Raises OSError when nothing listens there or the connection breaks.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(timeout_s)
        connection.connect(address)
        login = struct.pack("!i", PROTOCOL_3) + f"user\0postgres\0database\0{database}\0\0".encode()
        connection.sendall(struct.pack("!i", len(login) + 4) + login)
        answer = _until_ready(connection)
        if statement is not None and answer.ready:
            body = statement.encode() + b"\0"
            connection.sendall(b"Q" + struct.pack("!i", len(body) + 4) + body)
            answer = _until_ready(connection)
        if answer.ready:
            connection.sendall(b"X\0\0\0\4")
        return answer


def _until_ready(connection: socket.socket) -> WireAnswer:
    answer = WireAnswer()
    while not answer.ready:
        head = _exactly(connection, 5)
        if len(head) < 5:
            return answer
        body = _exactly(connection, int(struct.unpack("!i", head[1:])[0]) - 4)
        if head[:1] == b"Z":
            answer.ready = True
        elif head[:1] == b"S":
            name, value = body.split(b"\0")[:2]
            answer.parameters[name.decode()] = value.decode()
        elif head[:1] == b"E":
            parts = {part[:1]: part[1:].decode(errors="replace") for part in body.split(b"\0") if part}
            answer.error = f"{parts.get(b'C', '')} {parts.get(b'M', '')}"
    return answer


def _exactly(connection: socket.socket, size: int) -> bytes:
    received = b""
    while len(received) < size:
        part = connection.recv(size - len(received))
        if not part:
            break
        received += part
    return received
