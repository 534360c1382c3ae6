"""The vendor's recorded exchanges against the ArangoDB contract double."""

from __future__ import annotations

from itertools import groupby

import pytest

from tests.doubles.arango.specs import RECORDED
from tests.doubles.served.process import counts, reset
from tests.doubles.served.required import require_document
from tests.doubles_tests.exchange import Exchange, differences, in_scope, out_of_scope
from tests.doubles_tests.grounds import GROUNDS
from tests.doubles_tests.wire import Wire

SHARE = 0.95
# What a single server does not answer as the cluster did that was recorded.
KNOWN = {"112-RestGetResponsibleShardExample_cluster": "a single server has no shards: 501, errorNum 1470"}


def replayed(url: str) -> dict[str, list[str]]:
    """What differs, by exchange; those of one name are sent one after the other to one ground."""
    found: dict[str, list[str]] = {}
    for name, group in groupby(in_scope(), key=lambda each: each.name):
        reset(url)
        wire = Wire(url)
        stands_for = GROUNDS[name.removesuffix("_single")](wire)
        for recorded in group:
            exchange = recorded.standing(stands_for)
            got = wire.send(exchange.method, exchange.url, exchange.body, **exchange.headers)
            found[exchange.id] = differences(exchange, got.status, got.body)
        wire.close()
    return found


def test_replay_of_recorded_exchanges_is_equal_in_95_of_100(
    arango_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    require_document(RECORDED, "ArangoDB replay")
    found = replayed(arango_url)
    equal = sum(not each for each in found.values())
    others = out_of_scope()
    with capsys.disabled():
        print(
            f"\nArangoDB contract double: {equal} of {len(found)} recorded exchanges equal ({equal / len(found):.1%})"
        )
        for name, differing in found.items():
            if differing:
                print(f"  {name}: {KNOWN.get(name) or '; '.join(differing)}")
        listed = ", ".join(f"{name} {count}" for name, count in sorted(others.items()))
        print(f"  out of scope, {sum(others.values())}: {listed}")
    assert len(found) == 89
    assert equal / len(found) >= SHARE
    assert {name for name, differing in found.items() if differing} == set(KNOWN)
    assert counts(arango_url)["invalid_answers"] == []


@pytest.mark.parametrize("name", sorted({each.name.removesuffix("_single") for each in in_scope()}))
def test_every_recorded_exchange_has_a_ground(name: str) -> None:
    assert name in GROUNDS


def test_a_different_answer_is_seen() -> None:
    exchange = Exchange(1, "x", "GET", "/", {}, None, 200, {"a": [{"b": 1}], "errorNum": 3})
    assert differences(exchange, 404, {"a": [{"c": 1}], "errorNum": 4}) == [
        "status 404, recorded 200",
        "errorNum 4, recorded 3",
        "key .a[].c is not recorded",
        "key .a[].b is missing",
    ]
