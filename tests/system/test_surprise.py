"""Local by default, never by surprise."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from . import sites
from .sites import Site

REFUSAL = """\
error[environment-not-named]: output is not a terminal, and no environment is named
  where  provision.toml has local, production, ml, probability
  fix    add --env NAME, or set PROVISION_ENV
"""


@pytest.fixture(scope="module")
def fresh() -> Iterator[Site]:
    """A copy of the project in which nothing was ever started."""
    with sites.embedded() as site:
        yield site


@pytest.mark.parametrize("command", [("up",), ("down", "--all", "--allow-destructive"), ("status",), ("plan",)])
def test_piped_command_without_environment_is_refused_and_makes_nothing(fresh: Site, command: tuple[str, ...]) -> None:
    before = sorted(fresh.folder.rglob("*"))
    refused = fresh.spawn(*command)
    assert (refused.code, refused.out, refused.err) == (2, "", REFUSAL)
    assert [path for path in sorted(fresh.folder.rglob("*")) if path not in before] == []


def test_production_without_its_variables_is_refused_and_makes_nothing(fresh: Site) -> None:
    refused = fresh.spawn("up", "--env", "production")
    assert refused.code == 2
    assert [line.split(":")[1].strip() for line in refused.err.splitlines() if line.startswith("error[")] == [
        "ML_DATABASE_URL is not set",
        "CLICKHOUSE_URL is not set",
        "REDIS_URL is not set",
    ]
    assert not (fresh.folder / ".provision").exists()


def test_reads_of_engines_never_made_make_nothing(fresh: Site) -> None:
    status = fresh.spawn("status", "--env", "local", "--output", "json")
    assert status.code == 0
    assert [(each["state"], each["applied"]) for each in status.document["stores"]] == [
        *[("absent", 0)] * 3,
        *[("off", 0)] * 3,
    ]
    assert fresh.spawn("plan", "--env", "local").code == 0
    assert not (fresh.folder / ".provision").exists()


def test_local_commands_need_no_environment(fresh: Site) -> None:
    assert fresh.spawn("local", "start", "redis").code == 0
    engines = fresh.spawn("local", "status", "--output", "json").document["engines"]
    assert {each["store"]: each["state"] for each in engines} == {
        "postgres": "absent",
        "clickhouse": "absent",
        "redis": "running",
    }
    assert fresh.spawn("local", "stop").code == 0
    unsure = fresh.spawn("local", "reset")
    assert (unsure.code, "add --yes" in unsure.err) == (2, True)
    assert fresh.spawn("local", "reset", "--yes").code == 0
    assert not list((fresh.folder / ".provision").glob("redis/*"))
