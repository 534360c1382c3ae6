"""The document is the law: requests against it are refused and counted, answers against it are the double's fault."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.doubles.arango import arango_double
from tests.doubles.arango.app import ArangoDouble
from tests.doubles.arango.routing import ROUTES, Call
from tests.doubles.served.messages import Answer, Headers, Request
from tests.doubles.served.process import counts
from tests.doubles.served.server import Front

_VERSION = ("/_db/{database-name}/_api/version", "get")


@pytest.fixture(scope="module")
def front() -> Front:
    return Front(ArangoDouble())


def asked(method: str, path: str, body: bytes = b"", **query: str) -> Request:
    headers = Headers({"Content-Type": "application/json"} if body else {})
    return Request(method, path, query, {name: [value] for name, value in query.items()}, headers, body)


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (asked("POST", "/_api/collection", b'{"nam": "x"}'), "$: 'name' is a required property"),
        (
            asked("POST", "/_api/collection", b'{"name": "x", "type": "edge"}'),
            "$.type: 'edge' is not of type 'integer'",
        ),
        (asked("POST", "/_api/index", b"{}"), "Missing required query parameter: collection"),
        (asked("GET", "/_api/collection", excludeSystem="perhaps"), "query parameter excludeSystem: Failed to cast"),
    ],
)
def test_request_against_the_document_is_400_with_the_reason_and_counted(
    front: Front, request_: Request, reason: str
) -> None:
    before = len(front.invalid_requests)
    answer = front.answer(request_)
    assert answer.status == 400
    assert reason in answer.body["errorMessage"]
    assert reason in front.invalid_requests[before]


def test_answer_against_the_document_is_500_and_counted(front: Front, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ROUTES, _VERSION, lambda _call: Answer(200, {"server": "arango"}))
    answer = front.answer(asked("GET", "/_api/version"))
    assert answer.status == 500
    assert "GET /_db/_system/_api/version → 200: $: 'license' is a required property" in front.invalid_answers.pop()


def test_status_that_the_document_does_not_know_is_500(front: Front, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ROUTES, _VERSION, lambda _call: Answer(418, {}))
    assert front.answer(asked("GET", "/_api/version")).status == 500
    assert "→ 418" in front.invalid_answers.pop()


def test_mistake_of_the_double_is_500_and_counted(front: Front, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(call: Call) -> Answer:
        raise KeyError(call.user)

    monkeypatch.setitem(ROUTES, _VERSION, broken)
    assert front.answer(asked("GET", "/_api/version")).status == 500
    assert "KeyError: 'root'" in front.invalid_answers.pop()


def test_what_was_said_of_one_request_is_not_said_of_another(front: Front) -> None:
    good, bad = b'{"name": "remembered"}', b'{"name": 7}'
    bodies = [front.answer(asked("POST", "/_api/collection", body)).status for body in (bad, good, bad)]
    assert bodies == [400, 200, 400]


def test_same_path_with_another_query_is_looked_at_again(front: Front) -> None:
    request = asked("GET", "/_api/collection")
    other = replace(request, query={"excludeSystem": "x"}, repeated={"excludeSystem": ["x"]})
    assert [front.answer(each).status for each in (request, other, request)] == [200, 400, 200]


def test_double_that_broke_its_contract_fails_its_fixture(monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(url: str) -> dict[str, Any]:
        return {**counts(url), "invalid_answers": ["GET / → 200: wrong"]}

    monkeypatch.setattr("tests.doubles.served.process.counts", wrong)
    with pytest.raises(AssertionError, match=r"broke its contract: .'GET / → 200: wrong'"), arango_double():
        pass


def test_missing_document_is_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROVISION_SPECS", str(tmp_path))
    monkeypatch.delenv("PROVISION_TEST_REQUIRE", raising=False)
    said = rf"not run: .*ArangoDB contract double.*{tmp_path}/arangodb-openapi-calibrated.json is missing"
    with pytest.raises(pytest.skip.Exception, match=said), arango_double():
        pass


def test_missing_document_fails_where_servers_are_required(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROVISION_SPECS", str(tmp_path))
    monkeypatch.setenv("PROVISION_TEST_REQUIRE", "all")
    with pytest.raises(pytest.fail.Exception, match="not run"), arango_double():
        pass


def test_every_answered_operation_is_one_of_the_document() -> None:
    paths = ArangoDouble().contract.paths
    assert [place for place in ROUTES if place[1] not in paths.get(place[0], {})] == []
