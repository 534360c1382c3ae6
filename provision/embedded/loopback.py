"""Ports on 127.0.0.1 and the first word of a conversation there."""

from __future__ import annotations

import socket

HOST = "127.0.0.1"


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
