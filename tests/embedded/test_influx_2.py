"""`version = 2`: the shipped documents on an embedded InfluxDB 2, applied, taken back and applied again."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from provision.embedded.loopback import is_free
from provision.embedded.programs import missing
from tests.embedded.conftest import alive
from tests.embedded.test_not_on_path import told
from tests.servers.required import not_run

ROOT = Path(__file__).parents[2]
TOML = """\
[project]
name = "small"
home = "none"
[stores.influx]
version = {0}
[environments.local]
embedded = true
"""


@pytest.fixture
def project(root: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The shipped documents of InfluxDB, without what they require of other stores, in the working directory."""
    folder = root.parent
    (folder / "provision.toml").write_text(TOML.format(2))
    (folder / "influx").mkdir()
    for each in sorted((ROOT / "influx").glob("*.yaml")):
        lines = each.read_text(encoding="utf-8").splitlines(keepends=True)
        (folder / "influx" / each.name).write_text("".join(x for x in lines if not x.startswith("requires:")))
    monkeypatch.chdir(folder)
    monkeypatch.setenv("PROVISION_ENV", "local")
    return folder


@pytest.fixture
def with_program() -> None:
    if program := missing("influx2"):
        not_run(f"{program} on PATH", "sh tests/servers/install.sh influxd2", "influx2")


@pytest.mark.usefixtures("with_program")
def test_shipped_documents_go_up_down_and_up_and_the_engine_stops(project: Path) -> None:
    count = len(list((project / "influx").iterdir()))
    for command in (("up", "--no-lock"), ("down", "--all", "--no-lock", "--allow-destructive"), ("up", "--no-lock")):
        code, _, err = told(*command)
        assert code == 0, err
    assert told("status")[1].endswith(f"  {count} applied\neverything is applied\n")
    [engine] = json.loads(told("local", "status", "-o", "json")[1])["engines"]
    assert (engine["state"], engine["version"]) == ("running", "2.7.12")
    parts = urlsplit(engine["url"])
    assert parts.port is not None
    assert parse_qs(parts.query)["org"] == ["provision"]

    assert told("local", "stop")[0] == 0

    assert not alive(engine["pid"])
    assert is_free(parts.port)


def test_plan_without_a_server_says_calls(project: Path) -> None:
    code, out, err = told("plan", "--offline", "--sql")

    assert code == 0, err
    assert 'POST /api/v2/buckets {"name": "vfr_ml/autogen"' in out
    assert not (project / ".provision").exists()


def test_program_that_is_not_on_path_is_named(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(project))

    assert "set influx.url or put influxd2 on PATH" in told("status")[1]


@pytest.mark.parametrize("version", ["3", '"two"'])
def test_unknown_generation_is_refused(project: Path, version: str) -> None:
    (project / "provision.toml").write_text(TOML.format(version))

    code, _, err = told("local", "status")

    said = version.strip('"')
    assert code == 2
    assert err.splitlines() == [
        f"error[bad-value]: influx.version is {said}, and InfluxDB has no such generation",
        "  where  provision.toml, [stores.influx]",
        "  fix    write 1 or 2",
    ]
