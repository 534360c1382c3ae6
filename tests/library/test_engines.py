"""An environment whose engines the library makes, starts, stops and removes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from provision import ConfigError, EngineStatus, Project
from tests.library.shop import Shop
from tests.stores.postgres.projects import rows


@pytest.fixture
def local(tmp_path: Path) -> Iterator[Shop]:
    """A project of one embedded PostgreSQL, removed in the end."""
    (tmp_path / "local").mkdir()
    made = Shop(tmp_path / "local", "postgresql://nobody@127.0.0.1:1/none", name="local")
    file = made.root / "provision.toml"
    file.write_text(file.read_text() + '\n[environments.local]\nembedded = true\nredis = "off"\n')
    yield made
    made.open("local").reset_engines()


def test_engines_are_made_by_up_and_end_when_told_to(local: Shop) -> None:
    one = local.table()
    project = local.open("local")
    [before] = project.engines()
    assert isinstance(before, EngineStatus)
    assert (before.store, before.state, before.url) == ("postgres", "absent", None)
    assert project.status().pending == (one,)
    assert project.lock() is None
    assert project.stop_engines() == project.reset_engines() == ()

    assert [each.step.id for each in project.up().done] == [one]

    url = project.url("postgres")
    assert rows(url, "select count(*) from t0001") == [(0,)]
    [running] = project.engines()
    assert (running.state, running.url) == ("running", url)
    assert project.stop_engines("postgres") == ("postgres",)
    assert project.stop_engines() == ()
    [started] = project.start_engines()
    assert started.state == "running"
    assert project.status().applied == (one,)
    assert project.reset_engines() == ("postgres",)
    assert [each.state for each in project.engines()] == ["absent"]


def test_an_environment_with_servers_has_no_engines_but_urls(both: Shop) -> None:
    project = both.open()
    assert project.engines() == project.stop_engines() == project.reset_engines() == ()
    assert project.url("postgres") == both.url
    with pytest.raises(ConfigError) as raised:
        project.url("mongo")
    assert raised.value.code == "unknown-store"
    with pytest.raises(ConfigError) as raised:
        both.open("nowhere").url("redis")
    assert raised.value.code == "store-off"
    with pytest.raises(ConfigError) as raised:
        project.start_engines("redis")
    assert raised.value.code == "no-engine"
    assert Project.open(both.root, "test").engines() == ()
