"""An embedded environment whose InfluxDB and Weaviate are not on PATH: not configured, and no reason to stop."""

from __future__ import annotations

import contextlib
import io
import json
import shutil
from pathlib import Path

import pytest

from provision.cli.main import run
from provision.embedded import engine
from provision.embedded.programs import missing
from tests.embedded.conftest import alive
from tests.embedded.programs import PROGRAMS
from tests.servers.required import not_run

TOML = """\
[project]
name = "small"
home = "redis"
[stores.redis]
[stores.influx]
[stores.weaviate]
[environments.local]
embedded = true
"""
REDIS = "description: One stream\nup:\n  - create_stream: {name: 'a:b', maxlen: 10}\ndown: auto\n"
INFLUX = "description: A database\nup:\n  - create_database: {name: metrics}\ndown: auto\n"
WEAVIATE = """\
description: A collection
up:
  - create_collection: {class: Kept, vectorizer: none, properties: [{name: symbol, dataType: [text]}]}
down: auto
"""


@pytest.fixture
def project(root: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with a revision for each store, as the working directory."""
    folder = root.parent
    (folder / "provision.toml").write_text(TOML)
    for store, text in (("redis", REDIS), ("influx", INFLUX), ("weaviate", WEAVIATE)):
        (folder / store).mkdir()
        (folder / store / "0001_first.yaml").write_text(text)
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))


def told(*arguments: str) -> tuple[int, str, str]:
    """Exit code, output and errors of a command."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = run([*arguments])
    return code, out.getvalue(), err.getvalue()


@pytest.mark.usefixtures("project", "bare")
def test_up_without_the_programs_moves_the_others_and_says_what_is_missing() -> None:
    code, out, err = told("up", "--env", "local")
    assert code == 0, err
    lines = [" ".join(line.split()) for line in out.splitlines()]
    assert "influx not configured set influx.url or put influxd on PATH" in lines
    assert "weaviate not configured set weaviate.url or put weaviate-server on PATH" in lines
    assert lines[-1].startswith("1 applied in ")


@pytest.mark.usefixtures("project", "bare")
def test_status_without_the_programs_is_done_with_what_is_there() -> None:
    assert told("up", "--env", "local")[0] == 0
    code, out, err = told("status", "--env", "local")
    assert code == 0, err
    lines = [" ".join(line.split()) for line in out.splitlines()]
    assert "influx not configured set influx.url or put influxd on PATH" in lines


@pytest.mark.usefixtures("project", "bare")
def test_only_a_store_without_its_program_is_refused() -> None:
    code, _, err = told("up", "--env", "local", "--only", "influx")
    assert code == 2
    assert err.splitlines()[0].startswith("error[store-not-configured]: ")


@pytest.mark.usefixtures("project", "bare")
def test_local_start_without_the_programs_starts_the_others() -> None:
    code, out, err = told("local", "start", "--output", "json")
    assert code == 0, err
    assert [each["store"] for each in json.loads(out)["engines"]] == ["redis"]


@pytest.mark.usefixtures("project", "bare")
@pytest.mark.parametrize("name", PROGRAMS)
def test_local_start_of_a_store_without_its_program_names_it(name: str) -> None:
    code, _, err = told("local", "start", name)
    assert code == 2
    assert err.splitlines() == [
        f"error[no-engine]: the embedded engine of {name} needs {PROGRAMS[name]}, which is not on PATH",
        f"  where  {name}",
        f"  fix    put {PROGRAMS[name]} on PATH, or set {name}.url",
    ]


def test_engine_that_runs_is_used_without_its_program(
    project: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    if program := missing("influx"):
        not_run(f"{program} on PATH", "sh tests/servers/install.sh", "influx")
    status = engine("influx", "influx", project / ".provision").start()
    assert status.pid is not None
    monkeypatch.setenv("PATH", str(tmp_path))
    code, out, err = told("up", "--env", "local", "--only", "influx", "--no-lock")
    assert code == 0, err
    assert out.splitlines()[-1].startswith("1 applied in ")
    assert alive(status.pid)


@pytest.mark.parametrize("kind", PROGRAMS)
def test_up_with_the_program_makes_the_store(kind: str, project: Path) -> None:
    for name in PROGRAMS:
        if name != kind:
            shutil.rmtree(project / name)
    text = TOML.replace("".join(f"[stores.{name}]\n" for name in PROGRAMS), f"[stores.{kind}]\n")
    (project / "provision.toml").write_text(text)
    code, out, err = told("up", "--env", "local")
    assert code == 0, err
    lines = [" ".join(line.split()) for line in out.splitlines()]
    version = {"influx": "1.6", "weaviate": "1."}[kind]
    assert any(line.startswith(f"{kind} embedded {version}") for line in lines)
    assert lines[-1].startswith("2 applied in ")
    assert told("down", "--all", "--allow-destructive", "--env", "local")[0] == 0
