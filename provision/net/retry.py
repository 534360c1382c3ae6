"""How often a request over HTTP is sent again: never so that a thing could be done twice, nor for long."""

from __future__ import annotations

from types import TracebackType

import urllib3
from urllib3.connectionpool import ConnectionPool
from urllib3.util.retry import RequestHistory

from provision.net.plain import BUSY

ATTEMPTS = 4
# Seconds before the second attempt; each later pause is twice as long.
PAUSE_SECONDS = 0.2
# A server or a proxy may ask for an hour.
LONGEST_PAUSE_SECONDS = 5.0
# Sent twice they do what they do once, so that a lost answer is no reason to stop.
_REPEATABLE = frozenset({"GET", "HEAD", "PUT", "DELETE"})


class _Patience(urllib3.Retry):
    """What never reached the server or found it busy is sent again, whatever it is; what was lost, where it repeats.

    A server that was silent for the whole time limit is not asked again: the limit is what people were promised.
    """

    def is_retry(self, method: str, status_code: int, has_retry_after: bool = False) -> bool:
        del method, has_retry_after  # a busy server has done nothing
        return bool(self.total) and status_code in BUSY

    def get_retry_after(self, response: urllib3.BaseHTTPResponse) -> float | None:
        asked = super().get_retry_after(response)
        return None if asked is None else min(asked, LONGEST_PAUSE_SECONDS)

    def increment(
        self,
        method: str | None = None,
        url: str | None = None,
        response: urllib3.BaseHTTPResponse | None = None,
        error: Exception | None = None,
        _pool: ConnectionPool | None = None,
        _stacktrace: TracebackType | None = None,
    ) -> _Patience:
        if isinstance(error, urllib3.exceptions.ReadTimeoutError):
            raise error
        return super().increment(method, url, response, error, _pool, _stacktrace)


def patience(used: int = 0) -> urllib3.Retry:
    """The rules, for one request or for a client that keeps them; `used` attempts have been made already."""
    return _Patience(
        total=ATTEMPTS - 1 - used,
        history=(RequestHistory(None, None, None, None, None),) * used,  # so that pauses grow as they would have
        other=0,
        allowed_methods=_REPEATABLE,
        backoff_factor=PAUSE_SECONDS / 2,
        backoff_max=LONGEST_PAUSE_SECONDS,
        raise_on_status=False,
    )
