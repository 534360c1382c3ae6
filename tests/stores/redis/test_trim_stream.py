"""`trim_stream`: what it says and sends; what it removes of real streams is in test_redis_losses.py."""

from __future__ import annotations

from typing import Any

import jsonschema_rs
import pytest

from provision.stores.redis.migrate.operations import OPERATIONS
from provision.stores.redis.migrate.operations.trim_stream import TrimStream
from provision.stores.redis.names import Keys

KEYS = Keys("vfr", "redis")


def test_trim_stream_is_an_operation_of_documents_without_a_way_back() -> None:
    assert isinstance(OPERATIONS["trim_stream"], TrimStream)
    assert TrimStream().inverse({"name": "s", "max_length": 5}) is None


@pytest.mark.parametrize(
    ("body", "command", "summary", "loss"),
    [
        (
            {"max_length": 5},
            ("XTRIM", "s", "MAXLEN", "=", 5),
            "trim stream s to its newest 5 entries",
            "the entries of stream s but its newest 5 are lost",
        ),
        (
            {"max_length": 5, "approximate": True},
            ("XTRIM", "s", "MAXLEN", "~", 5, "LIMIT", 0),
            "trim stream s to its newest about 5 entries",
            "the entries of stream s but its newest 5 are lost",
        ),
        (
            {"min_id": 1700, "approximate": False},
            ("XTRIM", "s", "MINID", "=", "1700-0"),
            "trim stream s to the entries from 1700-0 on",
            "the entries of stream s before 1700-0 are lost",
        ),
        (
            {"min_id": "1700-3", "approximate": True},
            ("XTRIM", "s", "MINID", "~", "1700-3", "LIMIT", 0),
            "trim stream s to the entries from about 1700-3 on",
            "the entries of stream s before 1700-3 are lost",
        ),
    ],
)
def test_trim_stream_sends_its_command_and_says_so(
    body: dict[str, Any], command: tuple[object, ...], summary: str, loss: str
) -> None:
    whole = {"name": "s", **body}
    assert jsonschema_rs.is_valid(TrimStream.schema, whole)
    assert list(TrimStream().commands(whole, KEYS)) == [command]
    assert TrimStream().summary(whole) == summary
    assert TrimStream().destructive(whole) == loss


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"max_length": 5, "min_id": 7},
        {"max_length": -1},
        {"max_length": 2**63},
        {"max_length": "5"},
        {"max_length": 5, "approximate": "yes"},
        {"max_length": 5, "limit": 3},
        {"min_id": 0},
        {"min_id": "0-0"},
        {"min_id": "-"},
        {"min_id": "17-"},
        {"min_id": "$"},
    ],
)
def test_trim_stream_wrong_body_is_refused_by_the_schema(body: dict[str, Any]) -> None:
    assert not jsonschema_rs.is_valid(TrimStream.schema, {"name": "s", **body})


@pytest.mark.parametrize("name", ["with space", "s*", "provision:vfr:ledger:redis", ""])
def test_trim_stream_name_that_is_no_key_of_applications_is_refused_by_the_schema(name: str) -> None:
    assert not jsonschema_rs.is_valid(TrimStream.schema, {"name": name, "max_length": 5})


@pytest.mark.parametrize(
    ("min_id", "wrong"), [(2**64, True), (f"5-{2**64}", True), (f"{2**64 - 1}-{2**64 - 1}", False)]
)
def test_trim_stream_id_that_no_entry_can_have_is_a_problem(min_id: int | str, wrong: bool) -> None:
    found = [(each.key, each.what, each.fix) for each in TrimStream().problems({"name": "s", "min_id": min_id})]
    shown = min_id if "-" in str(min_id) else f"{min_id}-0"
    told = ("min_id", f"{shown} is higher than any entry id", "write numbers up to 18446744073709551615")
    assert found == ([told] if wrong else [])
