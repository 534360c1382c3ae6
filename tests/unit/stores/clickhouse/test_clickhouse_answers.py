"""What a silent ClickHouse comes down to."""

from __future__ import annotations

import pytest
from clickhouse_connect.driver.exceptions import OperationalError

from provision.errors import UnreachableError
from provision.stores.clickhouse.server import _explained


@pytest.mark.parametrize("length", [1, 60])
def test_cause_at_the_end_of_a_long_sentence_is_found(length: int) -> None:
    host = ".".join(["nobody"] * length)
    error = OperationalError(
        f"Error HTTPConnectionPool(host='{host}', port=8123): Max retries exceeded with url: /?query_id=1 (Caused by "
        f"NameResolutionError(\"Failed to resolve '{host}' ([Errno -2] Name or service not known)\"))"
    )
    found = _explained(error, "events", "place")
    assert isinstance(found, UnreachableError)
    assert found.what == "events does not answer: the host name is not known"
