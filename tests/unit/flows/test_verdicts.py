"""What a person may say of a revision as it stands."""

from __future__ import annotations

from pathlib import Path

import pytest

from provision.core.graph import Graph
from provision.core.standing import Flag, Standing, StoreStanding
from provision.errors import ConfigError, RefusedError
from provision.flows.connect import Site
from provision.flows.verdicts import Verdict, settleable
from provision.model import Revision, State, StateName
from provision.settings import Environment, ProjectFile

FILE = Revision("redis", "0001", "sign_ins", "Who signed in", "redis/0001_sign_ins.yaml", "aa")
V = Verdict
APPLIED, PENDING = State(StateName.APPLIED), State(StateName.PENDING)


def said(verdict: Verdict, state: State, *flags: Flag, file: Revision | None = FILE, name: str = FILE.id) -> Standing:
    """`settleable` in a project of one store with one revision."""
    standing = StoreStanding("redis", {FILE.id: Standing(FILE.id, file, state, frozenset(flags))})
    project = ProjectFile(file=Path("provision.toml"), name="small", home="redis", stores=(), environments={})
    site = Site(project, Environment("test", False, {}), Graph([FILE] if file else []))
    return settleable(site, name, verdict, {"redis": standing})


@pytest.mark.parametrize(
    ("verdict", "state", "flag"),
    [
        (V.ACCEPT_CHANGE, APPLIED, Flag.CHANGED),
        (V.PENDING, APPLIED, Flag.CHANGED),
        (V.REVERTED, APPLIED, Flag.CHANGED),
        (V.REVERTED, APPLIED, Flag.UNKNOWN),
        (V.PENDING, APPLIED, Flag.UNKNOWN),
    ],
)
def test_verdict_that_fits_ok(verdict: Verdict, state: State, flag: Flag) -> None:
    assert said(verdict, state, flag, file=None if flag is Flag.UNKNOWN else FILE).id == FILE.id


@pytest.mark.parametrize(
    ("verdict", "state", "flags", "what", "fix"),
    [
        (
            V.APPLIED,
            APPLIED,
            {Flag.CHANGED},
            "redis/0001 is changed: --applied does not settle that",
            "--accept-change or --reverted or --pending",
        ),
        (
            V.REVERTED,
            APPLIED,
            set(),
            "redis/0001 is applied and its file is as it was: there is nothing to resolve",
            "`provision history redis/0001` shows what happened",
        ),
        (
            V.APPLIED,
            PENDING,
            set(),
            "redis/0001 is pending: there is nothing to resolve",
            "`provision up` applies it; `provision baseline redis/0001` marks it as applied without running it",
        ),
        (
            V.APPLIED,
            APPLIED,
            {Flag.APPLIED_OUTSIDE},
            "redis/0001 is applied by another tool: there is nothing to resolve",
            "`provision up` records it",
        ),
    ],
)
def test_verdict_that_makes_no_sense_err(verdict: Verdict, state: State, flags: set[Flag], what: str, fix: str) -> None:
    with pytest.raises(RefusedError) as raised:
        said(verdict, state, *flags)
    assert (raised.value.code, raised.value.what, raised.value.fix) == ("nothing-to-resolve", what, fix)


def test_verdict_of_an_unknown_id_err() -> None:
    with pytest.raises(ConfigError) as raised:
        said(V.APPLIED, PENDING, name="redis/1")
    assert (raised.value.what, raised.value.fix) == (
        "no revision is called redis/1",
        "did you mean redis/0001?",
    )
