"""`resolve` looks before it takes a person's word: what is not there is not applied, what is there is not pending."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from provision.model.statements import Fate, Outcome
from provision.stores.clickhouse.migrate.statements import ClickhouseStatements
from tests.cli.test_settle import _clickhouse, _half
from tests.servers.command_line import Provision

FORCE = ("--force", "--reason", "the table was renamed")


def test_applied_of_what_is_not_there_is_refused_until_it_is_made(small: Path, provision: Provision) -> None:
    _half(small, provision)
    ran = provision("resolve", "clickhouse/003", "--applied")
    assert (ran.code, ran.err.splitlines()[0]) == (
        3,
        "error[disproved]: clickhouse/003 is not applied: statement 4 (create table a4) did not",
    )

    # As the fix says: made by hand, and then it is so.
    _clickhouse("CREATE TABLE a4 (x UInt8) ENGINE = Log")
    assert provision("resolve", "clickhouse/003", "--applied").code == 0


def test_pending_of_what_took_effect_is_refused(
    small: Path, provision: Provision, monkeypatch: pytest.MonkeyPatch
) -> None:
    _half(small, provision)
    done = Fate(Outcome.DONE, "it took effect as written")
    monkeypatch.setattr(ClickhouseStatements, "probe", lambda *_: done)
    ran = provision("resolve", "clickhouse/003", "--pending")
    assert (ran.code, ran.err.splitlines()[:2]) == (
        3,
        [
            "error[disproved]: clickhouse/003 is not undone: statement 3 (insert into nowhere) took effect",
            "  where  it took effect as written",
        ],
    )


def test_force_takes_the_word_and_writes_down_what_spoke_against_it(small: Path, provision: Provision) -> None:
    _half(small, provision)
    assert provision("resolve", "clickhouse/003", "--applied", *FORCE).code == 0
    [entry] = [
        each
        for each in json.loads(provision("history", "clickhouse/003", "-o", "json").out)
        if each["kind"] == "resolved"
    ]
    assert entry["detail"]["text"] == "the table was renamed"
    assert "a4" in entry["detail"]["against"]


@pytest.mark.usefixtures("small")
def test_force_without_a_reason_is_refused(provision: Provision) -> None:
    ran = provision("resolve", "clickhouse/001", "--applied", "--force")
    assert (ran.code, ran.err.splitlines()[0]) == (
        2,
        "error[usage]: --force goes against what was seen, and nobody would know why",
    )
