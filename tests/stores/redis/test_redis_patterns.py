"""Which keys patterns share, and what a renamed key is called."""

from __future__ import annotations

import pytest

from provision.stores.redis.migrate.operations.set_config import same
from provision.stores.redis.patterns import families_overlap, overlap, renamed


@pytest.mark.parametrize(
    ("one", "other", "shared"),
    [
        ("a:*", "a:b", True),
        ("a:*", "b:*", False),
        ("*:a", "a:*", True),
        ("a*b*c", "abbc", True),
        ("a*b*c", "acb", False),
        ("*", "", True),
        ("", "a", False),
        ("old:*", "vfr:old:*", False),
    ],
)
def test_overlap(one: str, other: str, shared: bool) -> None:
    assert overlap(one, other) is overlap(other, one) is shared


@pytest.mark.parametrize(
    ("one", "other", "shared"),
    [
        ("ml:perf:{model}:{date}", "ml:perf:latency:{symbol}", True),
        ("perf:{model}:{bucket}", "ml:perf:{model}:{bucket}", False),
        ("v{n}:x", "v1:x", True),
        ("v{n}:x", "w{n}:x", False),
        ("{a}:{b}", "x", False),
    ],
)
def test_families_overlap(one: str, other: str, shared: bool) -> None:
    assert families_overlap(one, other) is families_overlap(other, one) is shared


def test_renamed_takes_each_star_in_turn() -> None:
    assert renamed("a:1:b:2\n3", "a:*:b:*", "c:*:*") == "c:1:2\n3"
    assert renamed("a.b", "a.b", "c") == "c"
    with pytest.raises(ValueError, match="axb does not match"):
        renamed("axb", "a.b", "c")


@pytest.mark.parametrize(
    ("parameter", "one", "other", "equal"),
    [
        ("maxmemory", "100mb", "104857600", True),
        ("maxmemory", "100m", "104857600", False),
        ("notify-keyspace-events", "KEA", "AKE", True),
        ("notify-keyspace-events", "Kg$", "AK", False),
        ("appendonly", "Yes", "yes", True),
        ("save", "900 1", "900 1", True),
        ("save", "900 1", "", False),
    ],
)
def test_same_setting(parameter: str, one: str, other: str, equal: bool) -> None:
    assert same(parameter, one, other) is equal
