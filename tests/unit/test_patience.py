"""What is sent again over HTTP, how soon, and what never is."""

from __future__ import annotations

import pytest
from urllib3 import HTTPConnectionPool, HTTPResponse
from urllib3.exceptions import ProtocolError, ReadTimeoutError

from provision.net.retry import LONGEST_PAUSE_SECONDS, patience

LOST = ProtocolError("connection aborted")


@pytest.mark.parametrize("method", ["POST", "PATCH", "GET"])
@pytest.mark.parametrize(("status", "again"), [(429, True), (503, True), (500, False), (413, False)])
def test_busy_server_is_asked_again_whatever_it_was(method: str, status: int, again: bool) -> None:
    assert patience().is_retry(method, status, has_retry_after=True) is again


def test_lost_answer_is_asked_for_again_where_twice_is_as_good_as_once() -> None:
    assert patience().increment("GET", "/", error=LOST).total == 2
    for method in ("POST", "PATCH"):
        with pytest.raises(ProtocolError):
            patience().increment(method, "/", error=LOST)


def test_server_that_was_silent_for_the_whole_limit_is_not_asked_again() -> None:
    silent = ReadTimeoutError(HTTPConnectionPool("localhost"), "/", "the time ran out")
    with pytest.raises(ReadTimeoutError):
        patience().increment("GET", "/", error=silent)


@pytest.mark.parametrize(("asked", "pause"), [("1", 1.0), ("3600", LONGEST_PAUSE_SECONDS), (None, None)])
def test_pause_that_a_server_asks_for_has_an_end(asked: str | None, pause: float | None) -> None:
    headers = {} if asked is None else {"retry-after": asked}
    assert patience().get_retry_after(HTTPResponse(headers=headers, status=503)) == pause
