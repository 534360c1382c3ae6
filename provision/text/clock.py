"""What `doctor` says of a server's clock, alike for every kind of store."""

from __future__ import annotations

from provision.model import Finding, Severity

SECONDS = 5.0  # so much may a server differ from this machine
FIX = "`timedatectl set-ntp true` on both machines"


def differs(
    store: str, ahead: float, *, digits: int = 1, why: str = "times in `history` are off, the order is not"
) -> Finding:
    """Of a clock that is `ahead` seconds of ours, measured to `digits` of a second; `why` it matters."""
    if abs(ahead) <= SECONDS:
        return Finding("clock", Severity.FINE, store, f"the server's clock differs by {abs(ahead):.{digits}f} s")
    what = f"the server's clock is {abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} this machine's"
    return Finding("clock", Severity.WARNING, store, what, f"{FIX}; {why}")
