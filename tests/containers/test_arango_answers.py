"""The real ArangoDB answers what the contract double has answered: status, errorNum and keys of what we ask."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
import urllib3

from tests.containers.boxes import Running
from tests.containers.engine import Absent
from tests.doubles_tests.arango_questions import QUESTIONS, answers, differences, kept
from tests.doubles_tests.wire import Wire


def test_real_server_answers_as_the_double_does(
    box: Callable[[str], Running], capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        url = urlsplit(box("ARANGO").keys["url"])
    except Absent as absent:
        pytest.skip(f"not run: ARANGO: {absent}")
    login = urllib3.make_headers(basic_auth=f"{url.username}:{url.password}")["authorization"]
    wire = Wire(f"http://{url.hostname}:{url.port}", login)
    found = list(differences(kept(), answers(wire)))
    wire.close()
    with capsys.disabled():
        print(f"\nArangoDB and its double: {len(QUESTIONS) - len(found)} of {len(QUESTIONS)} answers are alike")
    assert found == []
