"""Ports on 127.0.0.1 and the first word of a conversation there."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import dataclass
from json import dumps
from urllib.parse import urlencode

HOST = "127.0.0.1"
HIGHEST = 65535


@dataclass(frozen=True, slots=True)
class Answered:
    """What an HTTP server said; the names of headers are in small letters."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def free_port(wanted: int | None = None) -> int:
    """Return `wanted` when it is free, else a port that is."""
    for port in (wanted or 0, 0):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a port in TIME_WAIT is free for a server
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise OSError("no free port on 127.0.0.1")


def is_free(port: int) -> bool:
    """Say whether a server could listen on `port`."""
    return free_port(port) == port


def free_ports(count: int, wanted: int | None = None) -> int:
    """Return the first of `count` free ports in a row: `wanted` when those are free."""
    for _ in range(100):
        first = wanted = free_port(wanted)
        if are_free(first, count):
            return first
        wanted = None
    raise OSError(f"no {count} free ports in a row on 127.0.0.1")


def are_free(first: int, count: int) -> bool:
    """Say whether servers could listen on `count` ports from `first` on."""
    return first + count - 1 <= HIGHEST and all(is_free(first + number) for number in range(count))


def asked(
    port: int,
    path: str,
    *,
    headers: Mapping[str, str] | None = None,
    form: Mapping[str, str] | None = None,
    json: Mapping[str, str] | None = None,
) -> Answered | None:
    """Return the answer to a GET, or to a POST of the form or JSON; None when nothing answers within two seconds."""
    import http.client

    connection = http.client.HTTPConnection(HOST, port, timeout=2)
    try:
        if json is not None:
            connection.request("POST", path, dumps(json), {"Content-Type": "application/json", **(headers or {})})
        elif form is None:
            connection.request("GET", path, headers=dict(headers or {}))
        else:
            typed = {"Content-Type": "application/x-www-form-urlencoded", **(headers or {})}
            connection.request("POST", path, urlencode(form), typed)
        answer = connection.getresponse()
        return Answered(answer.status, {name.lower(): text for name, text in answer.headers.items()}, answer.read())
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
