"""JUnit and SARIF of `up`, `verify` and `drift`, as their schemas and readers have them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest

from provision.embedded import engine
from tests.cli.projects import document, script
from tests.lint.test_reports import validator
from tests.servers.command_line import Provision

STREAM = "up:\n  - create_stream: {name: events, maxlen: 10, description: all}\ndown: auto\n"


def cases(file: str) -> list[tuple[str, str, list[str]]]:
    """Class, name and what is below each case; the counts of the suite are those of its cases."""
    suite = ElementTree.parse(file).getroot()
    found = [(each.get("classname", ""), each.get("name", ""), [one.tag for one in each]) for each in suite]
    counted = {"tests": len(found), "failures": sum("failure" in tags for *_, tags in found)}
    assert {key: int(suite.get(key, "")) for key in counted} == counted
    return found


@pytest.mark.usefixtures("small")
def test_up_tells_done_failed_and_not_run(provision: Provision) -> None:
    assert provision("up", "--only", "postgres").code == 0
    script(Path(), "003_wrong", "ALTER TABLE nothing_of_that_name DROP COLUMN x;\n")
    script(Path(), "004_after", "CREATE TABLE after (a Int8) ENGINE = Memory;\n")
    assert provision("up", "--allow-destructive", "--only", "clickhouse", "--junit", "up.xml").code == 5
    assert cases("up.xml") == [
        ("clickhouse", "clickhouse/001", []),
        ("clickhouse", "clickhouse/002", []),
        ("clickhouse", "clickhouse/003", ["failure"]),
        ("clickhouse", "clickhouse/004", ["skipped"]),
    ]
    [failure] = ElementTree.parse("up.xml").getroot().iter("failure")
    assert failure.get("type") == "statement-failed"
    assert "nothing_of_that_name" in (failure.text or "")
    assert "time" in ElementTree.parse("up.xml").getroot()[0].attrib


@pytest.mark.usefixtures("small")
def test_up_that_is_refused_or_has_nothing_to_do_says_so(provision: Provision) -> None:
    document(Path(), "0003_wrong", "up: all\ndown: auto\n")
    assert provision("up", "--junit", "up.xml").code == 2
    assert cases("up.xml") == [("provision", "run", ["failure"])]
    Path("redis/0003_wrong.yaml").unlink()
    assert provision("up", "--allow-destructive").code == 0
    assert provision("up", "--junit", "up.xml").code == 0
    assert cases("up.xml") == [("provision", "nothing to do", [])]


@pytest.mark.usefixtures("small")
def test_report_that_cannot_be_written_is_an_error(provision: Provision) -> None:
    ran = provision("up", "--allow-destructive", "--junit", "no/such/folder.xml")
    assert ran.err.startswith("error[unwritable-file]: ")


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A project of Redis alone."""
    toml = '[project]\nname = "shop"\nhome = "redis"\n[stores.redis]\n[environments.local]\nembedded = true\n'
    (tmp_path / "provision.toml").write_text(toml)
    (tmp_path / "redis").mkdir()
    (tmp_path / "redis" / "0001_events.yaml").write_text(STREAM)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PROVISION_ENV", "local")
    yield tmp_path
    engine("redis", "redis", tmp_path / ".provision").reset()


def logged(file: str) -> list[tuple[str, str]]:
    """Rule and file of each result of a SARIF log, which keeps the schema."""
    log = json.loads(Path(file).read_text())
    validator().validate(log)
    return [
        (each["ruleId"], each["locations"][0]["physicalLocation"]["artifactLocation"]["uri"])
        for each in log["runs"][0]["results"]
    ]


def test_verify_and_drift_tell_what_is_right_and_what_is_not(shop: Path, provision: Provision) -> None:
    assert provision("verify", "--write", "--junit", "v.xml", "--sarif", "v.json").code == 0
    assert cases("v.xml") == [("provision.verify", "redis/0001", [])]
    assert logged("v.json") == []

    assert provision("up").code == 0
    assert provision("drift", "--junit", "d.xml", "--sarif", "d.json").code == 0
    assert cases("d.xml") == [("provision.drift", "redis", [])]

    (shop / "redis" / "0002_more.yaml").write_text(STREAM.replace("events", "more"))
    assert provision("up").code == 0
    assert provision("drift", "--junit", "d.xml", "--sarif", "d.json").code == 1
    [(file, _, below)] = cases("d.xml")
    assert below == ["failure"]
    [(rule, uri)] = logged("d.json")
    assert (rule, uri) == ("not-ours", file)
