"""How often the vendor's client asks again: never so that a thing could be done twice."""

from __future__ import annotations

import urllib3

from provision.http import ATTEMPTS, BUSY, PAUSE_SECONDS


class _Patience(urllib3.Retry):
    """What never reached the server or found it busy is sent again, whatever it is; what was lost, where it reads."""

    def is_retry(self, method: str, status_code: int, has_retry_after: bool = False) -> bool:
        del method, has_retry_after  # a busy server has done nothing
        return bool(self.total) and status_code in BUSY


def patience() -> urllib3.Retry:
    """The rules of provision.http for a client that takes urllib3's."""
    return _Patience(
        total=ATTEMPTS - 1,
        other=0,
        allowed_methods=frozenset({"GET", "HEAD", "PUT", "DELETE"}),
        backoff_factor=PAUSE_SECONDS / 2,
        backoff_max=5.0,
        raise_on_status=False,
    )
