"""What settles, marks and renumbers goes nowhere where the home store falls silent: who holds the lock is not known."""

from __future__ import annotations

import time

import pytest

from tests.concurrency.conftest import Rows
from tests.concurrency.project import Small
from tests.concurrency.test_beside_branch import branched, files
from tests.silent.proxy import Proxy

SOON = 45.0
COMMANDS = (
    ("baseline", "--all"),
    ("resolve", "postgres/0001", "--pending"),
    ("rebase", "main"),
    ("lock", "show"),
)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_home_that_is_silent_is_named_and_nothing_is_written(
    alone: Small, home: tuple[Proxy, str], rows: Rows, command: tuple[str, ...]
) -> None:
    branched(alone)
    first = alone.run("up", "postgres/0001")
    assert first.code == 0, first.err
    home[0].silent.set()
    began = time.monotonic()

    ran = alone.run(*command)

    assert ran.code == 4, ran.out + ran.err
    assert "error[unreachable]: postgres does not answer" in ran.err
    assert time.monotonic() - began < SOON
    home[0].silent.clear()
    assert files(alone.folder) == ["0001_step.py", "0002_step.py"]
    assert rows("select revision, kind from provision.ledger where kind in ('resolved', 'baselined')") == []
    assert alone.run("commutes", "main..feature").code in (0, 1)
