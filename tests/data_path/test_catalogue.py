"""The families and streams of the data path are those of the shipped documents."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from tests.vfr.factories import redis as shipped
from vfr_data.catalogue import FAMILIES, STREAMS
from vfr_data.errors import BadInput

NOW = datetime(2026, 1, 2, 15, 4, 5, tzinfo=UTC)


def test_every_shipped_family_is_there_as_it_is_shipped() -> None:
    ours = {name: (each.pattern, each.type, each.ttl) for name, each in FAMILIES.items()}
    assert ours == {name: (each.pattern, each.type, each.ttl) for name, each in shipped.families().items()}


def test_every_shipped_stream_is_there_as_it_is_shipped() -> None:
    ours = {each.key: (each.maxlen, {*each.fields, "tenant_id", "at"}) for each in STREAMS.values()}
    assert ours == {name: (each["maxlen"], {*each["fields"]}) for name, each in shipped.streams().items()}
    assert {name: each["group"] for name, each in shipped.streams().items()} == {
        each.key: each.groups[0] for each in STREAMS.values()
    }


def test_no_window_of_features_outlives_its_family() -> None:
    features = [each for name, each in FAMILIES.items() if name.startswith("features_")]
    assert [each.name for each in features if each.window is None or each.window > each.ttl] == []


@pytest.mark.parametrize("zone", [UTC, timezone(timedelta(hours=9)), timezone(timedelta(hours=-7))])
def test_the_window_of_a_key_is_that_of_utc_whatever_the_zone(zone: timezone) -> None:
    assert FAMILIES["model_day"].key(NOW.astimezone(zone), model_id="m") == "vfr:_shared:ml:day:m:2026-01-02"
    key = FAMILIES["enhancement_latency"].key(NOW.astimezone(zone), symbol="AAPL")
    assert key == f"vfr:_shared:ml:latency:AAPL:{int(NOW.timestamp()) // 3600}"


@pytest.mark.parametrize("value", ["", "a:b", "_shared"])
def test_what_would_be_read_as_another_key_is_refused(value: str) -> None:
    with pytest.raises(BadInput, match="cannot be the tenant_id of a key"):
        FAMILIES["user_preferences"].key(tenant_id=value, user_id="u")


def test_a_naive_time_of_a_key_is_refused() -> None:
    with pytest.raises(BadInput, match="the time of a key has no time zone"):
        FAMILIES["analysis_classic"].key(datetime(2026, 1, 2), symbol="AAPL")
