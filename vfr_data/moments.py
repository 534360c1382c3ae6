"""Moments: with a time zone, and exact to the microsecond."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from vfr_data.errors import BadInput

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TICK = timedelta(microseconds=1)
Clock = Callable[[], datetime]


def now() -> datetime:
    return datetime.now(UTC)


def aware(moment: datetime, name: str) -> datetime:
    """The moment. Raises BadInput, which calls it `name`, for one without a time zone."""
    if moment.utcoffset() is None:
        raise BadInput(f"{name} has no time zone; give datetime(…, tzinfo=UTC)")
    return moment


def microseconds(at: datetime) -> int:
    """Since 1970-01-01 UTC, exact."""
    return (at - EPOCH) // TICK


def milliseconds(at: datetime) -> int:
    """Whole ones since 1970-01-01 UTC."""
    return microseconds(at) // 1000


def window(at: datetime, seconds: int) -> tuple[datetime, datetime]:
    """Start and end of the window of that many seconds which a moment is in; the end is in the next one."""
    width = timedelta(seconds=seconds)
    start = EPOCH + (at - EPOCH) // width * width
    return start, start + width
