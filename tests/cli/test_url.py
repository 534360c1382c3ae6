"""The url that bare `alembic` is given."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from alembic.util import CommandError

from provision import embedded
from provision.cli.url import of


@pytest.mark.usefixtures("small")
def test_url_of_an_environment_with_urls() -> None:
    assert of("postgres") == os.environ["SMALL_POSTGRES"]


def test_url_of_an_embedded_environment_makes_the_engine(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROVISION_ENV", "local")
    engine = embedded.engine("redis", "redis", files / ".provision")
    try:
        found = of("redis")
        assert (found, engine.status().state) == (engine.status().url, "running")
    finally:
        engine.reset()


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize(
    ("environment", "store", "said"),
    [
        (
            None,
            "postgres",
            "output is not a terminal, and no environment is named; provision.toml has local, test, empty, off;"
            " set PROVISION_ENV=NAME",
        ),
        ("test", "mongo", "no store is called 'mongo'; provision.toml; known: postgres, clickhouse, redis"),
        (
            "empty",
            "postgres",
            "postgres has no url; provision.toml, [environments.empty];"
            " set postgres.url there, or choose another environment with PROVISION_ENV",
        ),
        (
            "off",
            "postgres",
            "postgres is switched off; provision.toml, [environments.off];"
            " set postgres.url there, or choose another environment with PROVISION_ENV",
        ),
    ],
)
def test_url_that_cannot_be_had_is_one_line(
    monkeypatch: pytest.MonkeyPatch, environment: str | None, store: str, said: str
) -> None:
    with Path("provision.toml").open("a") as toml:
        toml.write('\n[environments.empty]\n\n[environments.off]\npostgres = "off"\n')
    for name in ("POSTGRES", "CLICKHOUSE", "REDIS"):
        monkeypatch.setenv(f"SMALL_{name}", "redis://unused")
    if environment is not None:
        monkeypatch.setenv("PROVISION_ENV", environment)
    with pytest.raises(CommandError) as raised:
        of(store)
    assert str(raised.value) == said
