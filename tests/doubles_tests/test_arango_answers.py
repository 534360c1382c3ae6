"""The file of the double's answers, which real servers are compared with, is what the double answers."""

from __future__ import annotations

from tests.doubles_tests.arango_questions import KNOWN, QUESTIONS, answers, differences, kept
from tests.doubles_tests.wire import Wire


def test_file_has_what_the_double_answers(arango: Wire) -> None:
    assert answers(arango) == kept(), "run python -m tests.doubles_tests.arango_questions"


def test_second_round_gets_the_same_answers(arango: Wire) -> None:
    answers(arango)
    assert answers(arango) == kept()


def test_every_question_is_answered_as_it_was_meant() -> None:
    """No request is one that the vendor's document forbids, which would say nothing of the server."""
    assert [each["asked"] for each in kept()] == [f"{each.method} {each.path}" for each in QUESTIONS]
    refused = {each["errorNum"] for each in kept() if each["status"] == 400}
    assert 600 not in refused


def test_answer_that_differs_is_told_with_both() -> None:
    one = {"asked": "GET /x", "status": 200, "errorNum": None, "keys": [".a", ".b"]}
    other = {"asked": "GET /x", "status": 404, "errorNum": 1203, "keys": [".a", ".c"]}
    assert list(differences([one, one], [one, other])) == [
        "2 GET /x: status 404, the double's is 200; errorNum 1203, the double's is None;"
        " the server alone has .c; the double alone has .b"
    ]


def test_known_difference_is_one_of_a_question() -> None:
    assert set(KNOWN) <= {each["asked"] for each in kept()}
