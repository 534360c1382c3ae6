"""How soon the kernel notices that the other end of a connection takes no packet any more.

Not a time limit on an answer: the kernel of a server that works for hours acknowledges all the while. A peer that
acknowledges and never answers is not found this way.
"""

from __future__ import annotations

import socket

# Seconds: idle before the first probe, between two, how many go unanswered; and what was sent and not acknowledged.
IDLE, INTERVAL, COUNT = 10, 5, 3
UNACKNOWLEDGED = 25

SocketOption = tuple[int, int, int]


def of_tcp() -> dict[int, int]:
    """The options of TCP by their numbers; a system that lacks one goes without."""
    named = (
        ("TCP_KEEPIDLE", IDLE),
        ("TCP_KEEPINTVL", INTERVAL),
        ("TCP_KEEPCNT", COUNT),
        ("TCP_USER_TIMEOUT", UNACKNOWLEDGED * 1000),
    )
    return {getattr(socket, name): value for name, value in named if hasattr(socket, name)}


def options() -> list[SocketOption]:
    """The socket options, as `setsockopt` takes them."""
    tcp = [(socket.IPPROTO_TCP, name, value) for name, value in of_tcp().items()]
    return [(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1), (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1), *tcp]


def keep_alive(connection: socket.socket) -> None:
    """Set them on a connection; one that is not TCP goes without."""
    if connection.family in (socket.AF_INET, socket.AF_INET6):
        for option in options():
            connection.setsockopt(*option)
